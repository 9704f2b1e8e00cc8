build2/obj/segmenter/input/input.o: segmenter/input/input.c \
 segmenter/input/input.h base/clock.h media/format.h segmenter/frame.h \
 segmenter/input/transport.h segmenter/settings.h base/config.h \
 base/log.h base/text.h media/framer.h segmenter/input/aac_profile.h \
 segmenter/input/carry.h segmenter/input/stamp.h
segmenter/input/input.h:
base/clock.h:
media/format.h:
segmenter/frame.h:
segmenter/input/transport.h:
segmenter/settings.h:
base/config.h:
base/log.h:
base/text.h:
media/framer.h:
segmenter/input/aac_profile.h:
segmenter/input/carry.h:
segmenter/input/stamp.h:
