build2/obj/rewind/heal_station.o: rewind/heal_station.c \
 rewind/heal_station.h base/clock.h base/config.h rewind/heal.h \
 rewind/hour.h media/format.h media/segment.h media/ticks.h \
 rewind/layout.h base/file.h base/text.h rewind/heal_hour.h rewind/peer.h \
 rewind/settings.h rewind/store.h rewind/list.h
rewind/heal_station.h:
base/clock.h:
base/config.h:
rewind/heal.h:
rewind/hour.h:
media/format.h:
media/segment.h:
media/ticks.h:
rewind/layout.h:
base/file.h:
base/text.h:
rewind/heal_hour.h:
rewind/peer.h:
rewind/settings.h:
rewind/store.h:
rewind/list.h:
