#!/usr/bin/env python3
"""kill -9 at random moments: numbers, names and PTS go on, what is listed is whole at every instant, and nothing that
had arrived is lost: tests/crash/kill.py [KILLS [SEED]].

The audio comes through FIFOs, which keep what the killed process has not read, so that it is known to the byte what it
had. Each frame carries its number."""
import collections
import fcntl
import glob
import itertools
import os
import random

import signal
import struct
import subprocess
import sys
import termios
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "scenario"))
from failing import BUILD, main, ok, until, verify, write  # noqa: E402
from hindcast import List, Segment, cut, hours, ns_of, read, ticks_apart  # noqa: E402

T = 2
KILLS = int(sys.argv[1]) if len(sys.argv) > 1 else 400 if os.environ.get("SOAK") else 50
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(1 << 32)
LONGEST = 2.2  # seconds that a process lives
F_SETPIPE_SZ = 1031

CONFIG = f"""[store]
path = %s
min_free = 0
[segmenter]
metrics =
[station s]
segment = {T}
window = 12
renditions = a b c d
[rendition s/a]
[rendition s/b]
format = packed
[rendition s/c]
[rendition s/d]
format = packed
"""


# --- the source


def aac(rate_index, channels, size):
    header = 0xFFF << 44 | 1 << 40 | 1 << 38 | rate_index << 34 | channels << 30 | (size + 7) << 13 | 0x7FF << 2
    return header.to_bytes(7, "big")


class Source:
    """Numbered frames into a FIFO, each when it has been spoken."""

    def __init__(self, path, rate, each, header, size):
        os.mkfifo(path)
        self.fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)  # a reader too: what was written outlives the other one
        fcntl.fcntl(self.fd, F_SETPIPE_SZ, 1 << 20)
        self.rate, self.each, self.header, self.size = rate, each, header, len(header) + size
        self.filler = bytes(random.Random(1).choices(range(1, 128), k=size - 8))
        self.count, self.lock = 0, threading.Lock()

    def frame(self, n):
        return self.header + n.to_bytes(8, "big") + self.filler

    def due(self, n):
        return (n + 1) * self.each / self.rate

    def write(self, elapsed):
        with self.lock:
            while self.due(self.count) <= elapsed:
                assert os.write(self.fd, self.frame(self.count)) == self.size, "the FIFO is full"
                self.count += 1

    def taken(self):
        """Bytes that readers have had: of the whole, and as frames."""
        with self.lock:
            unread = struct.unpack("i", fcntl.ioctl(self.fd, termios.FIONREAD, b"\0\0\0\0"))[0]
            return (self.count * self.size - unread) / self.size

    def number(self, frame):
        """The number that a frame carries; None when it is fill."""
        return int.from_bytes(frame[len(self.header):len(self.header) + 8], "big") if len(frame) == self.size else None


class Sources:
    def __init__(self, folder):
        fifo = lambda name: os.path.join(folder, "fifo-" + name)  # noqa: E731
        self.of = {
            "a": Source(fifo("a"), 48000, 1024, aac(3, 2, 330), 330),
            "b": Source(fifo("b"), 44100, 1024, aac(4, 1, 160), 160),
            "c": Source(fifo("c"), 44100, 1152, bytes.fromhex("fffb9064"), 413),
            "d": Source(fifo("d"), 48000, 1152, bytes.fromhex("fffb9464"), 380),
        }
        self.config = "".join(f"[input s/{n} main]\ntype = pipe\npath = {fifo(n)}\n" for n in self.of)
        self.going, self.began = True, time.monotonic()
        self.thread = threading.Thread(target=self._write, daemon=True)
        self.thread.start()

    def _write(self):
        while self.going:
            for s in self.of.values():
                s.write(time.monotonic() - self.began)
            time.sleep(0.004)

    def stop(self):
        self.going = False
        self.thread.join()
        for s in self.of.values():
            os.close(s.fd)


# --- the reader beside


class Reader:
    """Reads lists and what they name, without pause, kills or not."""

    def __init__(self, folders):
        self.faults, self.seen, self.newest, self.whole, self.looks = [], {}, collections.Counter(), {}, 0
        self.folders, self.going = folders, True
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        while self.going:
            for folder in self.folders:
                try:
                    self._look(folder)
                except Exception as e:
                    self.faults.append(f"{folder}: {e!r}")
            time.sleep(0.01)

    def _look(self, folder):
        if not os.path.exists(os.path.join(folder, "index.m3u8")):
            if self.newest[folder, "live"]:
                self.faults.append(f"{folder}: the live list has gone")
            return
        live = List(read(os.path.join(folder, "index.m3u8")))
        self._list(folder, "live", live.entries)
        for h in hours(folder):
            self._list(folder, "hour", h.entries)
        self.looks += 1

    def _list(self, folder, kind, entries):
        """Every entry must stay what it was; the newest ones are looked at every time, the others once."""
        known = {e.msn for e in entries[:-8] if os.path.join(folder, e.uri) in self.whole}
        for e in entries:
            if self.seen.setdefault((folder, e.msn), e.key()) != e.key():
                self.faults.append(f"{folder}: {self.seen[folder, e.msn]} has become {e.key()} ({kind})")
            if not e.gap and e.msn not in known:
                self._segment(os.path.join(folder, e.uri), e)
        newest = max((e.msn for e in entries), default=0)
        if kind == "live" and newest < self.newest[folder, kind]:
            self.faults.append(f"{folder}: {kind} went back from {self.newest[folder, kind]} to {newest}")
        self.newest[folder, kind] = max(newest, self.newest[folder, kind])

    def _segment(self, path, e):
        st = os.stat(path)
        if path not in self.whole:
            data = read(path, "rb")
            cut(Segment(data, path.endswith(".ts")).audio)
            self.whole[path] = st.st_ino, st.st_mtime_ns, len(data)
        if self.whole[path] != (st.st_ino, st.st_mtime_ns, st.st_size):
            self.faults.append(f"{path}: {self.whole[path]} has become {st}")
        if e.facts and int(e.facts["bytes"]) != st.st_size:
            self.faults.append(f"{path}: {st.st_size} bytes, its entry says {e.facts['bytes']}")

    def stop(self):
        self.going = False
        self.thread.join()
        return self.faults


# --- what is kept


def journalled(folder, source):
    """Numbers of the frames in the journals of a rendition (segmenter/write/journal.h), in order."""
    numbers = []
    for path in sorted(glob.glob(os.path.join(folder, ".journal-*"))):
        data = read(path, "rb")
        at = 40
        while at + 21 <= len(data):
            size = int.from_bytes(data[at:at + 4], "big")
            frame = data[at + 21:at + 21 + size]
            if len(frame) < size:
                break
            if data[at + 16] & 4:  # the runs on air stand before it
                frame = frame[1 + 24 * frame[0]:]
            numbers.append(source.number(frame))
            at += 21 + size
    return [n for n in numbers if n is not None]


class Kept:
    """What a rendition has: numbers of its frames in order (None: fill), and its entries; grows."""

    def __init__(self, folder, source):
        self.folder, self.source, self.cache = folder, source, {}

    def entries(self):
        if not os.path.isdir(self.folder):
            return []
        return list(itertools.dropwhile(lambda e: e.gap, (e for h in hours(self.folder) for e in h.entries)))

    def segment(self, e):
        if e.msn not in self.cache:
            s = Segment(read(os.path.join(self.folder, e.uri), "rb"), e.uri.endswith(".ts"))
            self.cache[e.msn] = s.pts, [(rate, n, self.source.number(f)) for rate, n, f in cut(s.audio)]
        return self.cache[e.msn]

    def numbers(self):
        return [f[2] for e in self.entries() if not e.gap for f in self.segment(e)[1]]

    def line(self):
        """Faults of the time line: PTS go on in samples except at a discontinuity, and stay near the wall."""
        faults, due = [], None
        for e in self.entries():
            if e.gap:
                due = None
                continue
            pts, frames = self.segment(e)
            if due is not None and not e.discontinuity and abs(ticks_apart(pts, due[0] + due[1] * 90000 // due[2])) > 1:
                faults.append(f"{e.uri}: PTS {pts}, want {due[0] + due[1] * 90000 // due[2]}")
            if due is None or e.discontinuity:
                due = [pts, 0, frames[0][0]]
            due[1] += sum(f[1] for f in frames)
            half = ns_of(frames[0][1], frames[0][0]) // 2 + 10**6
            if abs(e.start - e.msn * T * 10**9) > half:
                faults.append(f"{e.uri}: begins {(e.start - e.msn * T * 10**9) / 1e6} ms from its grid line")
        return faults


# --- the test


def start(ini, log):
    return subprocess.Popen([os.path.join(BUILD, "segmenter"), "-c", ini], stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=log)


Kill = collections.namedtuple("Kill", "lived taken kept")


def kill_often(folder, ini, kept, sources, choose, log):
    """Each kill: how long the process had lived; what it had taken, and what is kept of that, per rendition."""
    kills = []
    for _ in range(KILLS):
        lived = choose.uniform(0, LONGEST)
        p = start(ini, log)
        try:
            p.wait(lived)
            raise AssertionError(f"it ended by itself with {p.returncode}")
        except subprocess.TimeoutExpired:
            p.kill()
            p.wait()
        taken = {n: s.taken() for n, s in sources.of.items()}
        have = {n: [x for x in k.numbers() if x is not None] + journalled(k.folder, k.source) for n, k in kept.items()}
        kills.append(Kill(lived, taken, have))
    return kills


def lost_by(kills, name, numbers, first):
    """Frames missing in the end, by the process that had read them: [(lived, read, lost, of those at its end)]."""
    have, out, begin = set(numbers), [], 0
    for k in kills:
        end = int(k.taken[name])
        missing = [n for n in range(max(begin, first), end) if n not in have]
        tail = 0
        while tail < len(missing) and missing[-1 - tail] == end - 1 - tail:
            tail += 1
        out.append((k.lived, end - begin, len(missing), tail))
        begin = end
    return out


def killed(folder):
    """killed at random moments"""
    print(f"# {KILLS} kills, seed {SEED}", flush=True)
    choose = random.Random(SEED)
    store, log = os.path.join(folder, "store"), open(os.path.join(folder, "log"), "w+b")
    sources = Sources(folder)
    ini = write(folder, "hindcast.ini", CONFIG % store + sources.config)
    kept = {n: Kept(os.path.join(store, "s", n), s) for n, s in sources.of.items()}
    reader = Reader([k.folder for k in kept.values()])
    kills = kill_often(folder, ini, kept, sources, choose, log)
    p = start(ini, log)
    newest = max((e.msn for k in kept.values() for e in k.entries()), default=0)
    until("segments after the last kill", lambda: all(
        (e := k.entries()) and e[-1].msn > newest + 2 and not e[-1].gap for k in kept.values()))
    p.send_signal(signal.SIGTERM)
    ended = p.wait(20)
    sources.stop()
    faults = reader.stop()
    log.seek(0)
    said = log.read().decode("utf-8", "replace")
    ok(ended == 0, "the last one ends when told to", said[-3000:])
    ok(not faults and reader.looks > KILLS, f"{reader.looks} looks beside: nothing listed is missing or torn, nothing "
       "changes, no number goes back", *faults[:20])
    report(kept, kills, sources)
    found = verify(store)
    ok(not found, "rewind verify finds no fault", found)
    same = {tuple((e.msn) for e in k.entries() if e.discontinuity) for k in kept.values()}
    ok(len(same) == 1, "discontinuities have the same numbers in all renditions", same)


def report(kept, kills, sources):
    for name, k in kept.items():
        stored = k.numbers()
        media = [n for n in stored if n is not None] + journalled(k.folder, k.source)
        ok(all(a < b for a, b in zip(media, media[1:])), f"{name}: frames are in order, none twice",
           [(a, b) for a, b in zip(media, media[1:]) if a >= b][:20])
        missing = [(i, sorted(set(x.kept[name]) - set(media))[:10]) for i, x in enumerate(kills)
                   if not set(x.kept[name]) <= set(media)]
        ok(not missing, f"{name}: what was stored or journalled when it was killed is there in the end", *missing)
        faults = k.line()
        ok(not faults, f"{name}: PTS go on, boundaries keep to the grid", *faults)
        gaps = sum(e.gap for e in k.entries())
        fill = sum(n is None for n in stored)
        by = lost_by(kills, name, media, media[0])
        losers = [f"lived {lived:.3f} s, read {count} frames, lost {lost}, of them the last {tail}"
                  for lived, count, lost, tail in by if lost]
        # between read(2) and write(2) lies a millisecond or two of each tick of 100 ms
        # ... and the frame that such a kill has torn is read by the process after it, and is nobody's
        torn = [0] + [1 if tail else 0 for _, _, _, tail in by]
        ok(all(tail <= lost <= tail + head for (_, _, lost, tail), head in zip(by, torn)) and
           len(losers) <= max(2, KILLS // 10),
           f"{name}: what had arrived is there, but for what came in the tick that a kill broke off", *losers)
        print(f"# {name}: {len(media)} frames kept, {sum(b[2] for b in by)} lost in {len(losers)} kills, {fill} filled in, "
              f"{gaps} gaps", *losers, sep="\n#   ")


if __name__ == "__main__":
    main(killed)
