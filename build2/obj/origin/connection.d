build2/obj/origin/connection.o: origin/connection.c origin/connection.h \
 base/clock.h origin/limits.h origin/request.h origin/entity.h \
 origin/http.h origin/problem.h origin/routes.h origin/target.h \
 rewind/layout.h origin/worker.h origin/cache.h origin/counters.h \
 origin/listen.h origin/retained.h origin/server.h origin/catalogue.h \
 origin/schedule.h rewind/programmes.h
origin/connection.h:
base/clock.h:
origin/limits.h:
origin/request.h:
origin/entity.h:
origin/http.h:
origin/problem.h:
origin/routes.h:
origin/target.h:
rewind/layout.h:
origin/worker.h:
origin/cache.h:
origin/counters.h:
origin/listen.h:
origin/retained.h:
origin/server.h:
origin/catalogue.h:
origin/schedule.h:
rewind/programmes.h:
