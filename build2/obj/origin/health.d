build2/obj/origin/health.o: origin/health.c base/text.h origin/handlers.h \
 origin/playlist.h base/clock.h origin/request.h origin/entity.h \
 origin/http.h origin/problem.h origin/routes.h origin/target.h \
 rewind/layout.h origin/worker.h origin/cache.h origin/counters.h \
 origin/listen.h origin/retained.h origin/server.h origin/catalogue.h \
 origin/limits.h origin/schedule.h rewind/programmes.h
base/text.h:
origin/handlers.h:
origin/playlist.h:
base/clock.h:
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
origin/limits.h:
origin/schedule.h:
rewind/programmes.h:
