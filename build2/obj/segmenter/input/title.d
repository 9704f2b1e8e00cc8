build2/obj/segmenter/input/title.o: segmenter/input/title.c \
 segmenter/input/title.h
segmenter/input/title.h:
