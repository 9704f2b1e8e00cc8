build2/obj/segmenter/input/aac_profile.o: segmenter/input/aac_profile.c \
 segmenter/input/aac_profile.h media/format.h base/clock.h media/adts.h
segmenter/input/aac_profile.h:
media/format.h:
base/clock.h:
media/adts.h:
