build2/obj/rewind/export.o: rewind/export.c rewind/export.h base/clock.h \
 rewind/inventory.h media/format.h rewind/zone.h base/file.h base/text.h \
 rewind/excerpt.h rewind/hour.h media/segment.h media/ticks.h \
 rewind/layout.h rewind/export_list.h
rewind/export.h:
base/clock.h:
rewind/inventory.h:
media/format.h:
rewind/zone.h:
base/file.h:
base/text.h:
rewind/excerpt.h:
rewind/hour.h:
media/segment.h:
media/ticks.h:
rewind/layout.h:
rewind/export_list.h:
