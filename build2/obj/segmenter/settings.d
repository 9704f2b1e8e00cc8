build2/obj/segmenter/settings.o: segmenter/settings.c \
 segmenter/settings.h base/config.h base/clock.h base/text.h \
 segmenter/input/address.h
segmenter/settings.h:
base/config.h:
base/clock.h:
base/text.h:
segmenter/input/address.h:
