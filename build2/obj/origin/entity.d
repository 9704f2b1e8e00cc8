build2/obj/origin/entity.o: origin/entity.c origin/entity.h base/clock.h \
 origin/http.h base/text.h origin/gzip.h
origin/entity.h:
base/clock.h:
origin/http.h:
base/text.h:
origin/gzip.h:
