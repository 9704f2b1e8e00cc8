build2/obj/rewind/hour.o: rewind/hour.c rewind/hour.h base/clock.h \
 media/format.h media/segment.h media/ticks.h rewind/layout.h
rewind/hour.h:
base/clock.h:
media/format.h:
media/segment.h:
media/ticks.h:
rewind/layout.h:
