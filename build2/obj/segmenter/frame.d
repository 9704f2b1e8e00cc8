build2/obj/segmenter/frame.o: segmenter/frame.c segmenter/frame.h \
 base/clock.h base/log.h
segmenter/frame.h:
base/clock.h:
base/log.h:
