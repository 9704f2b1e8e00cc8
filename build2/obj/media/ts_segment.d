build2/obj/media/ts_segment.o: media/ts_segment.c base/log.h media/pes.h \
 media/ticks.h media/psi.h media/ts.h media/segment.h media/format.h \
 media/ts_pcr.h
base/log.h:
media/pes.h:
media/ticks.h:
media/psi.h:
media/ts.h:
media/segment.h:
media/format.h:
media/ts_pcr.h:
