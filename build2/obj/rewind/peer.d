build2/obj/rewind/peer.o: rewind/peer.c rewind/peer.h base/clock.h \
 base/text.h
rewind/peer.h:
base/clock.h:
base/text.h:
