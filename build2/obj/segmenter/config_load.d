build2/obj/segmenter/config_load.o: segmenter/config_load.c \
 segmenter/config_load.h base/config.h base/log.h rewind/settings.h \
 segmenter/settings.h
segmenter/config_load.h:
base/config.h:
base/log.h:
rewind/settings.h:
segmenter/settings.h:
