build2/obj/origin/counters.o: origin/counters.c origin/counters.h \
 origin/routes.h base/clock.h origin/target.h rewind/layout.h \
 base/metrics.h base/text.h origin/handlers.h origin/playlist.h \
 origin/request.h origin/entity.h origin/http.h origin/problem.h \
 origin/worker.h origin/cache.h origin/listen.h origin/retained.h \
 origin/server.h origin/catalogue.h origin/limits.h origin/schedule.h \
 rewind/programmes.h
origin/counters.h:
origin/routes.h:
base/clock.h:
origin/target.h:
rewind/layout.h:
base/metrics.h:
base/text.h:
origin/handlers.h:
origin/playlist.h:
origin/request.h:
origin/entity.h:
origin/http.h:
origin/problem.h:
origin/worker.h:
origin/cache.h:
origin/listen.h:
origin/retained.h:
origin/server.h:
origin/catalogue.h:
origin/limits.h:
origin/schedule.h:
rewind/programmes.h:
