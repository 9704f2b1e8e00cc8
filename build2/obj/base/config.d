build2/obj/base/config.o: base/config.c base/config_internal.h \
 base/config.h base/file.h base/clock.h base/log.h base/text.h
base/config_internal.h:
base/config.h:
base/file.h:
base/clock.h:
base/log.h:
base/text.h:
