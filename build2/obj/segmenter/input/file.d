build2/obj/segmenter/input/file.o: segmenter/input/file.c base/log.h \
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
