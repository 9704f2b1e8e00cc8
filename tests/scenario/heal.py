#!/usr/bin/env python3
"""Healing a store from a peer. Two segmenters lay the same audio in; holes are made in one store, an origin over the other is
the peer, or a server that lies. What is healed must be the other's store byte for byte."""
import atexit
import filecmp
import http.server
import os
import random
import re
import shutil
import signal
import socketserver
import subprocess
import sys
import tempfile
import threading
import time

from failing import BUILD, MEDIA, Program, finish, main, metric, ok, segmenter, until, write
from hindcast import NS, List, read, wall
sys.argv = sys.argv[:1]
from originate import Origin, ask, running  # noqa: E402

T, HOUR = 10, 3600
FULL = HOUR // T
BASE = (int(time.time()) // HOUR - 4) * HOUR  # the first of the hours, of which there are the last ten minutes
START, END = BASE + 3000, BASE + 3 * HOUR + 900
AUDIO = "timecode_48000_mono_32k_600s.aac"
RENDITIONS = {"t": "ts", "p": "packed"}
HOURS = [time.strftime("%Y%m%dT%H", time.gmtime(BASE + i * HOUR)) for i in range(4)]
shared = {}


# --- stores


def ini(folder, name, store, inputs="", peer=None, more=""):
    text = f"[store]\npath = {store}\nsync = none\nmin_free = 0\nheal_rate = 0\n" + (f"peer = {peer}\n" if peer else "")
    text += "[segmenter]\nmetrics = 127.0.0.1:0\n[origin]\nlisten = 127.0.0.1:0\nthreads = 1\nstale = serve\n" + more
    text += f"[station fip]\nsegment = {T}\nwindow = 60\nrenditions = {' '.join(RENDITIONS)}\n"
    for rendition, form in RENDITIONS.items():
        text += f"[rendition fip/{rendition}]\nformat = {form}\n" + inputs.replace("RENDITION", rendition)
    return write(folder, name, text)


def file_input(path, start):
    return f"[input fip/RENDITION main]\ntype = file\npath = {path}\nstart = {wall(start)}\npace = none\n"


def lay(folder, name, path, start, store=None):
    store = store or os.path.join(folder, name)
    config = ini(folder, name + ".ini", store, file_input(path, start))
    code, _, log = finish("segmenter", "-c", config, seconds=200)
    return store if ok(code == 0, f"{name}: the segmenter lays the audio in", log) else None


def prepare():
    """Two stores of the same audio, laid in by two segmenters; made once."""
    if shared:
        return shared["peer"]
    folder = tempfile.mkdtemp(prefix="hindcast-heal-")
    atexit.register(shutil.rmtree, folder, True)
    audio = read(os.path.join(MEDIA, AUDIO), "rb")
    shared["audio"] = os.path.join(folder, "audio.aac")
    with open(shared["audio"], "wb") as f:
        f.write(audio * ((END - START) // 600) + audio[:len(audio) // 2])
    shared["folder"], shared["peer"] = folder, lay(folder, "peer", shared["audio"], START * NS)
    other = lay(folder, "own", shared["audio"], START * NS)
    ok(different(shared["peer"], other) == [], "two segmenters make the same store", *different(shared["peer"], other))
    ok(verify(other)[0] == 0, "which is good", verify(other)[1])
    shutil.rmtree(other)
    return shared["peer"]


def clone(store, to):
    """Segments are never changed, so they are the same files."""
    shutil.copytree(store, to, copy_function=lambda a, b: shutil.copy2(a, b) if ".m3u8" in a or "/." in a else os.link(a, b))


def copy(folder, name="own"):
    store = os.path.join(folder, name)
    clone(prepare(), store)
    for at, _, names in os.walk(store):
        for n in names:
            if n.startswith("."):
                os.unlink(os.path.join(at, n))
    return store


def tree(store):
    """What is for readers, with the times of segments."""
    out = {}
    for at, folders, names in os.walk(store):
        for n in names:
            path = os.path.join(at, n)
            if not n.startswith("."):
                out[os.path.relpath(path, store)] = os.stat(path).st_mtime_ns if not n.endswith((".m3u8", ".part")) else 0
        for n in folders:
            if not os.listdir(os.path.join(at, n)):
                out[os.path.relpath(os.path.join(at, n), store)] = "empty"
    return out


def different(a, b):
    """Names that are not the same in two stores, by their bytes and times."""
    one, two = tree(a), tree(b)
    names = [n for n in one.keys() | two.keys() if one.get(n) != two.get(n)]
    _, mismatch, errors = filecmp.cmpfiles(a, b, one.keys() & two.keys(), shallow=False)
    return sorted(set(names + mismatch + errors))


def verify(store, *argv):
    p = subprocess.run([os.path.join(BUILD, "rewind"), "--store", store, "verify", *argv], capture_output=True, text=True, timeout=200)
    return p.returncode, p.stdout + p.stderr


ENTRY = re.compile(r"((?:^#(?!EXTINF).*\n)*)^#EXTINF:([0-9.]+),\n(?!#)(.+)\n", re.M)


def punch(store, hour, numbers, rendition=None):
    """Make gaps of entries of an hour, given by their place in it, as if nobody had been there."""
    for r in [rendition] if rendition else RENDITIONS:
        path = os.path.join(store, "fip", r, f"{hour}.m3u8")
        text = read(path)
        head = text[:text.index("\n", text.index("#HINDCAST-HOUR")) + 1]
        first = List(text).first
        out, shown, current, peak, size, us = head, None, None, 0, 0, 0
        for i, m in enumerate(ENTRY.finditer(text, len(head))):
            tags, seconds, uri = m.groups()
            told = re.search(r"^#HINDCAST-FORMAT:.*\n", tags, re.M)
            current = told[0] if told else current
            tags = re.sub(r"^#HINDCAST-FORMAT:.*\n", "", tags, flags=re.M)
            if i in numbers and "#EXT-X-GAP" not in tags:
                os.unlink(os.path.join(store, "fip", r, uri))
                at = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime((first + i) * T))
                kept = "#EXT-X-DISCONTINUITY\n" if "#EXT-X-DISCONTINUITY\n" in tags else ""
                tags, seconds = kept + f"#EXT-X-PROGRAM-DATE-TIME:{at}\n#EXT-X-GAP\n", f"{T}.000000"
            if "#EXT-X-GAP" not in tags:
                out += "" if shown == current else current
                shown = current
                n, d = int(re.search(r"bytes=(\d+)", tags)[1]), round(float(seconds) * 1000000)
                peak, size, us = max(peak, -(-n * 8000000 // d) if d >= T * 500000 else 0), size + n, us + d
            out += f"{tags}#EXTINF:{seconds},\n{uri}\n"
        mean = -(-size * 8000000 // us) if us else 0
        out += f"#HINDCAST-RATE:peak={peak},mean={mean},bytes={size},duration_us={us}\n#EXT-X-ENDLIST\n"
        with open(path, "w") as f:
            f.write(out)


def drop(store, hour):
    for r in RENDITIONS:
        os.unlink(os.path.join(store, "fip", r, hour + ".m3u8"))
        shutil.rmtree(os.path.join(store, "fip", r, hour))


def heal(config, *argv, seconds=120):
    p = subprocess.run([os.path.join(BUILD, "rewind"), "-c", config, "heal", *(argv or ("fip",))], capture_output=True, text=True,
                       timeout=seconds)
    return p.returncode, p.stdout + p.stderr


def origin(folder, store, name="origin"):
    return Origin(ini(folder, name + ".ini", store))


def url(o):
    return f"http://127.0.0.1:{o.port}"


# --- from a good peer


def holes(folder):
    """holes of every kind are healed from an origin, byte for byte"""
    peer = origin(folder, prepare())
    for what, make in (
            ("a whole hour", lambda s: drop(s, HOURS[1])),
            ("two hours, one of them the oldest, which has no beginning", lambda s: (drop(s, HOURS[0]), drop(s, HOURS[2]))),
            ("gaps in the middle", lambda s: punch(s, HOURS[1], {7, 100, 101, 102, 200})),
            ("gaps at an hour's begin and end", lambda s: (punch(s, HOURS[1], {0, 1, FULL - 1}), punch(s, HOURS[2], {0, FULL - 2, FULL - 1}))),
            ("all of an hour's entries, as gaps", lambda s: punch(s, HOURS[2], set(range(FULL))))):
        store = copy(folder)
        make(store)
        config = ini(folder, "own.ini", store, peer=url(peer))
        lacking = len(tree(prepare())) - len(tree(store))
        code, said = verify(store)
        ok(code == 0 and lacking > 0, f"{what}: the store is good before", said)
        before = tree(store)
        code, said = heal(config, "fip", "-n")
        ok(code == 0 and re.search(r"^\d+ segments to be had$", said, re.M) and tree(store) == before, f"{what}: -n tells and does nothing", said)
        code, said = heal(config)
        ok(code == 0, f"{what}: heal", code, said)
        ok(different(store, prepare()) == [], f"{what}: the same as the peer's", *different(store, prepare())[:5])
        code, said = verify(store)
        ok(code == 0, f"{what}: verify", said)
        code, said = heal(config)
        ok(code == 0 and said.startswith("0 segments"), f"{what}: nothing is left to be done", said)
        shutil.rmtree(store)
    peer.stop()


def span(folder):
    """--from and --to, one rendition, and what stands in the way"""
    peer = origin(folder, prepare())
    store = copy(folder)
    punch(store, HOURS[1], {5})
    punch(store, HOURS[2], {5})
    config = ini(folder, "own.ini", store)
    code, said = heal(config)
    ok(code == 2 and "no peer" in said, "without a peer: says so", code, said)
    code, said = heal(config, "fip/t", "--peer", url(peer), "--from", wall((BASE + 2 * HOUR) * NS), "--to", wall((BASE + 2 * HOUR + 1) * NS))
    ok(code == 0 and said.startswith("1 segment, %d bytes, in 1 hour file; 0 refused\n" % os.path.getsize(
        os.path.join(store, "fip", "t", List(read(os.path.join(store, "fip", "t", HOURS[2] + ".m3u8"))).entries[5].uri))),
       "one hour of one rendition", code, said)
    ok(len(different(store, prepare())) == 6, "and no other", *different(store, prepare()))
    for argv, want in ((("nobody",), "does not describe"), (("fip/x",), "no rendition"), (("fip", "--peer", "ftp://x"), "want http://"),
                       (("fip", "--json"), "not for"), ((), "want a station")):
        p = subprocess.run([os.path.join(BUILD, "rewind"), "-c", config, "heal", *argv], capture_output=True, text=True, timeout=20)
        ok(p.returncode == 2 and want in p.stderr, f"heal {' '.join(argv)}: refused", p.returncode, p.stderr)
    live = Program("segmenter", "-c", config)
    live.wait("ready")
    code, said = heal(config, "fip", "--peer", url(peer))
    ok(code == 2 and "heals by itself" in said, "while a segmenter writes: refused, with the way out", code, said)
    live.end()
    peer.stop()


def lists(folder):
    """lists over the healed span, through an origin that has read it before"""
    peer = origin(folder, prepare())
    store = copy(folder)
    punch(store, HOURS[1], set(range(50, 60)))
    drop(store, HOURS[2])
    own = origin(folder, store, "here")
    path = "/fip/t/index.m3u8?from=%s&to=%s" % tuple(time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(t)) for t in (BASE + HOUR, BASE + 3 * HOUR))
    before, want = ask(own.port, path), ask(peer.port, path)
    hour = f"/fip/t/{HOURS[1]}.m3u8"
    hour_before = ask(own.port, hour)
    ok(before.status == 200 and before.body.count(b"#EXT-X-DISCONTINUITY\n") == 1 and before.body.count(b".ts") == FULL - 10,
       "before: the hole is left out", before.body[:300])
    code, said = heal(ini(folder, "own.ini", store, peer=url(peer)))
    ok(code == 0, "heal", said)
    until, after = time.monotonic() + 10, before
    while after.body != want.body and time.monotonic() < until:
        time.sleep(0.1)
        after = ask(own.port, path)
    ok(after.body == want.body and after["etag"] == want["etag"], "after: the peer's list, its ETag too", after["etag"], want["etag"])
    ok(ask(own.port, hour).body == ask(peer.port, hour).body != hour_before.body, "and its hour file")
    a = ask(own.port, path, If_None_Match=before["etag"])
    ok(a.status == 200, "who has the old one gets the new one", a.status)
    own.stop()
    peer.stop()


# --- discontinuity numbers


def renumber(store, rendition, hours, by):
    """As a store that never saw a discontinuity tells all that comes after it."""
    for name in [h + e for h in hours for e in (".m3u8", ".m3u8.part")] + ["index.m3u8"]:
        path = os.path.join(store, "fip", rendition, name)
        if os.path.exists(path):
            text = re.sub(r"(DISCONTINUITY-SEQUENCE:)(\d+)", lambda m: m[1] + str(int(m[2]) + by), read(path), count=1)
            with open(path, "w") as f:
                f.write(text)


def numbers(folder):
    """numbers of discontinuities follow in all later hours, the unfinished one and the live list"""
    change = os.path.join(folder, "change.aac")
    audio = read(os.path.join(MEDIA, AUDIO), "rb")
    other = read(os.path.join(MEDIA, "aac_lc_44100_stereo_64k.aac"), "rb")
    with open(change, "wb") as f:
        f.write(audio + audio + other + audio * 3 + other + audio * 8)
    prepare()
    peer_store = lay(folder, "changes", change, START * NS)
    flags = [[e.msn for e in List(read(os.path.join(peer_store, "fip", "t", h + ".m3u8"))).entries if e.discontinuity] for h in HOURS[:3]]
    ok(len(flags[1]) >= 2, "the audio of one hour has changes of format", flags)
    peer = origin(folder, peer_store)
    for what, make in (("the hour that has them was missing", lambda s: drop(s, HOURS[1])),
                       ("it was gaps", lambda s: punch(s, HOURS[1], set(range(FULL))))):
        store = os.path.join(folder, "own")
        clone(peer_store, store)
        for r in RENDITIONS:
            os.unlink(os.path.join(store, "fip", r, ".lock"))
        make(store)
        for r in RENDITIONS:
            if "gaps" in what:
                path = os.path.join(store, "fip", r, HOURS[1] + ".m3u8")
                text = read(path).replace("#EXT-X-DISCONTINUITY\n", "")
                with open(path, "w") as f:
                    f.write(text)
            renumber(store, r, HOURS[2:], -len(flags[1]))
        for r in RENDITIONS:
            code, said = verify(store, "fip/" + r)
            ok(code == 0, f"{what}: {r} is good before", said)
        code, said = heal(ini(folder, "own.ini", store, peer=url(peer)))
        ok(code == 0 and different(store, peer_store) == [], f"{what}: the peer's numbers everywhere", code, said, *different(store, peer_store))
        code, said = verify(store)
        ok(code == 0, f"{what}: verify", said)
        shutil.rmtree(store)
    peer.stop()


def seams(folder):
    """own audio that was anchored anew behind the gap, off the peer's sample count by less than a frame"""
    peer = origin(folder, prepare())
    full = read(shared["audio"], "rb")
    edges = frame_edges(full)
    store, late = os.path.join(folder, "own"), 7 * 10**6
    cut, resume = 1600 * 48000 // 1024, 2400 * 48000 // 1024  # frames
    first, rest = write(folder, "first.aac", full[:edges[cut]]), write(folder, "rest.aac", full[edges[resume]:])
    lay(folder, "before", first, START * NS, store)
    lay(folder, "after", rest, START * NS + resume * 1024 * NS // 48000 + late, store)
    code, said = verify(store)
    ok(code == 0, "the store is good before", said)
    name = os.path.join(store, "fip", "t", HOURS[1] + ".m3u8")
    kept = {e.uri: read(os.path.join(store, "fip", "t", e.uri), "rb") for e in List(read(name)).entries if not e.gap}
    code, said = heal(ini(folder, "own.ini", store, peer=url(peer)))
    bad, found = verify(store)
    ok(code == 0 and bad == 0, "heal and verify", said, found)
    entries = [e for h in HOURS[:3] for e in List(read(os.path.join(store, "fip", "t", h + ".m3u8"))).entries]
    ok(not any(e.discontinuity or (e.gap and e.msn * T >= START) for e in entries), "no gap, and no discontinuity",
       [e.msn for e in entries if e.discontinuity])
    ok(len(kept) > 100 and all(read(os.path.join(store, "fip", "t", u), "rb") == b for u, b in kept.items()), "what was there stays")
    peer.stop()


def frame_edges(data):
    at, out = 0, []
    while at + 7 <= len(data):
        out.append(at)
        at += (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
    return out


# --- by itself


def automatic(folder):
    """a segmenter heals by itself, from the peer that is there"""
    peer = origin(folder, prepare())
    store = copy(folder)
    punch(store, HOURS[1], {0, 17, FULL - 1})
    drop(store, HOURS[2])
    p = segmenter(folder, read(ini(folder, "own.ini", store, peer=f"http://127.0.0.1:1 {url(peer)}")))
    until("four hours are healed", lambda: len(p.said("hour is healed")) >= 4, 100)
    ok(metric(p, "heal_segments_total") == 2 * (3 + FULL) and metric(p, "heal_hours_total") == 4, "all that lacked is counted")
    ok(metric(p, "heal_peers_down") == 1 and metric(p, "heal_peer_failures_total") >= 1, "and the peer that is away")
    ok(len(p.said("peer is away")) >= 1, "which is told", p.tail())
    ok(p.end() == 0, "it ends", p.tail())
    wrong = [n for n in different(store, prepare()) if not n.endswith("index.m3u8") and max(re.findall(r"\d{8}T\d\d", n)) < HOURS[3]]
    ok(wrong == [], "the same as the peer's", *wrong[:5])
    code, said = verify(store)
    ok(code == 0, "verify", said)
    peer.stop()


def hanging(folder):
    """a peer that hangs holds up neither what is written nor the end; what it left is cleared away at the next start"""
    served = threading.Semaphore(20)

    def lie(h, path, body):
        if is_segment(path) and not served.acquire(blocking=False):
            asked.set()
            let_go.wait(60)
        return False
    asked, let_go = threading.Event(), threading.Event()
    peer = Liar(prepare(), lie)
    store = copy(folder)
    drop(store, HOURS[2])
    config = read(ini(folder, "own.ini", store, f"[input fip/RENDITION main]\ntype = file\npath = {shared['audio']}\nloop = yes\n",
                      peer=f"http://127.0.0.1:{peer.port}"))
    p = segmenter(folder, config)
    ok(asked.wait(60), "the peer hangs")
    newest = os.path.join(store, "fip", "t", time.strftime("%Y%m%dT%H.m3u8.part", time.gmtime()))
    until("entries of now", lambda: os.path.exists(newest), 60)
    first = len(List(read(newest)).entries)
    until("another one", lambda: len(List(read(newest)).entries) > first, 40)
    code, said = verify(store)
    ok(code == 0, "verify, while segments are there that are not listed", said)
    began = time.monotonic()
    ok(p.end() == 0 and time.monotonic() - began < 10, "it ends soon", time.monotonic() - began, p.tail())
    let_go.set()
    peer.close()
    code, said = verify(store)
    ok(code == 0, "verify, after it", said)
    p = segmenter(folder, config)
    code, said = verify(store)
    ok(code == 0, "verify, after the next start", said)
    p.end()


# --- joining late


def joining(folder):
    """who begins late, and who was away, goes on where the peer is: the same entries and segments from there on"""
    prepare()
    change = os.path.join(folder, "change.aac")
    audio = read(os.path.join(MEDIA, "aac_lc_44100_stereo_64k.aac"), "rb")
    with open(change, "wb") as f:
        for _ in range(3):  # of a minute: half a minute of another format begins in its middle
            f.write(audio[:frame_edges(audio)[-1]])
        f.write(read(os.path.join(MEDIA, "aac_lc_48000_stereo_128k.aac"), "rb") * 6)
    start = time.time_ns() - 20 * NS

    def config(name, store, peer=None):
        text = f"[store]\npath = {os.path.join(folder, store)}\nmin_free = 0\nsync = none\n" + (f"peer = {peer}\n" if peer else "")
        return write(folder, name, text + f"""[segmenter]
metrics = 127.0.0.1:0
[origin]
listen = 127.0.0.1:0
threads = 1
[station s]
segment = 2
window = 12
renditions = a
[rendition s/a]
[input s/a main]
type = file
path = {change}
start = {wall(start)}
pace = real
""")

    def entries(store):
        """By number, with the format that is in force and the discontinuity number."""
        out = {}
        for name in sorted(n for n in os.listdir(os.path.join(folder, store, "s", "a")) if ".m3u8" in n and n[0] == "2"):
            text = read(os.path.join(folder, store, "s", "a", name))
            at = List(text)
            sequence, form = at.discontinuity_sequence, ""
            for e in at.entries:
                told = re.search(r"^#HINDCAST-FORMAT:.*\n", e.tags, re.M)
                form, sequence = told[0] if told else form, sequence + e.discontinuity
                out[e.msn] = (sequence, None) if e.gap else (sequence, form, re.sub(r"^#HINDCAST-FORMAT:.*\n", "", e.tags, flags=re.M), e.seconds)
        return out

    def same_from(first, what, count):
        def both():
            mine, theirs = entries("own"), entries("live")
            return [(mine[k], theirs[k]) for k in sorted(mine) if k in theirs and k >= first and mine[k][1]]
        until(what, lambda: len(both()) >= count, 60)
        ok(all(a == b for a, b in both()), what, *[x for a, b in both() if a != b for x in (a, b)][:4])

    live = Program("segmenter", "-c", config("live.ini", "live"))
    live.wait("ready")
    until("segments", lambda: os.path.exists(os.path.join(folder, "live", "s", "a", "index.m3u8")))
    peer = Origin(config("origin.ini", "live"))
    time.sleep(2)
    own = Program("segmenter", "-c", config("own.ini", "own", url(peer)))
    own.wait("joins where the peer is")
    same_from(0, "who begins late writes what the peer writes", 3)
    ok(own.end() == 0, "it is away")
    gone = max(entries("own"))  # the segment after it was begun: it is finished with silence
    until("a discontinuity meanwhile", lambda: max(v[0] for v in entries("live").values()) > 0 and max(entries("live")) > gone + 4, 90)
    own = Program("segmenter", "-c", config("own.ini", "own", url(peer)))
    own.wait("joins where the peer is")
    same_from(gone + 2, "who was away goes on with what the peer writes, and its discontinuity number", 3)
    mine, theirs = entries("own"), entries("live")
    ok(all(mine[k][0] == theirs[k][0] for k in mine if k in theirs), "which stands at the same number",
       [(k, mine[k][0], theirs[k][0]) for k in mine if k in theirs and mine[k][0] != theirs[k][0]])
    ok(own.end() == 0 and live.end() == 0, "both end")
    code, said = verify(os.path.join(folder, "own"))
    ok(code == 0, "verify", said)
    peer.stop()
    own = Program("segmenter", "-c", config("own.ini", "nothing", url(peer)))
    began = time.monotonic()
    own.wait("begins without a peer")
    own.wait(" ready\\b")
    ok(time.monotonic() - began < 8, "without an answer it begins all the same, and says so")
    own.end()


# --- from a peer that lies


class Liar(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """Serves the peer's store; `lie(handler, path, body)` may answer instead by returning True."""
    daemon_threads = True

    def __init__(self, store, lie):
        self.store, self.lie, self.asked = store, lie, []
        super().__init__(("127.0.0.1", 0), LiarHandler)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        pass

    def close(self):
        self.shutdown()
        self.server_close()


class LiarHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        path = os.path.join(self.server.store, self.path.lstrip("/"))
        self.server.asked.append(self.path)
        body = read(path, "rb") if os.path.isfile(path) else None
        if self.server.lie(self, self.path, body):
            return
        self.answer(200 if body is not None else 404, body or b"")

    def answer(self, status, body, **fields):
        self.send_response(status)
        for k, v in {"Content-Length": str(len(body)), **fields}.items():
            self.send_header(k, v)
        self.end_headers()
        self.wfile.write(body)


def flipped(body, at):
    return body[:at] + bytes([body[at] ^ 1]) + body[at + 1:]


def is_segment(path):
    return not path.endswith(".m3u8")


def of_segments(change):
    def lie(h, path, body):
        if is_segment(path) and body:
            h.answer(200, change(body))
            return True
    return lie


def of_lists(change):
    def lie(h, path, body):
        if not is_segment(path) and body:
            h.answer(200, change(body.decode()).encode())
            return True
    return lie


def endless(what, chunked=False):
    def lie(h, path, body):
        if is_segment(path) != (what == "segment"):
            return False
        h.send_response(200)
        h.send_header("Transfer-Encoding" if chunked else "Connection", "chunked" if chunked else "close")
        h.end_headers()
        piece = (b"#EXTM3U\n" if what == "list" else b"G" * 188) * 400
        while True:
            h.wfile.write((b"%x\r\n" % len(piece) if chunked else b"") + piece + (b"\r\n" if chunked else b""))
    return lie


def endless_head(h, path, body):
    h.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        h.wfile.write(b"X-A: " + b"a" * 1000 + b"\r\n")


def redirect(h, path, body):
    h.answer(302, b"", Location=f"http://127.0.0.1:{h.server.port}/elsewhere{path}")
    return True


def short(h, path, body):
    if is_segment(path) and body:
        h.answer(200, body[:1000], **{"Content-Length": str(len(body))})
        h.close_connection = True
        return True


def facts(name, change):
    """Every entry of the hour file tells something else."""
    return of_lists(lambda t: re.sub(rf"\b{name}=(\w+)", lambda m: f"{name}={change(m[1])}", t))


def plus(v):
    return str(int(v) + 1)


def lies(folder):
    """a peer that lies gets nothing into the store"""
    prepare()
    status_of = {500: 1, 403: 1, 404: 0}
    cases = [
        ("segments with a flipped bit", of_segments(lambda b: flipped(b, len(b) // 2)), 1),
        ("segments that are cut", of_segments(lambda b: b[:-188]), 1),
        ("segments that are longer", of_segments(lambda b: b + b[:188]), 1),
        ("empty segments", of_segments(lambda b: b""), 1),
        ("segments that break off", short, 1),
        ("endless segments", endless("segment"), 1),
        ("endless segments in chunks", endless("segment", True), 1),
        ("endless lists", endless("list"), 1),
        ("an endless head", endless_head, 1),
        ("redirects", redirect, 1),
        ("another hour's list", lambda h, p, b: not is_segment(p) and (h.answer(200, read(os.path.join(
            h.server.store, os.path.dirname(p).lstrip("/"), HOURS[2] + ".m3u8"), "rb")), True)[1], 1),
        ("HTML", of_lists(lambda t: "<html></html>"), 1),
        ("an empty list", of_lists(lambda t: ""), 1),
        ("a list cut in the middle", of_lists(lambda t: t[:len(t) // 2]), 1),
        ("a list without its end", of_lists(lambda t: t.replace("#EXT-X-ENDLIST\n", "")), 1),
        ("a list of another segment duration", of_lists(lambda t: t.replace("segment=10", "segment=5").replace("DURATION:10", "DURATION:5")), 1),
        ("names that lead out", of_lists(lambda t: re.sub(r"^2.*T../", "../../", t, flags=re.M)), 1),
        ("a forged xxh64", facts("xxh64", lambda v: f"{int(v, 16) ^ 1:016x}"), 1),
        ("forged sizes", facts("bytes", plus), 1),
        ("huge sizes", facts("bytes", lambda v: "1000000000000"), 1),
        ("forged counts of frames", facts("frames", plus), 1),
        ("forged bytes of audio", facts("audio", plus), 1),
        ("forged samples", facts("samples", plus), 1),
        ("forged PTS", facts("sample", plus), 1),
        ("a forged anchor", facts("anchor", plus), 1),
        ("a forged fill", facts("fill", lambda v: "100000"), 1),
        ("a forged format", facts("header", lambda v: "fff15080"), 1),
        ("forged durations", of_lists(lambda t: re.sub(r"(EXTINF:\d+\.\d{5})(\d)", lambda m: m[1] + str((int(m[2]) + 1) % 10), t)), 1),
        ("times of another day", of_lists(lambda t: re.sub(r"DATE-TIME:\d{4}", "DATE-TIME:2001", t)), 1),
        *((f"status {s}", lambda h, p, b, s=s: (h.answer(s, b"no"), True)[1], left) for s, left in status_of.items())]
    store = copy(folder)
    punch(store, HOURS[1], {0, 50, 51, FULL - 1})
    before, hour = tree(store), read(os.path.join(store, "fip", "t", HOURS[1] + ".m3u8"))
    for what, lie, left in cases:
        liar = Liar(prepare(), lie)
        began = time.monotonic()
        code, said = heal(ini(folder, "own.ini", store, peer=f"http://127.0.0.1:{liar.port}"), "fip", "--from", wall((BASE + HOUR) * NS),
                          "--to", wall((BASE + HOUR + 1) * NS))
        took = time.monotonic() - began
        same = tree(store) == before and read(os.path.join(store, "fip", "t", HOURS[1] + ".m3u8")) == hour
        ok(code == left and same and took < 30, f"{what}: nothing is entered, and it is told", code, f"{took:.1f} s", said,
           *(tree(store).keys() ^ before.keys()))
        ok(not any("elsewhere" in p or ".." in p for p in liar.asked), f"{what}: nothing else is asked for", liar.asked[:5])
        liar.close()
    code, said = verify(store)
    ok(code == 0, "verify, after all that", said)
    # some good, some not: the good are entered
    liar = Liar(prepare(), lambda h, p, b: "5000Z" in p and (h.answer(200, b"no"), True)[1])
    code, said = heal(ini(folder, "own.ini", store, peer=f"http://127.0.0.1:{liar.port}"))
    liar.close()
    del code
    peer = origin(folder, prepare())
    code, said = heal(ini(folder, "own.ini", store, peer=f"http://127.0.0.1:1 {url(peer)}"))
    ok(different(store, prepare()) == [], "a second peer has what the first does not answer for", code, said)
    peer.stop()


def present(folder):
    """what is there is never overwritten"""
    peer = origin(folder, prepare())
    store = copy(folder)
    text = read(os.path.join(store, "fip", "t", HOURS[1] + ".m3u8"))
    entries = List(text).entries
    punch(store, HOURS[1], {30, 31}, "t")
    strange = os.path.join(store, "fip", "t", entries[30].uri)
    with open(strange, "wb") as f:
        f.write(b"mine")
    good = os.path.join(store, "fip", "t", entries[31].uri)
    shutil.copy2(os.path.join(prepare(), "fip", "t", entries[31].uri), good)
    inode = os.stat(good).st_ino
    code, said = heal(ini(folder, "own.ini", store, peer=url(peer)))
    ok(code == 1 and "1 refused" in said, "a file with other bytes is in the way: told", code, said)
    now = List(read(os.path.join(store, "fip", "t", HOURS[1] + ".m3u8"))).entries
    ok(now[30].gap and not now[31].gap and os.stat(good).st_ino == inode, "what has the right bytes is entered as it is")
    peer.stop()


# --- kills


def kills(folder):
    """killed at any moment: the store is good, and the next run goes on"""
    seed = int(os.environ.get("SEED", time.time_ns() % 100000))
    print("# SEED=%d" % seed, flush=True)
    chance = random.Random(seed)
    # each segment takes a moment, so that kills fall everywhere
    peer = Liar(prepare(), lambda h, p, b: time.sleep(0.001) and False)
    store = copy(folder)
    drop(store, HOURS[1])
    punch(store, HOURS[2], set(range(0, FULL, 3)))
    config = ini(folder, "own.ini", store, peer=f"http://127.0.0.1:{peer.port}")
    wrong, killed, code = [], 0, 1
    for i in range(60 if os.environ.get("SOAK") else 15):
        p = subprocess.Popen([os.path.join(BUILD, "rewind"), "-c", config, "heal", "fip"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            code = p.wait(chance.uniform(0.02, 0.9))
            if code == 0:
                break
        except subprocess.TimeoutExpired:
            p.kill()
            p.wait()
            killed += 1
        bad, said = verify(store)
        if bad:
            wrong.append(said)
    ok(killed >= 5 and not wrong, f"{killed} kills, and each leaves a good store", *wrong)
    code, said = heal(config)
    ok(code == 0 and different(store, prepare()) == [], "then all is healed", said, *different(store, prepare())[:5])
    left = [n for at, _, names in os.walk(store) for n in names if n.startswith((".tmp", ".heal"))]
    ok(not left, "nothing is left behind", left)
    peer.close()


if __name__ == "__main__":
    wanted = [t for t in (holes, span, lists, numbers, seams, automatic, hanging, joining, present, kills, lies) if t.__name__ in os.environ.get("ONLY", t.__name__)]
    main(*wanted)
