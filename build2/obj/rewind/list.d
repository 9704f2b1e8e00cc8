build2/obj/rewind/list.o: rewind/list.c rewind/list.h rewind/hour.h \
 base/clock.h media/format.h media/segment.h media/ticks.h \
 rewind/layout.h base/text.h
rewind/list.h:
rewind/hour.h:
base/clock.h:
media/format.h:
media/segment.h:
media/ticks.h:
rewind/layout.h:
base/text.h:
