build2/obj/media/segment_read.o: media/segment_read.c base/cursor.h \
 media/adts.h media/format.h media/id3.h media/mpa.h media/segment.h \
 media/ticks.h media/ts_read.h
base/cursor.h:
media/adts.h:
media/format.h:
media/id3.h:
media/mpa.h:
media/segment.h:
media/ticks.h:
media/ts_read.h:
