build2/obj/base/clock.o: base/clock.c base/clock.h base/log.h
base/clock.h:
base/log.h:
