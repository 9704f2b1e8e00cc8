build2/obj/rewind/programmes_ical.o: rewind/programmes_ical.c \
 rewind/programmes.h base/clock.h base/text.h rewind/zone.h
rewind/programmes.h:
base/clock.h:
base/text.h:
rewind/zone.h:
