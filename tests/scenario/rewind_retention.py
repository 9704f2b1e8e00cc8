#!/usr/bin/env python3
"""Retention at work while lists are read: what a list names is there, and stays for as long as that list may be played.

The store reaches as far back as to hold hours that are due; tests/tools/retain.c removes them as a segmenter does. Prints TAP."""
import http.client
import os
import random
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "tools"))
import mkstore  # noqa: E402
from hindcast import List  # noqa: E402
from originate import Origin, ask, main, ok, same  # noqa: E402

RETAIN = os.path.join(ROOT, os.environ.get("BUILD", "build"), "tools", "retain")
T, HOUR = 6, 3600
RETENTION = MAX_SPAN = HOUR  # the least that the configuration takes
BACK = 7


def canon(t):
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(t))


def lay(store):
    r = mkstore.Rendition(store, "fip", "main", T, 60)
    now = int(time.time())
    for t in range((now // HOUR - BACK) * HOUR, now // T * T, T):
        r.segment(t)
    for hour in r.hours:
        r.write_hour(hour, part=hour == max(r.hours))
    r.write_live()
    mkstore.write_multivariant(store, "fip", ["main"])
    return r


class Reader(threading.Thread):
    """Asks for start-over and catch-up lists from any moment that is served, and for segments that they name."""

    def __init__(self, port, seed):
        super().__init__()
        self.port, self.chance, self.end = port, random.Random(seed), threading.Event()
        self.lists, self.segments, self.wrong = 0, 0, []

    def run(self):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)

        def get(path):
            c.request("GET", path)
            a = c.getresponse()
            return a.status, a.read()

        while not self.end.is_set():
            oldest = int(time.time()) - RETENTION - MAX_SPAN + 3
            first = self.chance.choice((oldest, oldest + HOUR, self.chance.randrange(oldest, int(time.time()) - 60))) // T * T + T
            path = "/fip/main/index.m3u8?from=" + canon(first)
            if self.chance.random() < 0.5:
                path += "&to=" + canon(first + self.chance.randrange(60, MAX_SPAN) // T * T)
            status, body = get(path)
            entries = List(body.decode()).entries if status == 200 else []
            if not entries or entries[0].msn * T != first:
                self.wrong.append((status, path, body[:200]))
                continue
            self.lists += 1
            for e in {entries[0].uri, entries[-1].uri, self.chance.choice(entries).uri}:
                self.segments += 1
                status, _ = get("/fip/main/" + e)
                if status != 200:
                    self.wrong.append((status, path, e))


def perform(folder):
    store = os.path.join(folder, "store")
    r = lay(store)
    ini = os.path.join(folder, "a.ini")
    with open(ini, "w", encoding="ascii") as f:
        f.write("[store]\npath = %s\nsync = none\n[station fip]\nretention = 1h\nmax_span = 1h\nrenditions = main\n[rendition fip/main]\n"
                "[origin]\nlisten = 127.0.0.1:0\nthreads = 2\nstale = serve\nmemory = 1M\n" % store)
    o = Origin(ini)
    readers = [Reader(o.port, seed) for seed in (1, 2)]
    for x in readers:
        x.start()
    tool = subprocess.Popen([RETAIN, store, "fip", "main", str(T), str(RETENTION), str(MAX_SPAN)], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    removed = []
    try:
        time.sleep(1)
        for _ in range(20):
            tool.stdin.write("\n")
            tool.stdin.flush()
            removed.append(int(tool.stdout.readline()))
            time.sleep(0.2)
    finally:
        for x in readers:
            x.end.set()
        for x in readers:
            x.join()
        tool.stdin.close()
        tool.wait(10)
    now = time.time()
    ok(sum(removed) >= 2 and min(removed) >= 0 and tool.returncode == 0, "retention removes hours while lists are read", (removed, tool.returncode))
    ok(not any(x.wrong for x in readers) and all(x.lists > 50 and x.segments > 100 for x in readers),
       "no list of that time is short, and no segment that it names is missing", [(x.lists, x.segments, x.wrong[:2]) for x in readers])

    def there(t):
        return os.path.exists(os.path.join(r.folder, mkstore.segment_name(t)))

    # The oldest list that was still given out a minute, its length and a segment ago may be played until now.
    needed = int(now) - RETENTION - 2 * MAX_SPAN - T - 60
    ok(all(there(t) for t, _ in r.entries if t > needed), "the segments of lists that are no longer given out outlive them")
    same([t for t, _ in r.entries if t < needed - HOUR - 2 * T and there(t)], [], "and then they go")
    stays = [hour for hour in r.hours if os.path.exists(r.hour_path(hour))]
    ok(stays and min(stays) == int(now - RETENTION - MAX_SPAN) // HOUR, "hour files stay max_span longer than they are advertised", (stays, now))
    a = ask(o.port, "/fip/main/index.m3u8?from=" + canon(int(now - RETENTION - MAX_SPAN - 2 * T) // T * T))
    same(a.status, 410, "a list from before that: 410")
    same(o.stop(), 0, "TERM ends it cleanly")


main(perform)
