build2/obj/origin/limits.o: origin/limits.c origin/limits.h base/log.h
origin/limits.h:
base/log.h:
