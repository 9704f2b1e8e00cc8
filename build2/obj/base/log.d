build2/obj/base/log.o: base/log.c base/log.h base/clock.h base/text.h
base/log.h:
base/clock.h:
base/text.h:
