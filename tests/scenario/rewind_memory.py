#!/usr/bin/env python3
"""Two weeks of three renditions, and listeners who ask for any moment of them: what an origin remembers stays within its
`memory` setting, whatever is asked, and does not grow. Prints TAP."""
import gzip
import http.client
import os
import random
import re
import shutil
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "tools"))
import mkstore  # noqa: E402
from hindcast import List  # noqa: E402
from originate import Origin, main, ok, same  # noqa: E402

T, HOUR = 6, 3600
HOURS, NAMES = 14 * 24, ("hi", "mid", "lo")
MEMORY = 16 << 20
# A list of a day, its hours and its text in the making, and the program itself
BESIDE = 32 << 20
SLACK = 4 << 20


def canon(t):
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(t))


def lay(store):
    """The hours of the first rendition, which are those of the others too."""
    H = int(time.time()) // HOUR
    for name in NAMES:
        r = mkstore.Rendition(store, "fip", name, T, 300)
        for hour in range(H - HOURS + 1, H + 1):
            path = r.hour_path(hour)
            if name != NAMES[0]:
                first = path.replace("/%s/" % name, "/%s/" % NAMES[0])
                shutil.copy(first if hour < H else first + ".part", path if hour < H else path + ".part")
                continue
            for t in range(hour * HOUR, min((hour + 1) * HOUR, int(time.time()) // T * T), T):
                r.segment(t, gap=t % 7200 == 1800, file=False)
            r.write_hour(hour, part=hour == H)
        if name == NAMES[0]:
            live = r.write_live()
        else:
            mkstore.replace(os.path.join(r.folder, "index.m3u8"), live)
    mkstore.write_multivariant(store, "fip", NAMES)
    return (H - HOURS + 2) * HOUR


def resident(o):
    """Bytes, and their highest mark."""
    with open("/proc/%d/status" % o.process.pid, encoding="ascii") as f:
        text = f.read()
    return [int(re.search(r"%s:\s+(\d+) kB" % x, text)[1]) << 10 for x in ("VmRSS", "VmHWM")]


class Listener:
    def __init__(self, port):
        self.c = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self, path, zipped=False):
        self.c.request("GET", path, headers={"Accept-Encoding": "gzip"} if zipped else {"Accept-Encoding": "identity"})
        a = self.c.getresponse()
        return a.status, a.read()


def moments(x, oldest, chance, n):
    """n listeners who go back to any moment: multivariant, and a media playlist as text or gzip."""
    wrong = []
    for _ in range(n):
        t = chance.randrange(oldest, int(time.time()) - 120)
        if chance.random() < 0.5:
            q = "from=%s" % canon(t // T * T)
        else:
            q = "from=%s&to=%s" % (canon(t // T * T), canon(min(t // T * T + chance.randrange(60, 86400) // T * T, int(time.time()) // T * T + 600)))
        path = "/fip/%s/index.m3u8?%s" % (chance.choice(NAMES), q)
        if chance.random() < 0.1:
            status, body = x.ask("/fip/index.m3u8?" + q)
            wrong += [] if status == 200 and body.count(b"?" + q.encode()) == 3 else [(status, q)]
        zipped = chance.random() < 0.5
        status, body = x.ask(path, zipped)
        text = (gzip.decompress(body) if zipped and status == 200 else body).decode()
        entries = List(text).entries if status == 200 else []
        wrong += [] if entries and (entries[0].msn * T - t) <= T else [(status, path, text[:100])]
    return wrong


def hostile(x, chance, n):
    """n different queries of somebody who means no good. Returns the statuses."""
    now, statuses = int(time.time()), {}
    for i in range(n):
        kind = i % 10
        q = ("from=%x" % chance.getrandbits(64), "from=%d" % (now - chance.randrange(15, 400) * 86400 - i), "x%d=1" % i, "from=%d" % (now + 600 + i),
             "delay=%d" % chance.randrange(10**9), "from=" + "%2B" * 60 + str(i), "to=%d" % i, "from=%d&duration=%d" % (now - i - 600, 300),
             "token%d=%s" % (i, "y" * 1000), "from=-%ds&_HLS_skip=%d&_HLS_x%d=1" % (i * 60 + 700, i, i) + "&duration=60")[kind]
        path = "/fip/index.m3u8?" if i % 20 < 10 else "/fip/hi/index.m3u8?"
        status, _ = x.ask(path + q)
        statuses[status] = statuses.get(status, 0) + 1
    return statuses


def perform(folder):
    store, chance = os.path.join(folder, "store"), random.Random(7)
    oldest = lay(store)
    ini = os.path.join(folder, "a.ini")
    with open(ini, "w", encoding="ascii") as f:
        f.write("[store]\npath = %s\nsync = none\n[station fip]\nrenditions = %s\n" % (store, " ".join(NAMES)))
        f.write("".join("[rendition fip/%s]\n" % x for x in NAMES))
        f.write("[origin]\nlisten = 127.0.0.1:0\nthreads = 1\nstale = serve\nmemory = %d\n" % MEMORY)
    o = Origin(ini)
    x = Listener(o.port)
    wrong = moments(x, oldest, chance, 120)
    warm, _ = resident(o)
    seen = []
    for _ in range(4):
        wrong += moments(x, oldest, chance, 60)
        seen.append(resident(o)[0])
    ok(not wrong, "any moment of two weeks is answered", wrong[:3])
    high = resident(o)[1]
    print("# warm %.1f MB, then %s, at most %.1f" % (warm / 1e6, ["%.1f" % (s / 1e6) for s in seen], high / 1e6))
    ok(high <= MEMORY + BESIDE, "memory = %d M: no more than that and %d M resident" % (MEMORY >> 20, BESIDE >> 20), high)
    ok(max(seen) <= warm + SLACK, "it does not grow with the moments that are asked for", (warm, seen))
    before = resident(o)[0]
    statuses = hostile(x, chance, 10000)
    after, high = resident(o)
    print("# hostile %s: %.1f MB, then %.1f" % (statuses, before / 1e6, after / 1e6))
    ok(after <= max(seen + [warm]) + SLACK and high <= MEMORY + BESIDE, "nor with 10000 different queries", (before, after, high))
    ok(set(statuses) <= {200, 400, 404, 410}, "which are answered all", statuses)
    status, text = x.ask("/metrics")
    kept = re.search(rb"^hindcast_\w*cache_bytes\S* (\d+)", text, re.M)
    ok(status == 200 and kept and int(kept[1]) <= MEMORY * 17 // 16, "what it says that it keeps is within `memory`", kept and kept[0])
    x.c.close()
    same(o.stop(), 0, "TERM ends it cleanly")


main(perform)
