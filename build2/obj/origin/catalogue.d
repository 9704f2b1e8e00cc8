build2/obj/origin/catalogue.o: origin/catalogue.c origin/catalogue.h \
 origin/settings.h base/clock.h rewind/settings.h base/config.h \
 rewind/zone.h
origin/catalogue.h:
origin/settings.h:
base/clock.h:
rewind/settings.h:
base/config.h:
rewind/zone.h:
