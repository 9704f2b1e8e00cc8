build2/obj/origin/server.o: origin/server.c origin/server.h base/clock.h \
 origin/catalogue.h origin/limits.h origin/listen.h origin/schedule.h \
 rewind/programmes.h base/file.h base/log.h base/text.h origin/settings.h \
 rewind/settings.h base/config.h origin/worker.h origin/cache.h \
 origin/entity.h origin/http.h origin/counters.h origin/routes.h \
 origin/target.h rewind/layout.h origin/retained.h
origin/server.h:
base/clock.h:
origin/catalogue.h:
origin/limits.h:
origin/listen.h:
origin/schedule.h:
rewind/programmes.h:
base/file.h:
base/log.h:
base/text.h:
origin/settings.h:
rewind/settings.h:
base/config.h:
origin/worker.h:
origin/cache.h:
origin/entity.h:
origin/http.h:
origin/counters.h:
origin/routes.h:
origin/target.h:
rewind/layout.h:
origin/retained.h:
