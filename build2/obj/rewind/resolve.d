build2/obj/rewind/resolve.o: rewind/resolve.c rewind/resolve.h \
 base/clock.h rewind/instant.h rewind/zone.h rewind/programmes.h \
 base/log.h base/text.h rewind/layout.h
rewind/resolve.h:
base/clock.h:
rewind/instant.h:
rewind/zone.h:
rewind/programmes.h:
base/log.h:
base/text.h:
rewind/layout.h:
