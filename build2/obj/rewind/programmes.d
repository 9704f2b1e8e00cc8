build2/obj/rewind/programmes.o: rewind/programmes.c rewind/programmes.h \
 base/clock.h
rewind/programmes.h:
base/clock.h:
