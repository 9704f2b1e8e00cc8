build2/obj/segmenter/input/pipe.o: segmenter/input/pipe.c base/log.h \
 base/text.h segmenter/input/backoff.h base/clock.h \
 segmenter/input/feed.h segmenter/input/transport.h segmenter/settings.h \
 base/config.h
base/log.h:
base/text.h:
segmenter/input/backoff.h:
base/clock.h:
segmenter/input/feed.h:
segmenter/input/transport.h:
segmenter/settings.h:
base/config.h:
