build2/obj/segmenter/input/request_head.o: segmenter/input/request_head.c \
 segmenter/input/request_head.h
segmenter/input/request_head.h:
