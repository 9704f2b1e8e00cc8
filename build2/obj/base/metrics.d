build2/obj/base/metrics.o: base/metrics.c base/metrics.h base/text.h
base/metrics.h:
base/text.h:
