#!/usr/bin/env python3
"""Encoder > publisher > relays > segmenter > store, with real processes: not a frame lost as long as one copy arrived."""
import os

from exchanging import Relay, cutter, faults, publisher, stored
from failing import Encoder, main, metric, ok


def test_one_way(folder):
    """Through one relay, in by UDP and out by HTTP: the segments hold exactly the frames sent"""
    relay = Relay(folder, "relay")
    p = publisher(folder, "publisher", f"udp://127.0.0.1:{relay.udp}")
    store = os.path.join(folder, "store")
    s = cutter(folder, "cutter", store, f"http://127.0.0.1:{relay.http}")
    encoder = Encoder(p.ports["icecast"])
    stored(store, 4)
    encoder.stop()
    wrong = faults(store)
    ok(not wrong, test_one_way.__doc__, *wrong, p.tail(), relay.program.tail(), s.tail())
    ok(metric(p, "publish_frames_total") > 200 and metric(p, "publish_up") == 1 and
       metric(s, "subscribe_up") == 1 and metric(s, "subscribe_frames_total") > 200 and
       metric(s, "subscribe_lost_total") == 0, "... and the counters say so")


if __name__ == "__main__":
    main(test_one_way)
