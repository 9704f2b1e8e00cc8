build2/obj/rewind/store_recover.o: rewind/store_recover.c \
 rewind/store_rendition.h base/text.h rewind/store.h base/clock.h \
 media/format.h media/segment.h media/ticks.h rewind/list.h rewind/hour.h \
 rewind/layout.h rewind/store_part.h rewind/store_window.h base/file.h \
 base/log.h
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
