build2/obj/base/file.o: base/file.c base/file.h base/clock.h base/text.h
base/file.h:
base/clock.h:
base/text.h:
