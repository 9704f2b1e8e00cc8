build2/obj/segmenter/write/healer.o: segmenter/write/healer.c \
 segmenter/write/healer.h base/clock.h rewind/heal.h rewind/hour.h \
 media/format.h media/segment.h media/ticks.h rewind/layout.h \
 rewind/settings.h base/config.h segmenter/write/writer.h rewind/store.h \
 rewind/list.h segmenter/cut/cut.h segmenter/cut/epoch.h \
 segmenter/frame.h segmenter/merge/merge.h segmenter/write/journal.h \
 base/text.h base/log.h rewind/peer.h
segmenter/write/healer.h:
base/clock.h:
rewind/heal.h:
rewind/hour.h:
media/format.h:
media/segment.h:
media/ticks.h:
rewind/layout.h:
rewind/settings.h:
base/config.h:
segmenter/write/writer.h:
rewind/store.h:
rewind/list.h:
segmenter/cut/cut.h:
segmenter/cut/epoch.h:
segmenter/frame.h:
segmenter/merge/merge.h:
segmenter/write/journal.h:
base/text.h:
base/log.h:
rewind/peer.h:
