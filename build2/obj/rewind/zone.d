build2/obj/rewind/zone.o: rewind/zone.c rewind/zone.h base/cursor.h \
 base/file.h base/clock.h base/log.h base/text.h
rewind/zone.h:
base/cursor.h:
base/file.h:
base/clock.h:
base/log.h:
base/text.h:
