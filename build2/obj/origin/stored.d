build2/obj/origin/stored.o: origin/stored.c origin/stored.h \
 origin/cache.h base/clock.h origin/entity.h origin/http.h \
 rewind/layout.h base/file.h base/log.h origin/piece.h rewind/hour.h \
 media/format.h media/segment.h media/ticks.h rewind/list.h \
 origin/sniff.h origin/worker.h origin/counters.h origin/routes.h \
 origin/target.h origin/listen.h origin/retained.h origin/server.h \
 origin/catalogue.h origin/limits.h origin/schedule.h rewind/programmes.h
origin/stored.h:
origin/cache.h:
base/clock.h:
origin/entity.h:
origin/http.h:
rewind/layout.h:
base/file.h:
base/log.h:
origin/piece.h:
rewind/hour.h:
media/format.h:
media/segment.h:
media/ticks.h:
rewind/list.h:
origin/sniff.h:
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
rewind/programmes.h:
