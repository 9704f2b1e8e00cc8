build2/obj/origin/settings.o: origin/settings.c origin/settings.h \
 base/clock.h rewind/settings.h base/config.h base/text.h origin/listen.h
origin/settings.h:
base/clock.h:
rewind/settings.h:
base/config.h:
base/text.h:
origin/listen.h:
