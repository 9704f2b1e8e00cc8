build2/obj/origin/worker.o: origin/worker.c origin/worker.h base/clock.h \
 origin/cache.h origin/entity.h origin/http.h origin/counters.h \
 origin/routes.h origin/target.h rewind/layout.h origin/listen.h \
 origin/retained.h origin/server.h origin/catalogue.h origin/limits.h \
 origin/schedule.h rewind/programmes.h base/log.h origin/connection.h \
 origin/sniff.h
origin/worker.h:
base/clock.h:
origin/cache.h:
origin/entity.h:
origin/http.h:
origin/counters.h:
origin/routes.h:
origin/target.h:
rewind/layout.h:
origin/listen.h:
origin/retained.h:
origin/server.h:
origin/catalogue.h:
origin/limits.h:
origin/schedule.h:
rewind/programmes.h:
base/log.h:
origin/connection.h:
origin/sniff.h:
