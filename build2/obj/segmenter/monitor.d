build2/obj/segmenter/monitor.o: segmenter/monitor.c segmenter/monitor.h \
 segmenter/pipeline.h base/config.h base/text.h base/log.h \
 segmenter/input/address.h
segmenter/monitor.h:
segmenter/pipeline.h:
base/config.h:
base/text.h:
base/log.h:
segmenter/input/address.h:
