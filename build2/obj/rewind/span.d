build2/obj/rewind/span.o: rewind/span.c rewind/span.h rewind/hour.h \
 base/clock.h media/format.h media/segment.h media/ticks.h \
 rewind/layout.h rewind/list.h rewind/resolve.h rewind/instant.h \
 rewind/zone.h rewind/programmes.h base/log.h base/text.h
rewind/span.h:
rewind/hour.h:
base/clock.h:
media/format.h:
media/segment.h:
media/ticks.h:
rewind/layout.h:
rewind/list.h:
rewind/resolve.h:
rewind/instant.h:
rewind/zone.h:
rewind/programmes.h:
base/log.h:
base/text.h:
