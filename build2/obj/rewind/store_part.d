build2/obj/rewind/store_part.o: rewind/store_part.c rewind/store_part.h \
 rewind/hour.h base/clock.h media/format.h media/segment.h media/ticks.h \
 rewind/layout.h base/file.h base/text.h
rewind/store_part.h:
rewind/hour.h:
base/clock.h:
media/format.h:
media/segment.h:
media/ticks.h:
rewind/layout.h:
base/file.h:
base/text.h:
