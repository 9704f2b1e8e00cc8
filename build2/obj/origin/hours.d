build2/obj/origin/hours.o: origin/hours.c origin/hours.h origin/piece.h \
 origin/entity.h base/clock.h origin/http.h rewind/hour.h media/format.h \
 media/segment.h media/ticks.h rewind/layout.h rewind/list.h \
 rewind/resolve.h rewind/instant.h rewind/zone.h rewind/programmes.h \
 rewind/span.h base/log.h origin/stored.h origin/cache.h origin/worker.h \
 origin/counters.h origin/routes.h origin/target.h origin/listen.h \
 origin/retained.h origin/server.h origin/catalogue.h origin/limits.h \
 origin/schedule.h
origin/hours.h:
origin/piece.h:
origin/entity.h:
base/clock.h:
origin/http.h:
rewind/hour.h:
media/format.h:
media/segment.h:
media/ticks.h:
rewind/layout.h:
rewind/list.h:
rewind/resolve.h:
rewind/instant.h:
rewind/zone.h:
rewind/programmes.h:
rewind/span.h:
base/log.h:
origin/stored.h:
origin/cache.h:
origin/worker.h:
origin/counters.h:
origin/routes.h:
origin/target.h:
origin/listen.h:
origin/retained.h:
origin/server.h:
origin/catalogue.h:
origin/limits.h:
origin/schedule.h:
