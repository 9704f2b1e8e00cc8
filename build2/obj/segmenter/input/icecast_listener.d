build2/obj/segmenter/input/icecast_listener.o: \
 segmenter/input/icecast_listener.c segmenter/input/icecast_listener.h \
 base/metrics.h segmenter/input/transport.h base/clock.h \
 segmenter/settings.h base/config.h base/log.h base/text.h \
 segmenter/input/icecast_request.h segmenter/input/request_head.h \
 segmenter/input/icecast_source.h segmenter/input/source_connection.h \
 segmenter/input/address.h segmenter/input/chunked.h
segmenter/input/icecast_listener.h:
base/metrics.h:
segmenter/input/transport.h:
base/clock.h:
segmenter/settings.h:
base/config.h:
base/log.h:
base/text.h:
segmenter/input/icecast_request.h:
segmenter/input/request_head.h:
segmenter/input/icecast_source.h:
segmenter/input/source_connection.h:
segmenter/input/address.h:
segmenter/input/chunked.h:
