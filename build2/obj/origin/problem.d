build2/obj/origin/problem.o: origin/problem.c origin/problem.h \
 base/text.h origin/http.h
origin/problem.h:
base/text.h:
origin/http.h:
