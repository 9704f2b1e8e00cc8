build2/obj/media/psi.o: media/psi.c media/psi.h media/ts.h media/ticks.h \
 base/log.h
media/psi.h:
media/ts.h:
media/ticks.h:
base/log.h:
