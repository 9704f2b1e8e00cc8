build2/obj/origin/listen.o: origin/listen.c origin/listen.h base/text.h
origin/listen.h:
base/text.h:
