build2/obj/origin/retained.o: origin/retained.c origin/retained.h \
 base/clock.h origin/cache.h origin/entity.h origin/http.h base/file.h \
 base/text.h origin/availability.h origin/playlist.h origin/worker.h \
 origin/counters.h origin/routes.h origin/target.h rewind/layout.h \
 origin/listen.h origin/server.h origin/catalogue.h origin/limits.h \
 origin/schedule.h rewind/programmes.h rewind/store.h media/format.h \
 media/segment.h media/ticks.h rewind/list.h rewind/hour.h
origin/retained.h:
base/clock.h:
origin/cache.h:
origin/entity.h:
origin/http.h:
base/file.h:
base/text.h:
origin/availability.h:
origin/playlist.h:
origin/worker.h:
origin/counters.h:
origin/routes.h:
origin/target.h:
rewind/layout.h:
origin/listen.h:
origin/server.h:
origin/catalogue.h:
origin/limits.h:
origin/schedule.h:
rewind/programmes.h:
rewind/store.h:
media/format.h:
media/segment.h:
media/ticks.h:
rewind/list.h:
rewind/hour.h:
