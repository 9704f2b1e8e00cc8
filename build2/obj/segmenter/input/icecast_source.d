build2/obj/segmenter/input/icecast_source.o: \
 segmenter/input/icecast_source.c segmenter/input/icecast_source.h \
 base/log.h base/text.h segmenter/input/feed.h base/clock.h \
 segmenter/input/source_connection.h segmenter/input/address.h \
 segmenter/input/chunked.h segmenter/input/request_head.h \
 segmenter/input/transport.h segmenter/settings.h base/config.h
segmenter/input/icecast_source.h:
base/log.h:
base/text.h:
segmenter/input/feed.h:
base/clock.h:
segmenter/input/source_connection.h:
segmenter/input/address.h:
segmenter/input/chunked.h:
segmenter/input/request_head.h:
segmenter/input/transport.h:
segmenter/settings.h:
base/config.h:
