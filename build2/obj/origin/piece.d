build2/obj/origin/piece.o: origin/piece.c origin/piece.h origin/entity.h \
 base/clock.h origin/http.h rewind/hour.h media/format.h media/segment.h \
 media/ticks.h rewind/layout.h rewind/list.h base/text.h origin/gzip.h
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
base/text.h:
origin/gzip.h:
