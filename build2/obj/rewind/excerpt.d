build2/obj/rewind/excerpt.o: rewind/excerpt.c rewind/excerpt.h \
 base/clock.h rewind/hour.h media/format.h media/segment.h media/ticks.h \
 rewind/layout.h base/file.h base/text.h media/adts.h media/framer.h \
 media/mpa.h rewind/store_rendition.h rewind/store.h rewind/list.h \
 rewind/store_part.h rewind/store_window.h
rewind/excerpt.h:
base/clock.h:
rewind/hour.h:
media/format.h:
media/segment.h:
media/ticks.h:
rewind/layout.h:
base/file.h:
base/text.h:
media/adts.h:
media/framer.h:
media/mpa.h:
rewind/store_rendition.h:
rewind/store.h:
rewind/list.h:
rewind/store_part.h:
rewind/store_window.h:
