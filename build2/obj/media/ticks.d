build2/obj/media/ticks.o: media/ticks.c media/ticks.h
media/ticks.h:
