build2/obj/segmenter/rendition.o: segmenter/rendition.c \
 segmenter/rendition.h base/text.h rewind/join.h base/clock.h \
 rewind/hour.h media/format.h media/segment.h media/ticks.h \
 rewind/layout.h rewind/settings.h base/config.h rewind/store.h \
 rewind/list.h segmenter/cut/cut.h segmenter/cut/epoch.h \
 segmenter/frame.h segmenter/merge/merge.h segmenter/input/input.h \
 segmenter/input/transport.h segmenter/settings.h \
 segmenter/write/journal.h segmenter/write/writer.h base/file.h \
 base/log.h base/metrics.h
segmenter/rendition.h:
base/text.h:
rewind/join.h:
base/clock.h:
rewind/hour.h:
media/format.h:
media/segment.h:
media/ticks.h:
rewind/layout.h:
rewind/settings.h:
base/config.h:
rewind/store.h:
rewind/list.h:
segmenter/cut/cut.h:
segmenter/cut/epoch.h:
segmenter/frame.h:
segmenter/merge/merge.h:
segmenter/input/input.h:
segmenter/input/transport.h:
segmenter/settings.h:
segmenter/write/journal.h:
segmenter/write/writer.h:
base/file.h:
base/log.h:
base/metrics.h:
