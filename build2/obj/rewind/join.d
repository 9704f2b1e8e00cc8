build2/obj/rewind/join.o: rewind/join.c rewind/join.h base/clock.h \
 rewind/hour.h media/format.h media/segment.h media/ticks.h \
 rewind/layout.h base/log.h base/text.h rewind/heal_hour.h rewind/peer.h \
 rewind/settings.h base/config.h
rewind/join.h:
base/clock.h:
rewind/hour.h:
media/format.h:
media/segment.h:
media/ticks.h:
rewind/layout.h:
base/log.h:
base/text.h:
rewind/heal_hour.h:
rewind/peer.h:
rewind/settings.h:
base/config.h:
