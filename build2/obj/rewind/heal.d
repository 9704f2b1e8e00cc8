build2/obj/rewind/heal.o: rewind/heal.c rewind/heal.h base/clock.h \
 rewind/hour.h media/format.h media/segment.h media/ticks.h \
 rewind/layout.h base/file.h base/log.h base/text.h rewind/heal_hour.h \
 rewind/peer.h rewind/store_rendition.h rewind/store.h rewind/list.h \
 rewind/store_part.h rewind/store_window.h
rewind/heal.h:
base/clock.h:
rewind/hour.h:
media/format.h:
media/segment.h:
media/ticks.h:
rewind/layout.h:
base/file.h:
base/log.h:
base/text.h:
rewind/heal_hour.h:
rewind/peer.h:
rewind/store_rendition.h:
rewind/store.h:
rewind/list.h:
rewind/store_part.h:
rewind/store_window.h:
