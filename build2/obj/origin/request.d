build2/obj/origin/request.o: origin/request.c origin/request.h \
 origin/entity.h base/clock.h origin/http.h origin/problem.h \
 origin/routes.h origin/target.h rewind/layout.h base/log.h base/text.h \
 origin/settings.h rewind/settings.h base/config.h origin/worker.h \
 origin/cache.h origin/counters.h origin/listen.h origin/retained.h \
 origin/server.h origin/catalogue.h origin/limits.h origin/schedule.h \
 rewind/programmes.h
origin/request.h:
origin/entity.h:
base/clock.h:
origin/http.h:
origin/problem.h:
origin/routes.h:
origin/target.h:
rewind/layout.h:
base/log.h:
base/text.h:
origin/settings.h:
rewind/settings.h:
base/config.h:
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
