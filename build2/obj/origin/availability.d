build2/obj/origin/availability.o: origin/availability.c \
 origin/availability.h origin/cache.h base/clock.h origin/entity.h \
 origin/http.h base/file.h base/text.h origin/handlers.h origin/piece.h \
 rewind/hour.h media/format.h media/segment.h media/ticks.h \
 rewind/layout.h rewind/list.h origin/request.h origin/problem.h \
 origin/routes.h origin/target.h origin/retained.h origin/stored.h \
 origin/worker.h origin/counters.h origin/listen.h origin/server.h \
 origin/catalogue.h origin/limits.h origin/schedule.h rewind/programmes.h \
 rewind/store.h
origin/availability.h:
origin/cache.h:
base/clock.h:
origin/entity.h:
origin/http.h:
base/file.h:
base/text.h:
origin/handlers.h:
origin/piece.h:
rewind/hour.h:
media/format.h:
media/segment.h:
media/ticks.h:
rewind/layout.h:
rewind/list.h:
origin/request.h:
origin/problem.h:
origin/routes.h:
origin/target.h:
origin/retained.h:
origin/stored.h:
origin/worker.h:
origin/counters.h:
origin/listen.h:
origin/server.h:
origin/catalogue.h:
origin/limits.h:
origin/schedule.h:
rewind/programmes.h:
rewind/store.h:
