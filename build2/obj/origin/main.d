build2/obj/origin/main.o: origin/main.c base/log.h base/text.h \
 origin/server.h base/clock.h origin/catalogue.h origin/limits.h \
 origin/listen.h origin/schedule.h rewind/programmes.h origin/settings.h \
 rewind/settings.h base/config.h
base/log.h:
base/text.h:
origin/server.h:
base/clock.h:
origin/catalogue.h:
origin/limits.h:
origin/listen.h:
origin/schedule.h:
rewind/programmes.h:
origin/settings.h:
rewind/settings.h:
base/config.h:
