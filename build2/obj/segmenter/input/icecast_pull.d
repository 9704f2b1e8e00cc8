build2/obj/segmenter/input/icecast_pull.o: segmenter/input/icecast_pull.c \
 base/log.h base/text.h media/icy.h segmenter/input/backoff.h \
 base/clock.h segmenter/input/title.h segmenter/input/transport.h \
 segmenter/settings.h base/config.h
base/log.h:
base/text.h:
media/icy.h:
segmenter/input/backoff.h:
base/clock.h:
segmenter/input/title.h:
segmenter/input/transport.h:
segmenter/settings.h:
base/config.h:
