build2/obj/media/pes.o: media/pes.c media/pes.h media/ticks.h base/log.h
media/pes.h:
media/ticks.h:
base/log.h:
