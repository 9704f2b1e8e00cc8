#!/usr/bin/env python3
"""Clocks that step, and a process that stands still: numbers never repeat nor go back, and it is said and counted."""
import glob
import os
import re
import signal
import time

from failing import (ENCODER, FRAMES, T, Encoder, Observer, config, get, main, metric, ok, segmenter, skip_all, until, verify)
from failures_source import audio_of, normalised, split

LIBRARY = next(iter(glob.glob("/usr/lib/*/faketime/libfaketime.so.1")), None)
HOUR = 3600
STALL = 3 * T


class Clock:
    """A system clock for one program, so many seconds before or after the true one. The monotonic clock stays true."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "clock")
        self.env = {"LD_PRELOAD": LIBRARY, "FAKETIME_TIMESTAMP_FILE": self.path, "FAKETIME_NO_CACHE": "1",
                    "DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1", "FAKE_UTIME": "0"}
        self.set(0)

    def set(self, seconds):
        with open(self.path + ".new", "w") as f:
            f.write(f"{seconds:+d}\n")
        os.rename(self.path + ".new", self.path)


def on_air(folder, clock):
    store = folder + "/store"
    s = segmenter(folder, config(store, ENCODER), env=clock.env)
    e = Encoder(s.ports["icecast"])
    until("a live list", lambda: os.path.exists(store + "/s/a/index.m3u8"))
    seen = Observer(store)
    seen.wait_beyond(0)
    return store, s, e, seen


def media(store):
    """Numbers of the segments in the store, from their names."""
    import datetime
    names = (os.path.basename(p) for p in glob.glob(store + "/s/a/2*/*.ts"))
    return sorted(int(datetime.datetime.strptime(n, "%Y%m%dT%H%M%SZ.ts").replace(tzinfo=datetime.timezone.utc).timestamp()) // T
                  for n in names)


def frames_in(store):
    """Places in the file of the source's frames that are stored, and the number of others."""
    place = {normalised(data): i for i, (data, _) in enumerate(FRAMES)}
    frames = split(audio_of(store + "/s/a"))
    return [place[f] for f in frames if f in place], sum(f not in place for f in frames)


def test_forward(folder):
    """The clock is set forward by an hour"""
    clock = Clock(folder)
    store, s, e, seen = on_air(folder, clock)
    before = seen.newest
    clock.set(HOUR)
    ok(s.wait("warn +the system clock was set forward, runs begin anew behind a gap"), "a step forward is said")
    after = seen.wait_media_beyond(before + HOUR // T - 2 * T)
    ok(metric(s, "clock_steps_forward_total") == 1 and metric(s, "clock_steps_backward_total") == 0, "and counted")
    ok(abs(after * T - time.time() - HOUR) < 4 * T, "the numbers are those of the new time at once", after * T - time.time())
    seen.restart()
    seen.wait_beyond(after + 1)
    ok(seen.stall < STALL, "and the list goes on", seen.stall)
    ok(metric(s, "writer_given_up_total") == 0 and metric(s, "writer_failures_total") == 0, "nothing was given up",
       *s.said("given up"))
    last = e.stop()
    ok(s.end() == 0 and not seen.stop(), "no fault in the live list", seen.faults, s.tail())
    numbers = media(store)
    jumps = [(a, b) for a, b in zip(numbers, numbers[1:]) if b != a + 1]
    ok(len(jumps) == 1 and HOUR // T - 3 * T < jumps[0][1] - jumps[0][0] <= HOUR // T + 1, "one gap, of the hour that never was",
       jumps)
    ok(not verify(store), "the store is whole", verify(store))
    real, others = frames_in(store)
    lost = sum(b - a - 1 for a, b in zip(real, real[1:]))
    ok(real == sorted(set(real)) and lost * 1024 / 44100 < T + 1, "no frame is there twice, and less than a segment is lost at "
       "the step", lost, others, last)


def test_backward(folder):
    """The clock is set back by an hour, ended and started so, and put right"""
    clock = Clock(folder)
    store, s, e, seen = on_air(folder, clock)
    clock.set(-HOUR)
    line = s.wait("error +the system clock was set back: the old time goes on and is slewed.*")[0]
    ok(re.search(r"seconds=3(600|599)\b", line), "a step back is said, with its size", line)
    ok(metric(s, "clock_steps_backward_total") == 1 and -HOUR - 2 < metric(s, "clock_error_seconds") < -HOUR + 2, "and counted")
    seen.wait_beyond(seen.newest + 1)
    ok(get(s.ports["metrics"], "/healthz")[0] == 200, "it is well all the same")
    e.stop()
    newest = seen.newest
    ok(seen.stall < STALL and not seen.gaps() and metric(s, "output_fill_frames_total") * 1024 / 44100 <= T,
       "the list goes on as if nothing had been", seen.stall, seen.gaps())
    s.end()
    s = segmenter(folder, config(store, ENCODER), env=clock.env)
    line = s.wait("error +the system clock is behind the newest stored segment: time goes on from there, set the clock.*")[0]
    ok(re.search(r"seconds=3[56]\d\d\b", line), "started with the clock behind the store: said", line)
    e = Encoder(s.ports["icecast"])
    after = seen.wait_media_beyond(max(newest, seen.newest) + 1)
    ok(0 < after - newest < 4 * T, "the numbers go on after the newest one", newest, after)
    ok(metric(s, "clock_error_seconds") < -HOUR + 60, "how far it is off is counted")
    mark = s.mark()
    clock.set(0)
    seen.wait_beyond(seen.newest + 1)
    ok(abs(metric(s, "clock_error_seconds")) < 60 and not s.said("set back", mark), "put right, it is right", s.tail())
    e.stop()
    ok(s.end() == 0 and not seen.stop(), "no fault in the live list, no number twice", seen.faults, s.tail())
    ok(not verify(store), "the store is whole", verify(store))


def test_suspended(folder):
    """The process stands still for 20 s, as when its machine is moved: the encoder's audio waits in the sockets"""
    clock = Clock(folder)
    store, s, e, seen = on_air(folder, clock)
    before = seen.newest
    s.send(signal.SIGSTOP)
    time.sleep(20)
    s.send(signal.SIGCONT)
    seen.wait_beyond(before + 20 // T)
    seen.restart()
    seen.wait_beyond(seen.newest + 1)
    ok(e.error is None and metric(s, "input_runs_total") == 1 and metric(s, "output_fill_frames_total") == 0,
       "nothing of what came meanwhile is lost", e.error, get(s.ports["metrics"], "/metrics")[1], s.tail())
    last = e.stop()
    ok(seen.stall < STALL and not seen.stop() and not seen.gaps(), "the list goes on without a fault or a gap", seen.faults,
       seen.stall, seen.gaps())
    ok(s.end() == 0 and not verify(store), "it ends as told, the store is whole", verify(store), s.tail())
    real, others = frames_in(store)
    ok(real == list(range(real[0], real[-1] + 1)) and not others and last - real[-1] < (T + 2) * 44100 / 1024,
       "every frame is there once", len(real), others, last)


if __name__ == "__main__":
    if not LIBRARY:
        skip_all("no libfaketime")
    main(test_suspended, test_forward, test_backward, at_once=True)
