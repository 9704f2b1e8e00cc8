#!/usr/bin/env python3
"""Several inputs of one rendition, with the real segmenter: an encoder dies and its backup goes on within a frame; it comes
back and is returned to at a full minute; the choice by hand and its life over a restart; twins, of which either may die and
not one byte changes; nobody left, and back. Judged by the bytes of the segments."""
import json
import os
import re
import signal
import time
import urllib.request

from failing import FRAMES, MEDIA, Encoder, finish, login, main, metric, ok, segmenter, until, verify, write
from hindcast import NS, cut, hours, segment, ticks_apart

T = 2
MINUTE = 60 * NS
FRAME = 1024 * NS / 44100

STATION = f"""[station s]
segment = {T}
window = 12
fill_limit = 6s
settle = 3s
patience = 800ms
renditions = a
[rendition s/a]
"""


def config(store, control=""):
    inputs = "".join(f"[input s/a {name}]\ntype = icecast-source\nmount = /{name}\npassword = hackme\ntimeout = 2s\n"
                     f"priority = {n + 1}\n" for n, name in enumerate(("main", "backup")))
    return (f"[store]\npath = {store}\nmin_free = 0\n{STATION}{inputs}[icecast-listener]\nlisten = 127.0.0.1:0\n"
            f"[segmenter]\nmetrics = 127.0.0.1:0\n[control]\nlisten = 127.0.0.1:0\n{control}")


# Content that tells where it comes from: the frames of a file, each with its number at a place that no decoder of ours reads.


def marked(kind, n):
    """The n-th frame of an encoder: a frame of the file whose payload's end says who made it and which it is."""
    data = FRAMES[n % len(FRAMES)][0]
    return data[:-12] + bytes([0x55, kind]) * 2 + bytes(n >> 7 * i & 127 for i in range(8))  # no sync word


class Marked(Encoder):
    """An encoder of such frames."""

    def __init__(self, port, mount, kind, first=0):
        self.kind, self.sent = kind, []
        super().__init__(port, first, mount=mount)

    def _send(self):
        due = time.monotonic()
        try:
            while self.going:
                self.socket.sendall(marked(self.kind, self.next))
                self.next += 1
                due += FRAMES[0][1]
                time.sleep(max(0, due - time.monotonic()))
        except OSError as e:
            self.error = e


class Twins:
    """One encoder whose bytes go to several mounts, each with a connection of its own."""

    def __init__(self, kind=9):
        self.kind, self.next, self.going, self.sockets = kind, 0, True, {}

    def connect(self, port, mount):
        self.sockets[mount] = login(port, mount)[0]

    def cut(self, mount):
        self.sockets.pop(mount).close()

    def run(self, seconds):
        end = time.monotonic() + seconds
        due = time.monotonic()
        while time.monotonic() < end:
            for s in list(self.sockets.values()):
                s.sendall(marked(self.kind, self.next))
            self.next += 1
            due += FRAMES[0][1]
            time.sleep(max(0, due - time.monotonic()))


# --- what was written


def heard(store):
    """[(msn, pts, entry, [(kind, number) or None of each frame])] of all segments with media."""
    folder = os.path.join(store, "s/a")
    out = []
    for e in (e for h in hours(folder) for e in h.entries):
        if e.gap:
            out.append((e.msn, None, e, []))
            continue
        s = segment(folder, e)
        frames = []
        for _, _, data in cut(s.audio):
            tail = data[-12:]
            told = tail[0] == 0x55 and tail[:2] == tail[2:4]
            frames.append((tail[1], sum(b << 7 * i for i, b in enumerate(tail[4:]))) if told else None)
        out.append((e.msn, s.pts, e, frames))
    return out


def contiguous(segments):
    """Words for what is wrong with numbers and PTS."""
    faults = []
    for (a, pa, _, fa), (b, pb, e, _) in zip(segments, segments[1:]):
        if b != a + 1:
            faults.append(f"{b} follows on {a}")
        if pa is not None and pb is not None and not e.discontinuity and abs(ticks_apart(pb, pa + len(fa) * 1024 * 90000 // 44100)) > 2:
            faults.append(f"{b} begins at PTS {pb}")
    return faults


def changes(segments):
    """[(kind before, kind after, frame number within all)]: where the encoder changes; 0 is fill."""
    out, last = [], None
    for msn, _, _, frames in segments:
        for f in frames:
            kind = f[0] if f else 0
            if last is not None and kind != last:
                out.append((last, kind, msn))
            last = kind
    return out


def lost(segments, kind):
    """Frames of one encoder that are missing between two that follow each other, or come twice."""
    numbers = [f[1] for _, _, _, frames in segments for f in frames if f and f[0] == kind]
    return sum(1 for a, b in zip(numbers, numbers[1:]) if b != a + 1)


def control(s, path, body=None, token=None):
    request = urllib.request.Request(f"http://127.0.0.1:{s.ports['control']}{path}",
                                     data=None if body is None else body.encode(),
                                     headers={"Authorization": f"Bearer {token}"} if token else {})
    try:
        with urllib.request.urlopen(request, timeout=20) as r:
            return r.status, r.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()


def rendition(s):
    return json.loads(control(s, "/control/status")[1])["stations"][0]["renditions"][0]


def on_air(s, name, seconds=20):
    until(f"{name} on air", lambda: rendition(s)["on_air"]["input"] == name, seconds)


def to_minute(seconds):
    """Until so many seconds before the next full minute; at least two seconds from now."""
    left = 60 - (time.time() + seconds) % 60
    time.sleep(left if left >= 2 else left + 60)


# --- tests


def failover(folder):
    """An encoder dies: its backup goes on"""
    store = os.path.join(folder, "store")
    s = segmenter(folder, config(store))
    to_minute(45)
    main_, backup = Marked(s.ports["icecast"], "/main", 1), Marked(s.ports["icecast"], "/backup", 2, 100000)
    on_air(s, "main")
    s.wait("source connected.*backup")
    time.sleep(4)
    main_.stop()
    on_air(s, "backup")
    ok(s.said("on air .*input=backup why=backup"), "the change is one line in the log", s.tail())
    again = Marked(s.ports["icecast"], "/main", 3, 200000)
    minute = (time.time() // 60 + 1) * 60
    on_air(s, "main", 90)
    ok(time.time() >= minute - 0.1, "it is not returned to before the full minute")
    time.sleep(T + 2)
    again.stop()
    on_air(s, "backup")
    backup.stop()
    time.sleep(1)
    s.end()
    got = heard(store)
    ok(not contiguous(got), "numbers and PTS go on", *contiguous(got))
    order = [(a, b) for a, b, _ in changes(got)]
    ok(order[:3] == [(1, 2), (2, 3), (3, 2)], "main, backup, main again, backup: and no fill between them", order)
    ok(lost(got, 1) == 0 and lost(got, 3) == 0 and lost(got, 2) == 1, "no frame is lost or comes twice",
       lost(got, 1), lost(got, 2), lost(got, 3))
    line = next(re.search(r"at=(\S+)", x)[1] for x in s.said("on air .*input=main why=minute"))
    ok(line[17:21] in ("00.0", "59.9"), "the return lies at the full minute", line)
    ok(not verify(store), "the store is whole", verify(store))


def by_hand(folder):
    """An input is chosen by hand"""
    store = os.path.join(folder, "store")
    s = segmenter(folder, config(store))
    port = s.ports["icecast"]
    main_, backup = Marked(port, "/main", 1), Marked(port, "/backup", 2, 100000)
    on_air(s, "main")
    code, body = control(s, "/control/s/a/input", "nobody")
    ok(code == 404 and "nobody" in body, "an input that is not there cannot be chosen", code, body)
    ok(control(s, "/control/s/b/input", "main")[0] == 404, "nor one of a rendition that is not there")
    ok(control(s, "/control/s/a/input")[0] == 405, "GET does not choose")
    code, body = control(s, "/control/s/a/input", "backup\n")
    asked = time.time()
    on_air(s, "backup")
    ok(code == 200 and time.time() - asked < 2 * T + 2, "it is on air at the next boundary", code, body)
    ok(rendition(s)["chosen"] == "backup", "the status says so")
    s.end(signal.SIGKILL)
    main_.stop(), backup.stop()
    s = segmenter(folder, config(store))
    main_, backup = Marked(s.ports["icecast"], "/main", 1), Marked(s.ports["icecast"], "/backup", 2, 200000)
    s.wait("on air .*input=backup")
    ok(rendition(s)["chosen"] == "backup", "the choice outlives a kill")
    on_air(s, "backup")
    ok(control(s, "/control/s/a/input", "auto")[0] == 200 and rendition(s)["chosen"] is None, "it is lifted")
    ok(not os.path.exists(os.path.join(store, "s/a/.input")), "nothing of it is kept")
    main_.stop(), backup.stop()
    s.end()
    ok(not verify(store), "the store is whole", verify(store))


def guarded(folder):
    """Control beyond loopback wants a token"""
    store = os.path.join(folder, "store")
    path = write(folder, "token", "s3cret\n")
    s = segmenter(folder, config(store, f"token_file = {path}\n"))
    ok(control(s, "/control/status")[0] == 401, "without the token: 401")
    ok(control(s, "/control/status", token="s3cres")[0] == 401, "with a wrong one: 401")
    ok(control(s, "/control/status", token="s3cret")[0] == 200, "with the right one: 200")
    ok(control(s, "/control/nothing", token="s3cret")[0] == 404, "an unknown path: 404")
    s.end()
    bad = write(folder, "bad.ini", config(store).replace("[control]\nlisten = 127.0.0.1:0", "[control]\nlisten = 0.0.0.0:0"))
    code, _, err = finish("segmenter", "-n", "-c", bad)
    ok(code == 2 and "token_file" in err, "and a listener for everybody without one is refused", code, err)


def twins(folder):
    """One encoder, two receivers: either may die"""
    store = os.path.join(folder, "store")
    s = segmenter(folder, config(store))
    port, encoder = s.ports["icecast"], Twins()
    encoder.connect(port, "/main")
    encoder.run(1.5)
    encoder.connect(port, "/backup")
    encoder.run(14)
    ok(s.said("twins found"), "they are found", s.tail())
    status = rendition(s)
    ok([len(line["runs"]) for line in status["lines"]] == [2], "the status says that they are one line", json.dumps(status)[:2000])
    encoder.cut("/main")
    encoder.run(5)
    encoder.connect(port, "/main")
    encoder.run(16)
    ok(len(s.said("twins found")) == 2, "the one that comes back is found again", s.tail())
    encoder.cut("/backup")
    encoder.run(6)
    ok(metric(s, "output_to_backup_total") == 0, "nothing was changed over to")
    s.end()
    got = heard(store)
    ok(not contiguous(got), "numbers and PTS go on", *contiguous(got))
    numbers = [f for _, _, _, frames in got for f in frames]
    ok(None not in numbers, "no silence", sum(1 for n in numbers if n is None))
    ok(lost(got, 9) == 0 and len(numbers) > 1500, "every frame that was sent is there, once, in order", lost(got, 9), len(numbers))
    runs = re.findall(r"^#HINDCAST-RUN:(.*)$", "".join(h.text for h in hours(os.path.join(store, "s/a"))), re.M)
    ok(runs and max(r.count("id=") for r in runs) >= 2, "the hour file names the runs on air", runs)
    ok(not verify(store), "the store is whole", verify(store))


def both_gone(folder):
    """Both encoders gone, and back"""
    store = os.path.join(folder, "store")
    s = segmenter(folder, config(store))
    port = s.ports["icecast"]
    main_, backup = Marked(port, "/main", 1), Marked(port, "/backup", 2, 100000)
    on_air(s, "main")
    time.sleep(3)
    main_.stop(), backup.stop()
    until("a gap", lambda: metric(s, "output_gap_segments_total") > 0, 30)
    back = Marked(port, "/backup", 3, 200000)
    on_air(s, "backup")
    time.sleep(T + 2)
    back.stop()
    s.end()
    got = heard(store)
    ok(not [f for f in contiguous(got) if "follows" in f], "numbers go on", *contiguous(got))
    kinds = ["gap" if pts is None else "".join(sorted({str(f[0] if f else 0) for f in frames})) for _, pts, _, frames in got]
    shape = re.sub(r"(\S+)( \1)+", r"\1", " ".join(k for k in kinds))
    ok(re.search(r"\b1?0?2?0? ?0 gap 3", shape), "media, fill, gap, and back at the begin of a segment", shape)
    first = next(i for i, k in enumerate(kinds) if "3" in k)
    ok(kinds[first] == "3" or kinds[first] == "03" and kinds[first - 1] != "gap", "the first segment after the gap is whole", kinds)
    ok(not verify(store), "the store is whole", verify(store))


def file_fills(folder):
    """A file stands in while nobody is there"""
    store = os.path.join(folder, "store")
    fill = write(folder, "fill.aac", b"".join(marked(7, n) for n in range(100)))
    s = segmenter(folder, config(store).replace("fill_limit = 6s", f"fill_limit = 1m\nfill = file:{fill}"))
    main_ = Marked(s.ports["icecast"], "/main", 1)
    on_air(s, "main")
    time.sleep(2)
    main_.stop()
    until("fill", lambda: metric(s, "output_fill_frames_total") > 250, 30)
    s.end()
    got = heard(store)
    ok(not contiguous(got), "numbers and PTS go on", *contiguous(got))
    ok([(a, b) for a, b, _ in changes(got)] == [(1, 7)], "it is heard after the encoder", changes(got))
    numbers = [f[1] for _, _, _, frames in got for f in frames if f and f[0] == 7]
    ok(len(numbers) > 100 and all(b == (a + 1) % 100 for a, b in zip(numbers, numbers[1:])), "all of it, in a loop", numbers)
    bad = write(folder, "bad.ini", config(store).replace("settle", f"fill = file:{__file__}\nsettle"))
    code, _, err = finish("segmenter", "-c", bad)
    ok(code == 1 and "fill" in err and "want AAC in ADTS or MP3" in err, "a file that is no audio is refused at start", code, err)
    other = write(folder, "other.aac", open(os.path.join(MEDIA, "aac_lc_48000_stereo_128k.aac"), "rb").read())
    bad = write(folder, "bad.ini", config(store).replace("settle", f"fill = file:{other}\nsettle"))
    code, _, err = finish("segmenter", "-c", bad)
    ok(code == 1 and "another format" in err, "and one of another format than the store", code, err)


main(failover, by_hand, guarded, twins, both_gone, file_fills, at_once=True)
