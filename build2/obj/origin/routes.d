build2/obj/origin/routes.o: origin/routes.c origin/routes.h base/clock.h \
 origin/target.h rewind/layout.h base/log.h origin/handlers.h
origin/routes.h:
base/clock.h:
origin/target.h:
rewind/layout.h:
base/log.h:
origin/handlers.h:
