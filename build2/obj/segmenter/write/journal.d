build2/obj/segmenter/write/journal.o: segmenter/write/journal.c \
 segmenter/write/journal.h base/text.h segmenter/cut/cut.h \
 media/segment.h media/format.h media/ticks.h segmenter/cut/epoch.h \
 segmenter/frame.h base/clock.h segmenter/merge/merge.h base/cursor.h \
 base/file.h base/log.h
segmenter/write/journal.h:
base/text.h:
segmenter/cut/cut.h:
media/segment.h:
media/format.h:
media/ticks.h:
segmenter/cut/epoch.h:
segmenter/frame.h:
base/clock.h:
segmenter/merge/merge.h:
base/cursor.h:
base/file.h:
base/log.h:
