build2/obj/media/ts_read.o: media/ts_read.c media/ts_read.h media/ticks.h \
 base/cursor.h media/psi.h media/ts.h
media/ts_read.h:
media/ticks.h:
base/cursor.h:
media/psi.h:
media/ts.h:
