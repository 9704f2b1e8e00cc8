build2/obj/media/format.o: media/format.c media/format.h
media/format.h:
