build2/obj/media/id3.o: media/id3.c media/id3.h
media/id3.h:
