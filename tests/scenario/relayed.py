#!/usr/bin/env python3
"""Encoder > publisher > relays > segmenter > store, with real processes: not a frame lost as long as one copy arrived."""
import os
import signal
import subprocess
import time

from exchanging import (OTHER_KEY, SENT, Lossy, Relay, cutter, cutter_ini, entries_of, faults, frames_heard, key_file, publisher,
                        segments_of, start, stored, tree)
from failing import AAC, BUILD, T, Encoder, finish, later, main, metric, ok, until, verify, write

AWAY = 50 if os.environ.get("SOAK") else 20  # seconds that a segmenter is not there
SEED = int(os.environ.get("SEED", "4"))


def two_relays(folder, more_a="", more_b=""):
    """One fed by UDP, the other by HTTP, and what a subscriber says for both."""
    a, b = Relay(folder, "relay-a", more_a), Relay(folder, "relay-b", more_b)
    to = f"udp://127.0.0.1:{a.udp} http://127.0.0.1:{b.http}"
    return a, b, to, f"http://127.0.0.1:{a.http} http://127.0.0.1:{b.http}"


def judge(store, name, *programs):
    wrong = faults(store) or ([v] if (v := verify(store)) else [])
    ok(not wrong, name, *wrong, *(p.tail() for p in programs))


def test_one_way(folder):
    """Through one relay, in by UDP and out by HTTP: the segments hold exactly the frames sent"""
    relay = Relay(folder, "relay")
    p = publisher(folder, "publisher", f"udp://127.0.0.1:{relay.udp}")
    store = os.path.join(folder, "store")
    s = cutter(folder, "cutter", store, f"http://127.0.0.1:{relay.http}")
    encoder = Encoder(p.ports["icecast"])
    stored(store, 4)
    encoder.stop()
    judge(store, test_one_way.__doc__, p, relay.program, s)
    ok(metric(p, "publish_frames_total") > 200 and metric(p, "publish_up") == 1 and
       metric(s, "subscribe_up") == 1 and metric(s, "subscribe_frames_total") > 200 and
       metric(s, "subscribe_lost_total") == 0, "... and the counters say so")


def test_relays_die(folder):
    """Two relays, each killed and restarted in turn: not a frame is lost"""
    a, b, to, come_from = two_relays(folder)
    p = publisher(folder, "publisher", to)
    store = os.path.join(folder, "store")
    s = cutter(folder, "cutter", store, come_from)
    encoder = Encoder(p.ports["icecast"])
    for relay in (a, b):
        since, before = s.mark(), len(stored(store, 1))
        relay.kill()
        s.wait(r"relay left", since)
        stored(store, before + 2)
        since = s.mark()
        relay.start()
        s.wait(r"relay came", since, 60)
        stored(store, len(entries_of(store)) + 1)
    p.wait(r"relay left")  # the publisher's own upload to the second
    encoder.stop()
    judge(store, test_relays_die.__doc__, p, s)
    ok(metric(s, "subscribe_disconnects_total") == 2 and metric(s, "subscribe_connects_total") == 4 and
       metric(p, "publish_refused_packets_total") > 0, "... and each is counted")


def test_segmenter_away(folder):
    """A segmenter is killed and comes back: relays have what it missed, with SRTP, and nothing is missing"""
    a, b, to, come_from = two_relays(folder)
    key = f"key_file = {key_file(folder)}\n"
    p = publisher(folder, "publisher", to, more=key)
    store = os.path.join(folder, "store")
    s = cutter(folder, "cutter", store, come_from, more=key)
    encoder = Encoder(p.ports["icecast"])
    stored(store, 2)
    s.end(signal.SIGKILL)
    time.sleep(AWAY)  # the absence is the test
    had = len(entries_of(store))
    s = cutter(folder, "cutter", store, come_from, more=key)
    s.wait("history has come")
    stored(store, had + AWAY // T + 2)
    encoder.stop()
    judge(store, test_segmenter_away.__doc__, p, s)
    ok(metric(s, "subscribe_frames_total") > (AWAY - 5) * 43, "... it came from the relays' history")


def test_long_run(folder):
    """The same with a run of 200,000 packets, beyond all that RTP's own numbers and SRTP's window can tell"""
    relay = Relay(folder, "relay")
    path = key_file(folder)
    sender = subprocess.Popen([os.path.join(BUILD, "tools", "longrun"), AAC, f"127.0.0.1:{relay.udp}", "196000", path],
                              stdin=subprocess.DEVNULL)
    later(lambda: (sender.kill(), sender.wait()))
    store = os.path.join(folder, "store")
    how = {"come_from": f"http://127.0.0.1:{relay.http}", "more": f"key_file = {path}\n"}
    s = cutter(folder, "cutter", store, **how)
    stored(store, 2)
    s.end(signal.SIGKILL)
    time.sleep(AWAY)  # the absence is the test
    had = len(entries_of(store))
    s = cutter(folder, "cutter", store, **how)
    s.wait("history has come")
    stored(store, had + AWAY // T + 2)
    judge(store, test_long_run.__doc__, s)


def test_wrong_key(folder):
    """With a wrong key, or none, nothing comes, and it is said and counted"""
    relay = Relay(folder, "relay")
    p = publisher(folder, "publisher", f"udp://127.0.0.1:{relay.udp}", more=f"key_file = {key_file(folder)}\n")
    come_from = f"http://127.0.0.1:{relay.http}"
    wrong = cutter(folder, "wrong", os.path.join(folder, "store-wrong"), come_from,
                   more=f"key_file = {key_file(folder, 'other.key', OTHER_KEY)}\n")
    none = cutter(folder, "none", os.path.join(folder, "store-none"), come_from)
    clear = publisher(folder, "clear", f"udp://127.0.0.1:{relay.udp}", inputs=[("s/a", "backup", "/b")])
    encoder, other = Encoder(p.ports["icecast"]), Encoder(clear.ports["icecast"], mount="/b")
    wrong.wait("packets are not taken")
    none.wait("packets are not taken")
    until("packets counted", lambda: metric(wrong, "subscribe_forged_total") > 4 and metric(none, "subscribe_no_key_total") > 50
          and metric(wrong, "subscribe_in_clear_total") > 50)
    encoder.stop()
    other.stop()
    ok(metric(wrong, "subscribe_frames_total") == 0 and not entries_of(os.path.join(folder, "store-wrong")),
       test_wrong_key.__doc__, wrong.tail(), none.tail())
    ok(len(wrong.said("packets are not taken")) <= 3, "... once, not for every packet", wrong.tail())


def test_two_alike(folder):
    """Two segmenters on the same relays write byte-identical trees"""
    a, b, to, come_from = two_relays(folder)
    p = publisher(folder, "publisher", to)
    stores = [os.path.join(folder, f"store-{n}") for n in "12"]
    # T = 4: patience is 1.5 s, in which the second run's first second is judged and comes
    both = [cutter(folder, f"cutter-{n}", store, come_from, T=4) for n, store in zip("12", stores)]
    encoder = Encoder(p.ports["icecast"])
    stored(stores[0], 2)
    # another run, and one of the relays gone for one of them
    encoder.stop()
    a.kill()
    encoder = Encoder(p.ports["icecast"], first=encoder.next)
    for store in stores:
        stored(store, 6, seconds=60)
    encoder.stop()
    codes = [each.end() for each in (*both, p)]
    ok(codes == [0, 0, 0], "... and all end well", codes, *(s.tail() for s in both))
    one, two = map(tree, stores)
    apart = [k for k in sorted(one.keys() & two.keys()) if not (one[k].startswith(two[k]) or two[k].startswith(one[k]))]
    apart += [k for k in sorted(one.keys() & two.keys()) if k.endswith(".ts") and one[k] != two[k]]
    alone = sorted(one.keys() ^ two.keys())
    ok(not apart and len(alone) <= 1 and len(one) >= 7, test_two_alike.__doc__, apart, alone, *(s.tail() for s in both))


def test_direct_alike(folder):
    """A segmenter with an input of its own, which it publishes, and one that has it over RTP write the same segments"""
    relay = Relay(folder, "relay")
    stores = [os.path.join(folder, n) for n in ("direct", "relayed")]
    ini = cutter_ini(stores[0], "x", inputs="[input s/a main]\ntype = icecast-source\nmount = /a\npassword = hackme\n"
                                            "[icecast-listener]\nlisten = 127.0.0.1:0\n")
    direct = start(folder, "direct", ini.replace("[subscribe]\nfrom = x", f"[publish]\nto = udp://127.0.0.1:{relay.udp}"))
    s = cutter(folder, "cutter", stores[1], f"http://127.0.0.1:{relay.http}")
    encoder = Encoder(direct.ports["icecast"])
    for store in stores:
        stored(store, 4)
    encoder.stop()
    judge(stores[1], "... which are the frames sent", direct, s)
    one, two = map(segments_of, stores)
    common = sorted(one.keys() & two.keys())
    ok(len(common) >= 4 and all(one[k] == two[k] for k in common), test_direct_alike.__doc__,
       [k for k in common if one[k] != two[k]])


def sequence(packet):
    return packet[2] << 8 | packet[3]


class Lost:
    """Drops the n-th packet of a stream by its sequence number, the same one wherever it passes."""

    def __init__(self, number):
        self.number, self.first = number, None

    def __call__(self, packet):
        if self.first is None:
            self.first = sequence(packet)
        return (sequence(packet) - self.first) & 0xFFFF == self.number


def test_loss(folder):
    """Packets lost at random on one path are not missed; one that is lost on both is one filled slot, and counted"""
    a, b = Relay(folder, "relay-a"), Relay(folder, "relay-b")
    lossy, other = Lossy(a.udp, 0.2, SEED), Lossy(b.udp, 0, SEED)
    lost = Lost(400)
    for proxy in (lossy, other):
        later(proxy.stop)
    other.drop = lost
    at_random = lossy.drop
    lossy.drop = lambda packet: lost(packet) or at_random(packet)
    p = publisher(folder, "publisher", f"udp://127.0.0.1:{lossy.port} udp://127.0.0.1:{other.port}")
    store = os.path.join(folder, "store")
    s = cutter(folder, "cutter", store, f"http://127.0.0.1:{a.http} http://127.0.0.1:{b.http}")
    encoder = Encoder(p.ports["icecast"])
    stored(store, 7)
    encoder.stop()
    heard = frames_heard(store)
    filled = sum(int(e.facts.get("fill", "0")) for e in entries_of(store))
    gaps = [e.msn for e in entries_of(store) if e.gap]
    first = SENT.index(heard[0])
    want = [SENT[(first + i) % len(SENT)] for i in range(len(heard))]
    wrong = [i for i, (x, y) in enumerate(zip(heard, want)) if x != y]
    ok(filled == 1 and len(wrong) == 1 and not gaps and lossy.dropped > 50, test_loss.__doc__,
       f"seed {SEED}: filled {filled}, wrong at {wrong[:5]}, dropped {lossy.dropped}", s.tail())
    ok(metric(s, "subscribe_lost_total") >= lossy.dropped - 20 and metric(s, "output_bridged_slots_total") +
       metric(s, "output_fill_frames_total") >= 1, "... and counted")


def test_key_missing(folder):
    """A key that cannot be read ends the start with a reason"""
    ini = f"[publish]\nto = udp://127.0.0.1:9\nkey_file = {folder}/none.key\n[input s/a main]\ntype = stdin\n"
    code, _, err = finish("segmenter", "-c", write(folder, "x.ini", ini))
    ok(code == 1 and "[publish] key_file" in err and "No such file" in err, test_key_missing.__doc__, err)


if __name__ == "__main__":
    main(test_one_way, test_relays_die, test_segmenter_away, test_long_run, test_wrong_key, test_key_missing, test_two_alike,
         test_direct_alike, test_loss, at_once=True)
