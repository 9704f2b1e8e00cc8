build2/obj/base/config_ini.o: base/config_ini.c base/config_internal.h \
 base/config.h base/log.h base/text.h
base/config_internal.h:
base/config.h:
base/log.h:
base/text.h:
