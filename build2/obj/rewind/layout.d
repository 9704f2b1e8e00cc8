build2/obj/rewind/layout.o: rewind/layout.c rewind/layout.h base/clock.h
rewind/layout.h:
base/clock.h:
