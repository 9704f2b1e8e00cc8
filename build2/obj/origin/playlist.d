build2/obj/origin/playlist.o: origin/playlist.c origin/playlist.h \
 base/clock.h origin/handlers.h origin/request.h origin/entity.h \
 origin/http.h origin/problem.h origin/routes.h origin/target.h \
 rewind/layout.h origin/stored.h origin/cache.h origin/timed.h \
 rewind/resolve.h rewind/instant.h rewind/zone.h rewind/programmes.h \
 origin/worker.h origin/counters.h origin/listen.h origin/retained.h \
 origin/server.h origin/catalogue.h origin/limits.h origin/schedule.h
origin/playlist.h:
base/clock.h:
origin/handlers.h:
origin/request.h:
origin/entity.h:
origin/http.h:
origin/problem.h:
origin/routes.h:
origin/target.h:
rewind/layout.h:
origin/stored.h:
origin/cache.h:
origin/timed.h:
rewind/resolve.h:
rewind/instant.h:
rewind/zone.h:
rewind/programmes.h:
origin/worker.h:
origin/counters.h:
origin/listen.h:
origin/retained.h:
origin/server.h:
origin/catalogue.h:
origin/limits.h:
origin/schedule.h:
