build2/obj/origin/http.o: origin/http.c origin/http.h
origin/http.h:
