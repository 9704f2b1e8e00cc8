build2/obj/rewind/inventory.o: rewind/inventory.c rewind/inventory.h \
 base/clock.h media/format.h base/file.h base/text.h \
 rewind/store_rendition.h rewind/store.h media/segment.h media/ticks.h \
 rewind/list.h rewind/hour.h rewind/layout.h rewind/store_part.h \
 rewind/store_window.h
rewind/inventory.h:
base/clock.h:
media/format.h:
base/file.h:
base/text.h:
rewind/store_rendition.h:
rewind/store.h:
media/segment.h:
media/ticks.h:
rewind/list.h:
rewind/hour.h:
rewind/layout.h:
rewind/store_part.h:
rewind/store_window.h:
