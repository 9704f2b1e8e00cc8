build2/obj/origin/timed.o: origin/timed.c origin/timed.h origin/target.h \
 rewind/resolve.h base/clock.h rewind/instant.h rewind/zone.h \
 rewind/programmes.h base/text.h origin/gzip.h origin/hours.h \
 origin/piece.h origin/entity.h origin/http.h rewind/hour.h \
 media/format.h media/segment.h media/ticks.h rewind/layout.h \
 rewind/list.h rewind/span.h origin/playlist.h origin/request.h \
 origin/problem.h origin/routes.h origin/stored.h origin/cache.h \
 origin/worker.h origin/counters.h origin/listen.h origin/retained.h \
 origin/server.h origin/catalogue.h origin/limits.h origin/schedule.h
origin/timed.h:
origin/target.h:
rewind/resolve.h:
base/clock.h:
rewind/instant.h:
rewind/zone.h:
rewind/programmes.h:
base/text.h:
origin/gzip.h:
origin/hours.h:
origin/piece.h:
origin/entity.h:
origin/http.h:
rewind/hour.h:
media/format.h:
media/segment.h:
media/ticks.h:
rewind/layout.h:
rewind/list.h:
rewind/span.h:
origin/playlist.h:
origin/request.h:
origin/problem.h:
origin/routes.h:
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
