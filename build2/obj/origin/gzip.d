build2/obj/origin/gzip.o: origin/gzip.c origin/gzip.h base/log.h \
 base/text.h origin/entity.h base/clock.h origin/http.h
origin/gzip.h:
base/log.h:
base/text.h:
origin/entity.h:
base/clock.h:
origin/http.h:
