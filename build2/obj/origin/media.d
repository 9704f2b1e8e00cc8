build2/obj/origin/media.o: origin/media.c origin/handlers.h \
 origin/request.h origin/entity.h base/clock.h origin/http.h \
 origin/problem.h origin/routes.h origin/target.h rewind/layout.h \
 origin/stored.h origin/cache.h origin/worker.h origin/counters.h \
 origin/listen.h origin/retained.h origin/server.h origin/catalogue.h \
 origin/limits.h origin/schedule.h rewind/programmes.h
origin/handlers.h:
origin/request.h:
origin/entity.h:
base/clock.h:
origin/http.h:
origin/problem.h:
origin/routes.h:
origin/target.h:
rewind/layout.h:
origin/stored.h:
origin/cache.h:
origin/worker.h:
origin/counters.h:
origin/listen.h:
origin/retained.h:
origin/server.h:
origin/catalogue.h:
origin/limits.h:
origin/schedule.h:
rewind/programmes.h:
