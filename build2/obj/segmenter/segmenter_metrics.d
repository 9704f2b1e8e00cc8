build2/obj/segmenter/segmenter_metrics.o: segmenter/segmenter_metrics.c \
 segmenter/segmenter_metrics.h rewind/heal.h base/clock.h rewind/hour.h \
 media/format.h media/segment.h media/ticks.h rewind/layout.h \
 segmenter/input/icecast_listener.h base/metrics.h \
 segmenter/input/transport.h segmenter/settings.h base/config.h \
 segmenter/station.h segmenter/cut/epoch.h segmenter/rendition.h \
 base/text.h rewind/join.h rewind/settings.h rewind/store.h rewind/list.h \
 segmenter/cut/cut.h segmenter/frame.h segmenter/merge/merge.h \
 segmenter/input/input.h segmenter/write/journal.h \
 segmenter/write/writer.h
segmenter/segmenter_metrics.h:
rewind/heal.h:
base/clock.h:
rewind/hour.h:
media/format.h:
media/segment.h:
media/ticks.h:
rewind/layout.h:
segmenter/input/icecast_listener.h:
base/metrics.h:
segmenter/input/transport.h:
segmenter/settings.h:
base/config.h:
segmenter/station.h:
segmenter/cut/epoch.h:
segmenter/rendition.h:
base/text.h:
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
