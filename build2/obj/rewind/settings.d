build2/obj/rewind/settings.o: rewind/settings.c rewind/settings.h \
 base/config.h base/clock.h base/log.h base/text.h rewind/peer.h \
 rewind/span.h rewind/hour.h media/format.h media/segment.h media/ticks.h \
 rewind/layout.h rewind/list.h rewind/resolve.h rewind/instant.h \
 rewind/zone.h rewind/programmes.h
rewind/settings.h:
base/config.h:
base/clock.h:
base/log.h:
base/text.h:
rewind/peer.h:
rewind/span.h:
rewind/hour.h:
media/format.h:
media/segment.h:
media/ticks.h:
rewind/layout.h:
rewind/list.h:
rewind/resolve.h:
rewind/instant.h:
rewind/zone.h:
rewind/programmes.h:
