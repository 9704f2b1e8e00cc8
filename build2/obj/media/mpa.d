build2/obj/media/mpa.o: media/mpa.c media/mpa.h media/format.h
media/mpa.h:
media/format.h:
