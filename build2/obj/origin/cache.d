build2/obj/origin/cache.o: origin/cache.c origin/cache.h base/clock.h \
 origin/entity.h origin/http.h origin/piece.h rewind/hour.h \
 media/format.h media/segment.h media/ticks.h rewind/layout.h \
 rewind/list.h
origin/cache.h:
base/clock.h:
origin/entity.h:
origin/http.h:
origin/piece.h:
rewind/hour.h:
media/format.h:
media/segment.h:
media/ticks.h:
rewind/layout.h:
rewind/list.h:
