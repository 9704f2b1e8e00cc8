build2/obj/segmenter/main.o: segmenter/main.c base/config.h base/log.h \
 base/text.h rewind/settings.h segmenter/config_load.h \
 segmenter/input/aac_profile.h media/format.h segmenter/monitor.h \
 segmenter/pipeline.h segmenter/settings.h
base/config.h:
base/log.h:
base/text.h:
rewind/settings.h:
segmenter/config_load.h:
segmenter/input/aac_profile.h:
media/format.h:
segmenter/monitor.h:
segmenter/pipeline.h:
segmenter/settings.h:
