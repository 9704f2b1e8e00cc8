build2/obj/segmenter/input/stamp.o: segmenter/input/stamp.c \
 segmenter/input/stamp.h base/clock.h
segmenter/input/stamp.h:
base/clock.h:
