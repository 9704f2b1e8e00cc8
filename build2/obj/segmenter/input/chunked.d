build2/obj/segmenter/input/chunked.o: segmenter/input/chunked.c \
 segmenter/input/chunked.h
segmenter/input/chunked.h:
