build2/obj/rewind/store_window.o: rewind/store_window.c \
 rewind/store_window.h rewind/hour.h base/clock.h media/format.h \
 media/segment.h media/ticks.h rewind/layout.h
rewind/store_window.h:
rewind/hour.h:
base/clock.h:
media/format.h:
media/segment.h:
media/ticks.h:
rewind/layout.h:
