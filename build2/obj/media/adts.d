build2/obj/media/adts.o: media/adts.c media/adts.h media/format.h
media/adts.h:
media/format.h:
