#!/usr/bin/env python3
"""Independent players against the real programs: what segmenter and origin put out must be heard in ffmpeg, mpv, VLC, GStreamer
and, through the player page, hls.js, live from origin and from the store's files behind a plain nginx; while they play, every
list is held to RFC 8216. Players that are not installed are skipped, ffmpeg is not optional."""
import concurrent.futures
import datetime
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import traceback
import urllib.error
import urllib.request

from failing import BUILD, MEDIA, ROOT, Encoder, Program, end_all, ok, results, until, write
from hindcast import NS, List, Segment, ticks_apart

LIVE_S, SHORT_S, WATCH_S = 30, 12, 60
RATE = 44100  # what every station is decoded to
LC, LOW = "aac_lc_44100_stereo_128k.aac", "aac_lc_44100_stereo_64k.aac"


class Station:
    """`files`: one a rendition, looped; frames of `samples` at the decoded rate; `codec` as ffprobe says it."""

    def __init__(self, name, form, files, samples, codecs, codec):
        self.name, self.form, self.files, self.samples, self.codecs, self.codec = name, form, files, samples, codecs, codec

    def one_hour(self):
        return Station(self.name, self.form, [HOURS.get(self.name, self.files[0])], self.samples, self.codecs, self.codec)

    def ini(self, suffix="", start="-2m"):
        text = f"[station {self.name}{suffix}]\nrenditions = {' '.join('ab'[:len(self.files)])}\n"
        for rendition, media in zip("ab", self.files):
            text += (f"[rendition {self.name}{suffix}/{rendition}]\nformat = {self.form}\n"
                     f"[input {self.name}{suffix}/{rendition} loop]\ntype = file\npath = {os.path.join(MEDIA, media)}\n"
                     f"loop = yes\nstart = {start}\n")
        return text


STATIONS = [
    Station("lc", "ts", [LC, LOW], 1024, "mp4a.40.2", "aac LC"),
    Station("packed", "packed", [LC, LOW], 1024, "mp4a.40.2", "aac LC"),
    Station("he", "ts", ["heaac_v1_44100_stereo_48k.aac"], 2048, "mp4a.40.5", "aac HE-AAC"),
    Station("hev2", "ts", ["heaac_v2_44100_stereo_24k.aac"], 2048, "mp4a.40.29", "aac HE-AACv2"),
    Station("mp3", "ts", ["mp3_cbr128_44100_js.mp3"], 1152, "mp4a.40.34", "mp3 unknown"),
    Station("mp3-packed", "packed", ["mp3_cbr64_44100_mono.mp3"], 1152, "mp4a.40.34", "mp3 unknown"),
]
# the same formats again, one rendition each, from the hour before last on: there the hour before is complete
HOURS = {"lc": LOW, "packed": LOW, "mp3": "mp3_cbr64_44100_mono.mp3"}

# A change of rate every ten seconds in one rendition makes both begin a new time line; the outage is made below.
OTHERS = f"""[station outage]
segment = 2
fill_limit = 6s
renditions = a
[rendition outage/a]
[input outage/a encoder]
type = icecast-source
mount = /outage
password = hackme
[station waiting]
renditions = a
[rendition waiting/a]
[input waiting/a encoder]
type = icecast-source
mount = /waiting
password = hackme
"""
CHANGE = Station("change", "ts", ["change_44100_to_48000.aac", LOW], 1024, "", "")
OUTAGE_S = 18

# ---- what players may say

SILENT_ID3 = [
    # Timed ID3 is announced in every PMT and has no packet before the first title; libavformat says so of any such stream.
    r"start time for stream \d+ is not set in estimate_timings_from_pts",
    r"Unsupported codec with id 98313 for input stream \d+",
]
PACKED_MP3 = [
    # libavformat's hls demuxer takes the timestamp of a segment for the two or three MP3 frames of the one before that its
    # parser still holds (it reads 1024 bytes at a time), so its own times step by frames. What is decoded is counted below.
    r"Non-monotonous DTS in output stream",
    r"Invalid audio PTS: \S+ -> \S+$",  # mpv, which reads with libavformat
]
VLC_KNOWN = [
    # no desktop here: D-Bus, hot keys, a folder for the settings
    r"dbus|globalhotkeys|no suitable interface|could not create",
    # FAAD returns nothing for the first frame after a start, since it overlaps with the one before
    r"faad decoder warning: decoded zero sample",
    # how long this machine, busy with other players, took
    r"is called too late|buffer deadlock prevented|buffer too late|playback too late",
]


def unexpected(text, known=()):
    lines = [line for line in text.splitlines() if line.strip()]
    return "\n".join(line for line in lines if not any(re.search(k, line) for k in known))


def run(seconds, *argv):
    """Exit code, standard output and error."""
    p = subprocess.run(["timeout", "-k", "2", str(seconds), *argv], stdin=subprocess.DEVNULL, capture_output=True)
    return p.returncode, p.stdout.decode(errors="replace"), p.stderr.decode(errors="replace")


# ---- players: each returns what was wrong, "" if nothing


def ffprobe(station, url):
    code, out, err = run(60, "ffprobe", "-v", "warning", "-select_streams", "a:0", "-show_entries",
                         "stream=codec_name,profile,sample_rate", "-of", "default=nw=1:nk=1", url)
    want = f"{station.codec} {RATE}"
    got = " ".join(out.split("\n")[:3])
    return unexpected(err, SILENT_ID3) or ("" if code == 0 and got == want else f"exit code {code}, {got}, not {want}")


def ffmpeg(station, url, seconds):
    """Decode `seconds`, or all when `seconds` is text: what the list says it is. Every sample is there, at its time."""
    live = not isinstance(seconds, str)
    code, out, err = run(120, "ffmpeg", "-v", "warning", *(["-t", str(seconds)] if live else []), "-i", url, "-map", "0:a:0",
                         "-c:a", "pcm_s16le", "-f", "framecrc", "-")
    packed_mp3 = station.codec.startswith("mp3") and station.form == "packed"
    wrong = unexpected(err, SILENT_ID3 + (PACKED_MP3 if packed_mp3 else []))
    frames = [tuple(map(int, line.split(",")[2:4])) for line in out.splitlines() if not line.startswith("#")]
    samples = sum(duration for _, duration in frames)
    if code or wrong:
        return wrong or f"exit code {code}"
    # so many frames may be what the steps of PACKED_MP3 take away from a part that is cut by time
    frames_off = 8 if packed_mp3 and live else 1
    if abs(samples - float(seconds) * RATE) > frames_off * station.samples:
        return f"{samples / RATE} s decoded instead of {seconds}"
    # in the first PES libavformat may not know yet how long a frame is, and gives two of them the same time
    steps = [(at, n) for (pts, d), (n, _) in zip(frames, frames[1:]) if abs((at := pts + d) - n) > 1 and n > 0.7 * RATE]
    return f"samples out of their place: {steps[:8]}" if steps and not packed_mp3 else ""


def mpv(station, url, seconds):
    with tempfile.TemporaryDirectory() as folder:
        heard = os.path.join(folder, "heard.wav")
        code, out, err = run(90, "mpv", "--no-config", "--no-video", "--msg-level=all=warn",
                             "--ao=pcm", f"--ao-pcm-file={heard}", "--audio-format=s16", f"--length={seconds}", url)
        got = os.path.getsize(heard) if os.path.exists(heard) else 0
    return unexpected(out + err, PACKED_MP3) or enough(station, code, got, seconds)


def enough(station, code, size, seconds):
    channels = 1 if "mono" in station.files[0] else 2
    got = size / (RATE * 2 * channels)
    return "" if code == 0 and got > seconds - 1 else f"exit code {code}, {got:.1f} s heard of {seconds}"


def vlc(station, url, seconds):
    """VLC does not run as root."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        heard = os.path.join(folder, "heard")
        who = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.getuid() == 0 else []
        code, out, err = run(seconds + 10, *who, "env", f"HOME={folder}", "cvlc", "-v", "--no-color", "-I", "dummy", "--no-video",
                             "--aout=afile", f"--audiofile-file={heard}", "--audiofile-format=s16", "--no-audiofile-wav", url)
        got = os.path.getsize(heard) if os.path.exists(heard) else 0
    said = "\n".join(line for line in (out + err).splitlines() if re.search("warning|error", line))
    # it plays until it is told to end; the sound comes in real time, a few seconds after the start
    return unexpected(said, VLC_KNOWN) or enough(station, code % 124, got, seconds)


def gstreamer(station, url, seconds):
    """Buffers follow each other without a hole. A live list has no end, so the time that it may run is used up."""
    live = url.endswith("index.m3u8")
    code, out, err = run(seconds + 10 if live else 60, "gst-launch-1.0", "-v", "souphttpsrc", f"location={url}", "!", "hlsdemux", "!",
                         "decodebin", "!", "fakesink", "sync=false", "silent=false",
                         *([] if live else [f"num-buffers={seconds * RATE // 1024}"]))
    said = "\n".join(line for line in (out + err).splitlines() if re.search(r"\b(error|warning)\b", line, re.I))
    times = [tuple(sum(int(x) * 1000 ** 3 * 60 ** i for i, x in enumerate(reversed(t.split(".")[0].split(":")))) + int(t.split(".")[1])
                   for t in pair) for pair in re.findall(r"chain .* pts: ([\d:.]+), duration: ([\d:.]+)", out)]
    heard = sum(d for _, d in times) / NS
    steps = [(a, b) for (a, d), (b, _) in zip(times, times[1:]) if abs(a + d - b) > NS // 1000]
    if said or steps or heard < seconds - 1:
        return f"{said}\nexit code {code}, {heard:.1f} s heard of {seconds}, out of place: {steps[:8]}"
    return "" if code == 0 or live else f"exit code {code}\n{err}"


PLAYERS = {"mpv": mpv, "cvlc": vlc, "gst-launch-1.0": gstreamer}


# ---- lists, held to RFC 8216 while they are played


def fetch(url, method="GET"):
    request = urllib.request.Request(url, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as r:
            return r.status, r.read(), r.headers
    except urllib.error.HTTPError as e:
        return e.code, e.read(), e.headers


class Watcher:
    """Fetches the lists of one station again and again. Faults are words."""

    def __init__(self, url, name, renditions, segment, frame, seams=False):
        self.seams = seams  # its source comes and goes: from fill to real, walls may step by up to a frame
        self.base, self.renditions, self.segment, self.frame = f"{url}/{name}", renditions, segment, frame
        self.faults, self.seen, self.lists, self.pts, self.fetched = [], {}, {}, {}, 0
        self.numbers, self.targets, self.changed, self.discontinuities = {}, set(), {}, 0
        self.going = True
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def _watch(self):
        while self.going:
            try:
                for r in self.renditions:
                    self._rendition(r)
                self._siblings()
            except Exception:
                self.fault("-", traceback.format_exc())
            time.sleep(0.4)

    def fault(self, rendition, text):
        if len(self.faults) < 20:
            self.faults.append(f"{datetime.datetime.now():%T} {rendition}: {text}")

    def stop(self):
        self.going = False
        self.thread.join()
        return self.faults

    def _rendition(self, r):
        status, body, headers = fetch(f"{self.base}/{r}/index.m3u8")
        now = time.time()
        if status != 200:
            return self.fault(r, f"status {status}")
        self.fetched += 1
        text = body.decode()
        new, before = List(text), self.lists.get(r)
        if before and text == before.text:
            # RFC 8216 6.2.2: the next list comes within one and a half target durations
            if now - self.changed[r] > 1.5 * new.target + 1:
                self.fault(r, f"no new list for {now - self.changed[r]:.1f} s")
            return None
        self.lists[r], self.changed[r] = new, now
        self._list(r, new, before, now)
        return self._segments(r, new)

    def _list(self, r, new, before, now):
        self.targets.add(new.target)
        if new.ended or "EXT-X-PLAYLIST-TYPE" in new.text:
            self.fault(r, "a live list must neither end nor have a type")
        if before and (new.first < before.first or new.first + len(new.entries) <= before.first + len(before.entries)):
            self.fault(r, f"from {before.first}+{len(before.entries)} to {new.first}+{len(new.entries)}")
        if sum(e.microseconds for e in new.entries) < 3e6 * new.target:
            self.fault(r, "shorter than three target durations")
        age = now - new.entries[-1].start / NS - new.entries[-1].microseconds / 1e6
        # a second for a machine that is busy with other things
        if age > 1.5 * self.segment + 1:
            self.fault(r, f"the newest segment ended {age:.1f} s ago")
        number = new.discontinuity_sequence
        for i, e in enumerate(new.entries):
            number += e.discontinuity
            self._entry(r, new, e, number)
            if i:
                self._follows(r, new.entries[i - 1], e)

    def _entry(self, r, new, e, number):
        if round(e.microseconds / 1e6) > new.target:
            self.fault(r, f"{e.uri}: EXTINF {e.seconds} above the target duration {new.target}")
        was = self.seen.setdefault((r, e.msn), e)
        if was.key() != e.key():
            self.fault(r, f"was {was.key()} and is {e.key()}")
        if self.numbers.setdefault((r, e.msn), number) != number:
            self.fault(r, f"{e.msn} had the discontinuity number {self.numbers[r, e.msn]} and has {number}")
        self.discontinuities = max(self.discontinuities, number)
        # the number is the clock: the segment begins within half a frame of its grid line
        off = e.start / NS - e.msn * self.segment
        if abs(off) > self.frame / 2 + 0.001 and not e.gap:
            self.fault(r, f"{e.msn} begins {off:.4f} s off its grid line")

    def _follows(self, r, last, e):
        step = e.start / NS - last.start / NS - last.microseconds / 1e6
        whole = self.frame if self.seams or e.discontinuity or e.gap or last.gap else 0
        if abs(step) > whole + 0.002:
            self.fault(r, f"{e.msn} begins {step:.4f} s after the end of the segment before")

    def _segments(self, r, new):
        """The oldest and the newest are there; PTS of the newest."""
        for e in (new.entries[0], new.entries[-1]):
            if e.gap:
                continue
            known = (r, e.msn) in self.pts
            status, body, _ = fetch(f"{self.base}/{r}/{e.uri}", "HEAD" if known else "GET")
            if status != 200:
                self.fault(r, f"{e.uri} is listed: status {status}")
            elif not known:
                media = Segment(body, e.uri.endswith(".ts"))
                self.pts[r, e.msn] = media.pts, e.start, media.size * 8e6 / e.microseconds
        for rendition, msn in list(self.pts):
            if msn < new.first - 10:
                del self.pts[rendition, msn]

    def _siblings(self):
        if len(self.targets) > 1:
            self.fault("*", f"target durations {self.targets}")
        first, *others = self.renditions
        for other in others:
            for (r, msn), entry in list(self.seen.items()):
                twin = self.seen.get((other, msn))
                if r == first and twin:
                    self._pair(other, msn, entry, twin)

    def _pair(self, other, msn, a, b):
        first = self.renditions[0]
        if abs(a.start - b.start) / NS > self.frame + 0.001:
            self.fault(other, f"{msn} begins {(a.start - b.start) / NS:.4f} s apart")
        if self.numbers[first, msn] != self.numbers[other, msn]:
            self.fault(other, f"{msn} has the discontinuity numbers {self.numbers[first, msn]} and {self.numbers[other, msn]}")
        if (first, msn) in self.pts and (other, msn) in self.pts:
            (p, at, _), (q, then, _) = self.pts[first, msn], self.pts[other, msn]
            apart = ticks_apart(p, q) / 90000 - (at - then) / NS
            if abs(apart) > 0.1:
                self.fault(other, f"{msn}: timestamps {apart:.4f} s apart")


def multivariant(stack, station):
    """CODECS are those of the media, BANDWIDTH is at least what the segments weigh, and not much more."""
    text = fetch(f"{stack.origin}/{station.name}/index.m3u8")[1].decode()
    found = re.findall(r'BANDWIDTH=(\d+),AVERAGE-BANDWIDTH=(\d+),CODECS="(.*)"\n(.*)/index.m3u8', text)
    wrong = [] if len(found) == len(station.files) else [text]
    for peak, mean, codecs, r in found:
        rates = [rate for (rendition, _), (_, _, rate) in stack.watchers[station.name].pts.items() if rendition == r]
        if codecs != station.codecs or not max(rates) - 1 <= int(peak) <= 1.15 * max(rates) or int(mean) > int(peak):
            wrong.append(f"{r}: {peak} {mean} {codecs}; segments of up to {max(rates):.0f} bit/s")
    return "\n".join(wrong)


# ---- what plays


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Nginx:
    """The store as files, with no more than Debian's types."""

    def __init__(self, folder, store):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        conf = write(folder, "nginx.conf", f"""pid {folder}/nginx.pid;
daemon off;
user {'root' if os.getuid() == 0 else 'nobody'};
error_log {folder}/nginx.log;
events {{}}
http {{ include /etc/nginx/mime.types; access_log off; server {{ listen 127.0.0.1:{self.port}; root {store}; }} }}
""")
        self.process = subprocess.Popen(["nginx", "-e", f"{folder}/nginx.log", "-c", conf], stdin=subprocess.DEVNULL)

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Stack:
    """Segmenter, origin and nginx over one store."""

    def __init__(self, folder):
        self.store = os.path.join(folder, "store")
        os.mkdir(self.store)
        self.hour = int(time.time()) // 3600 * 3600 - 3600
        start = datetime.datetime.fromtimestamp(self.hour, datetime.timezone.utc)
        self.hour_name = f"{start:%Y%m%dT%H}"
        port = free_port()
        ini = (f"""[store]
path = {self.store}
sync = none
min_free = 0
[icecast-listener]
listen = 127.0.0.1:0
[origin]
listen = 127.0.0.1:{port}
player = {os.path.join(BUILD, "player")}
stale = STALE
""" + "".join(s.ini() for s in STATIONS) + CHANGE.ini() + OTHERS + "".join(
            s.one_hour().ini("-hour", start=f"{start:%Y-%m-%dT%H:%M:%SZ}") for s in STATIONS))
        serve = write(folder, "serve.ini", ini.replace("STALE", "serve"))
        refuse = write(folder, "refuse.ini", ini.replace("STALE", "error").replace(str(port), str(refusing := free_port())))
        self.segmenter = Program("segmenter", "-c", serve)
        self.segmenter.wait(" ready\\b")
        self.encoder_port = int(self.segmenter.wait(r"listening .*?:(\d+)\b")[1])
        self.encoder = Encoder(self.encoder_port, mount="/outage")
        Program("origin", "-c", serve).wait("listening")
        Program("origin", "-c", refuse).wait("listening")
        self.origin, self.refusing = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{refusing}"
        self.nginx = Nginx(folder, self.store) if shutil.which("nginx") else None
        self.watchers = {}
        for s in STATIONS + [CHANGE]:
            until(f"station {s.name}", lambda s=s: all(self.fresh(s.name, r) for r in "ab"[:len(s.files)]), 60)
            time.sleep(0.2)  # another thread of the origin may hold the list of up to 100 ms ago, when much less was laid in
            self.watchers[s.name] = Watcher(self.origin, s.name, "ab"[:len(s.files)], 6, s.samples / RATE)
        until("the encoder's station", lambda: fetch(f"{self.origin}/outage/a/index.m3u8")[1].count(b"EXTINF") > 4, 40)
        self.watchers["outage"] = Watcher(self.origin, "outage", "a", 2, 1024 / RATE, seams=True)

    def fresh(self, name, rendition):
        """The past is laid in."""
        status, body, _ = fetch(f"{self.origin}/{name}/{rendition}/index.m3u8")
        entries = List(body.decode()).entries if status == 200 else []
        return len(entries) >= 6 and time.time() - entries[-1].start / NS < 14

    def hour_path(self, station):
        return f"{station.name}-hour/a/{self.hour_name}.m3u8"

    def outage(self):
        first = self.encoder.stop()
        time.sleep(OUTAGE_S)
        self.encoder = Encoder(self.encoder_port, first, mount="/outage")

    def end(self):
        self.encoder.stop()
        for w in self.watchers.values():
            w.stop()
        if self.nginx:
            self.nginx.end()


def page(url, wanted, playing):
    """Plays stations on the player page: what is told of each, and of the rest. `playing` is called when sound comes from one."""
    script = os.path.join(ROOT, "tests", "browser", "listen.mjs")
    p = subprocess.Popen(["timeout", "-k", "2", "200", "node", script, url, *(f"{name}:{seconds}" for name, seconds in wanted)],
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    told, rest = {}, []
    for line in p.stdout:
        if line.startswith("playing "):
            playing(line.split()[1])
        elif line.startswith("{"):
            t = json.loads(line)
            told[t["station"]] = t
        else:
            rest.append(line)
    return told, f"exit code {p.wait()}\n{''.join(rest)}"


def heard(told, name, seconds, why, rest=2.0):
    t = told.get(name)
    if not t:
        return why
    fine = (not t["errors"] and not t["problems"] and t["played"] > seconds - rest and t["buffered"] > seconds / 2 and
            t["decoded"] > 0 and t["resting"] < 3)
    return "" if fine else json.dumps(t, indent=1)


def page_tests(stack):
    """Both origins' pages; the outage begins when its station is heard on both."""
    both = threading.Semaphore(0)

    def playing(name):
        if name == "outage":
            both.release()

    def outage():
        if both.acquire(timeout=60) and both.acquire(timeout=60):
            time.sleep(5)
            stack.outage()

    told, why = {}, ""
    for some in (STATIONS[:3], STATIONS[3:]):  # more pages at once are too much for two cores
        more, because = page(stack.origin, [(s.name, 20) for s in some], playing)
        told, why = told | more, why + because
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        pool.submit(outage)
        refused = pool.submit(page, stack.refusing, [("outage", 65)], playing)
        more, because = page(stack.origin, [("change", 60), ("outage", 65)], playing)
        told, why = told | more, why + because
        refused = refused.result()
    out = [(f"{s.name}: a click on the page's button is heard", heard(told, s.name, 20, why, 4)) for s in STATIONS]
    joints = stack.watchers["change"].discontinuities
    out.append((f"change: hls.js plays on over joint discontinuities ({joints} by now)",
                heard(told, "change", 60, why, 8) or ("" if joints > 3 else "there were none")))
    seen = [entry.gap for _, entry in sorted(stack.watchers["outage"].seen.items())]
    shape = re.sub(r"(.)\1*", r"\1", "".join("g" if gap else "m" for gap in seen))
    out.append(("outage: hls.js plays on through silence, gaps and the encoder's return, without an error",
                heard(told, "outage", 65, why, OUTAGE_S + 8) or ("" if shape == "mgm" else f"gaps were listed: {shape}")))
    t = refused[0].get("outage")
    fine = t and t["errors"] and t["resting"] < 3 and t["late"] < 30 and not [p for p in t["problems"] if "503" not in p]
    out.append(("outage: where the origin refuses a list without fresh audio the page says so, and plays again after it",
                "" if fine else json.dumps(t, indent=1) + refused[1]))
    return out


def play_tests(stack):
    """[(name, function)] of all that is played outside of a browser."""
    tests = []
    servers = [("origin", stack.origin)] + ([("nginx", stack.nginx.url)] if stack.nginx else [])
    for s in STATIONS:
        hour = os.path.join(stack.store, stack.hour_path(s))
        for server, url in servers:
            live, seconds = f"{url}/{s.name}/index.m3u8", LIVE_S if server == "origin" else SHORT_S
            tests += [(f"{s.name}: ffprobe, live from {server}", lambda s=s, u=live: ffprobe(s, u)),
                      (f"{s.name}: ffmpeg, {seconds} s live from {server}", lambda s=s, u=live, n=seconds: ffmpeg(s, u, n))]
            tests += [(f"{s.name}: {program}, live from {server}", lambda s=s, u=live, p=player: p(s, u, SHORT_S))
                      for program, player in PLAYERS.items() if shutil.which(program)]
        s = s.one_hour()
        tests.append((f"{s.name}: ffprobe, a complete hour from disk", lambda s=s, h=hour: ffprobe(s, h)))
        tests.append((f"{s.name}: ffmpeg, a complete hour from disk", lambda s=s, h=hour: whole_hour(s, h)))
        url = f"{servers[-1][1]}/{stack.hour_path(s)}"
        tests += [(f"{s.name}: {program}, a complete hour from {servers[-1][0]}", lambda s=s, u=url, p=player: p(s, u, SHORT_S))
                  for program, player in PLAYERS.items() if shutil.which(program)]
    return tests


def whole_hour(station, path):
    with open(path) as f:
        entries = List(f.read()).entries
    if len(entries) != 600 or any(e.gap for e in entries):
        return f"{len(entries)} segments, {sum(e.gap for e in entries)} of them gaps"
    return ffmpeg(station, path, str(sum(e.microseconds for e in entries) / 1e6))


def safely(test):
    try:
        return test()
    except Exception:
        return traceback.format_exc()


def everything(folder):
    stack = Stack(folder)
    began = time.monotonic()
    try:
        with concurrent.futures.ThreadPoolExecutor(8) as pool:  # they mostly wait for what is not yet on air
            for name, future in [(name, pool.submit(safely, test)) for name, test in play_tests(stack)]:
                why = future.result()
                ok(not why, name, why)
        browser = shutil.which("node") and shutil.which("chromium")
        for name, why in page_tests(stack) if browser else []:
            ok(not why, name, why)
        if browser:
            code, out, err = run(90, "env", f"ORIGIN_URL={stack.origin}/", "node", os.path.join(ROOT, "tests/scenario/player_page.mjs"))
            bad = re.findall(r"^not ok.*(?:\n#.*)*", out, re.M)
            ok(code == 0 and "\n1.." in out, "the player page on this origin", f"exit code {code}", *bad, err)
        time.sleep(max(0, WATCH_S - (time.monotonic() - began)))
        for s in STATIONS:
            why = multivariant(stack, s)
            ok(not why, f"{s.name}: CODECS and BANDWIDTH are true", why)
        for name, w in stack.watchers.items():
            ok(not w.stop() and w.fetched > 20, f"{name}: every one of {w.fetched} lists keeps to the rules", *w.faults)
        log = stack.segmenter.said(r"Z (warn|error) ")
        strange = [line for line in log if not re.search(r'input="outage/a|rendition=outage/a|station=outage', line)]
        ok(not strange, "the segmenter had nothing to complain of but the outage", *strange)
    finally:
        stack.end()


def main():
    for program, name in (("ffmpeg", "ffmpeg"), (os.path.join(BUILD, "segmenter"), "make")):
        if not shutil.which(program):
            print(f"Bail out! {program} is missing: install or run {name} first")
            return 1
    folder = tempfile.mkdtemp(prefix="hindcast-players-")
    try:
        everything(folder)
    except Exception:
        ok(False, "the test itself", traceback.format_exc())
    finally:
        end_all()
        shutil.rmtree(folder, ignore_errors=True)
    for program in [p for p in (*PLAYERS, "nginx", "chromium") if not shutil.which(p)]:
        ok(True, f"{program} # SKIP not installed")
    print(f"1..{len(results)}")
    return 0 if all(results) else 1


if __name__ == "__main__":
    raise SystemExit(main())
