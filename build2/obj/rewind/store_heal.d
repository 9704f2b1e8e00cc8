build2/obj/rewind/store_heal.o: rewind/store_heal.c \
 rewind/store_rendition.h base/text.h rewind/store.h base/clock.h \
 media/format.h media/segment.h media/ticks.h rewind/list.h rewind/hour.h \
 rewind/layout.h rewind/store_part.h rewind/store_window.h base/file.h \
 base/log.h rewind/heal_hour.h
rewind/store_rendition.h:
base/text.h:
rewind/store.h:
base/clock.h:
media/format.h:
media/segment.h:
media/ticks.h:
rewind/list.h:
rewind/hour.h:
rewind/layout.h:
rewind/store_part.h:
rewind/store_window.h:
base/file.h:
base/log.h:
rewind/heal_hour.h:
