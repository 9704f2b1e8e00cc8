build2/obj/segmenter/station.o: segmenter/station.c segmenter/station.h \
 segmenter/cut/epoch.h segmenter/rendition.h base/text.h rewind/join.h \
 base/clock.h rewind/hour.h media/format.h media/segment.h media/ticks.h \
 rewind/layout.h rewind/settings.h base/config.h rewind/store.h \
 rewind/list.h segmenter/cut/cut.h segmenter/frame.h \
 segmenter/merge/merge.h segmenter/input/input.h \
 segmenter/input/transport.h segmenter/settings.h \
 segmenter/write/journal.h segmenter/write/writer.h base/log.h
segmenter/station.h:
segmenter/cut/epoch.h:
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
segmenter/frame.h:
segmenter/merge/merge.h:
segmenter/input/input.h:
segmenter/input/transport.h:
segmenter/settings.h:
segmenter/write/journal.h:
segmenter/write/writer.h:
base/log.h:
