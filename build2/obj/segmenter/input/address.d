build2/obj/segmenter/input/address.o: segmenter/input/address.c \
 segmenter/input/address.h
segmenter/input/address.h:
