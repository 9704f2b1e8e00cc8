build2/obj/segmenter/write/writer.o: segmenter/write/writer.c \
 segmenter/write/writer.h rewind/store.h base/clock.h media/format.h \
 media/segment.h media/ticks.h rewind/list.h rewind/hour.h \
 rewind/layout.h segmenter/cut/cut.h segmenter/cut/epoch.h \
 segmenter/frame.h segmenter/merge/merge.h segmenter/write/journal.h \
 base/text.h base/log.h
segmenter/write/writer.h:
rewind/store.h:
base/clock.h:
media/format.h:
media/segment.h:
media/ticks.h:
rewind/list.h:
rewind/hour.h:
rewind/layout.h:
segmenter/cut/cut.h:
segmenter/cut/epoch.h:
segmenter/frame.h:
segmenter/merge/merge.h:
segmenter/write/journal.h:
base/text.h:
base/log.h:
