build2/obj/media/framer.o: media/framer.c media/framer.h media/format.h \
 media/adts.h media/id3.h media/mpa.h
media/framer.h:
media/format.h:
media/adts.h:
media/id3.h:
media/mpa.h:
