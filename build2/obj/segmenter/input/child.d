build2/obj/segmenter/input/child.o: segmenter/input/child.c \
 segmenter/input/child.h
segmenter/input/child.h:
