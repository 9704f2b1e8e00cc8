build2/obj/rewind/instant.o: rewind/instant.c rewind/instant.h \
 base/clock.h rewind/zone.h
rewind/instant.h:
base/clock.h:
rewind/zone.h:
