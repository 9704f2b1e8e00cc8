build2/obj/rewind/heal_hour.o: rewind/heal_hour.c rewind/heal_hour.h \
 rewind/hour.h base/clock.h media/format.h media/segment.h media/ticks.h \
 rewind/layout.h
rewind/heal_hour.h:
rewind/hour.h:
base/clock.h:
media/format.h:
media/segment.h:
media/ticks.h:
rewind/layout.h:
