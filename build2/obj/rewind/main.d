build2/obj/rewind/main.o: rewind/main.c base/config.h base/log.h \
 base/text.h rewind/export.h base/clock.h rewind/inventory.h \
 media/format.h rewind/zone.h rewind/heal_station.h rewind/heal.h \
 rewind/hour.h media/segment.h media/ticks.h rewind/layout.h \
 rewind/instant.h rewind/settings.h rewind/verify.h
base/config.h:
base/log.h:
base/text.h:
rewind/export.h:
base/clock.h:
rewind/inventory.h:
media/format.h:
rewind/zone.h:
rewind/heal_station.h:
rewind/heal.h:
rewind/hour.h:
media/segment.h:
media/ticks.h:
rewind/layout.h:
rewind/instant.h:
rewind/settings.h:
rewind/verify.h:
