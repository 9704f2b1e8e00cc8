build2/obj/media/ts_pcr.o: media/ts_pcr.c media/ts_pcr.h media/segment.h \
 media/format.h media/ticks.h
media/ts_pcr.h:
media/segment.h:
media/format.h:
media/ticks.h:
