build2/obj/segmenter/input/transport.o: segmenter/input/transport.c \
 segmenter/input/transport.h base/clock.h segmenter/settings.h \
 base/config.h base/log.h
segmenter/input/transport.h:
base/clock.h:
segmenter/settings.h:
base/config.h:
base/log.h:
