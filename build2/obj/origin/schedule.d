build2/obj/origin/schedule.o: origin/schedule.c origin/schedule.h \
 base/clock.h rewind/programmes.h base/file.h base/log.h base/text.h \
 origin/cache.h origin/entity.h origin/http.h rewind/settings.h \
 base/config.h
origin/schedule.h:
base/clock.h:
rewind/programmes.h:
base/file.h:
base/log.h:
base/text.h:
origin/cache.h:
origin/entity.h:
origin/http.h:
rewind/settings.h:
base/config.h:
