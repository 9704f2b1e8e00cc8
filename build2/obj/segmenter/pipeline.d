build2/obj/segmenter/pipeline.o: segmenter/pipeline.c \
 segmenter/pipeline.h base/config.h base/text.h base/clock.h base/log.h \
 base/metrics.h segmenter/input/transport.h segmenter/settings.h \
 rewind/layout.h segmenter/segmenter_metrics.h rewind/heal.h \
 rewind/hour.h media/format.h media/segment.h media/ticks.h \
 segmenter/input/icecast_listener.h segmenter/station.h \
 segmenter/cut/epoch.h segmenter/rendition.h rewind/join.h \
 rewind/settings.h rewind/store.h rewind/list.h segmenter/cut/cut.h \
 segmenter/frame.h segmenter/merge/merge.h segmenter/input/input.h \
 segmenter/write/journal.h segmenter/write/writer.h \
 segmenter/write/healer.h
segmenter/pipeline.h:
base/config.h:
base/text.h:
base/clock.h:
base/log.h:
base/metrics.h:
segmenter/input/transport.h:
segmenter/settings.h:
rewind/layout.h:
segmenter/segmenter_metrics.h:
rewind/heal.h:
rewind/hour.h:
media/format.h:
media/segment.h:
media/ticks.h:
segmenter/input/icecast_listener.h:
segmenter/station.h:
segmenter/cut/epoch.h:
segmenter/rendition.h:
rewind/join.h:
rewind/settings.h:
rewind/store.h:
rewind/list.h:
segmenter/cut/cut.h:
segmenter/frame.h:
segmenter/merge/merge.h:
segmenter/input/input.h:
segmenter/write/journal.h:
segmenter/write/writer.h:
segmenter/write/healer.h:
