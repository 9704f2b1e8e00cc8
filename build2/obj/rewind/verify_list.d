build2/obj/rewind/verify_list.o: rewind/verify_list.c \
 rewind/verify_list.h rewind/verify.h base/clock.h rewind/inventory.h \
 media/format.h base/file.h base/text.h rewind/list.h rewind/hour.h \
 media/segment.h media/ticks.h rewind/layout.h rewind/store_rendition.h \
 rewind/store.h rewind/store_part.h rewind/store_window.h
rewind/verify_list.h:
rewind/verify.h:
base/clock.h:
rewind/inventory.h:
media/format.h:
base/file.h:
base/text.h:
rewind/list.h:
rewind/hour.h:
media/segment.h:
media/ticks.h:
rewind/layout.h:
rewind/store_rendition.h:
rewind/store.h:
rewind/store_part.h:
rewind/store_window.h:
