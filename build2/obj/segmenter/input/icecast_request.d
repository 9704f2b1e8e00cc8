build2/obj/segmenter/input/icecast_request.o: \
 segmenter/input/icecast_request.c segmenter/input/icecast_request.h \
 base/clock.h segmenter/input/request_head.h base/text.h \
 segmenter/input/icecast_source.h segmenter/input/source_connection.h \
 segmenter/input/address.h segmenter/input/chunked.h \
 segmenter/input/title.h segmenter/input/transport.h segmenter/settings.h \
 base/config.h
segmenter/input/icecast_request.h:
base/clock.h:
segmenter/input/request_head.h:
base/text.h:
segmenter/input/icecast_source.h:
segmenter/input/source_connection.h:
segmenter/input/address.h:
segmenter/input/chunked.h:
segmenter/input/title.h:
segmenter/input/transport.h:
segmenter/settings.h:
base/config.h:
