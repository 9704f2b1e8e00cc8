build2/obj/rewind/hour_write.o: rewind/hour_write.c rewind/hour.h \
 base/clock.h media/format.h media/segment.h media/ticks.h \
 rewind/layout.h base/text.h
rewind/hour.h:
base/clock.h:
media/format.h:
media/segment.h:
media/ticks.h:
rewind/layout.h:
base/text.h:
