build2/obj/segmenter/cut/cut.o: segmenter/cut/cut.c segmenter/cut/cut.h \
 media/segment.h media/format.h media/ticks.h segmenter/cut/epoch.h \
 segmenter/frame.h base/clock.h segmenter/merge/merge.h base/log.h \
 media/framer.h
segmenter/cut/cut.h:
media/segment.h:
media/format.h:
media/ticks.h:
segmenter/cut/epoch.h:
segmenter/frame.h:
base/clock.h:
segmenter/merge/merge.h:
base/log.h:
media/framer.h:
