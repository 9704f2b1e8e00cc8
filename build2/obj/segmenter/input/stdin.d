build2/obj/segmenter/input/stdin.o: segmenter/input/stdin.c base/log.h \
 base/text.h segmenter/input/feed.h base/clock.h \
 segmenter/input/transport.h segmenter/settings.h base/config.h
base/log.h:
base/text.h:
segmenter/input/feed.h:
base/clock.h:
segmenter/input/transport.h:
segmenter/settings.h:
base/config.h:
