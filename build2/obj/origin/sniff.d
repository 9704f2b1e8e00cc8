build2/obj/origin/sniff.o: origin/sniff.c origin/sniff.h base/log.h
origin/sniff.h:
base/log.h:
