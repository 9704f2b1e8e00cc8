build2/obj/base/config_value.o: base/config_value.c \
 base/config_internal.h base/config.h base/clock.h base/log.h base/text.h
base/config_internal.h:
base/config.h:
base/clock.h:
base/log.h:
base/text.h:
