build2/obj/rewind/export_list.o: rewind/export_list.c \
 rewind/export_list.h rewind/hour.h base/clock.h media/format.h \
 media/segment.h media/ticks.h rewind/layout.h base/text.h rewind/list.h
rewind/export_list.h:
rewind/hour.h:
base/clock.h:
media/format.h:
media/segment.h:
media/ticks.h:
rewind/layout.h:
base/text.h:
rewind/list.h:
