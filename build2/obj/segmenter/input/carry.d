build2/obj/segmenter/input/carry.o: segmenter/input/carry.c \
 segmenter/input/carry.h base/text.h media/format.h segmenter/frame.h \
 base/clock.h segmenter/input/stamp.h base/cursor.h
segmenter/input/carry.h:
base/text.h:
media/format.h:
segmenter/frame.h:
base/clock.h:
segmenter/input/stamp.h:
base/cursor.h:
