build2/obj/segmenter/input/backoff.o: segmenter/input/backoff.c \
 segmenter/input/backoff.h base/clock.h
segmenter/input/backoff.h:
base/clock.h:
