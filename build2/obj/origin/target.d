build2/obj/origin/target.o: origin/target.c origin/target.h
origin/target.h:
