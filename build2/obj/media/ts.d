build2/obj/media/ts.o: media/ts.c media/ts.h media/ticks.h base/log.h
media/ts.h:
media/ticks.h:
base/log.h:
