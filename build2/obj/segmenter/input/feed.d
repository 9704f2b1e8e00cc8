build2/obj/segmenter/input/feed.o: segmenter/input/feed.c \
 segmenter/input/feed.h base/clock.h segmenter/input/transport.h \
 segmenter/settings.h base/config.h
segmenter/input/feed.h:
base/clock.h:
segmenter/input/transport.h:
segmenter/settings.h:
base/config.h:
