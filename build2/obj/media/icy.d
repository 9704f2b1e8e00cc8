build2/obj/media/icy.o: media/icy.c media/icy.h
media/icy.h:
