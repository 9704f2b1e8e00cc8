build2/obj/segmenter/merge/merge.o: segmenter/merge/merge.c \
 segmenter/merge/merge.h media/format.h segmenter/frame.h base/clock.h \
 base/log.h media/framer.h rewind/layout.h
segmenter/merge/merge.h:
media/format.h:
segmenter/frame.h:
base/clock.h:
base/log.h:
media/framer.h:
rewind/layout.h:
