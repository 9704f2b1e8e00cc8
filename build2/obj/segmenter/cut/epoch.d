build2/obj/segmenter/cut/epoch.o: segmenter/cut/epoch.c \
 segmenter/cut/epoch.h base/log.h media/segment.h media/format.h \
 media/ticks.h
segmenter/cut/epoch.h:
base/log.h:
media/segment.h:
media/format.h:
media/ticks.h:
