build2/obj/media/packed.o: media/packed.c media/segment.h media/format.h \
 media/ticks.h
media/segment.h:
media/format.h:
media/ticks.h:
