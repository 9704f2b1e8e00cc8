"""What the scenarios of failure share: programs with a readable log, an encoder, an observer of the live list, TAP."""
import atexit
import base64
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))
MEDIA = os.path.join(ROOT, "tests", "media")
AAC = os.path.join(MEDIA, "aac_lc_44100_stereo_128k.aac")
T = 2
PATIENT = 20  # seconds that an event may take on a machine that is busy with other things

results = []
programs = []  # all that run
own = threading.local()  # programs and results of the test that a thread runs
printing = threading.Lock()


# --- TAP


def ok(good, name, *why):
    if hasattr(own, "results"):
        own.results.append((good, name, why))
    else:
        say(good, name, why)
    return good


def say(good, name, why):
    results.append(bool(good))
    print(f"{'ok' if good else 'not ok'} {len(results)} - {name}", flush=True)
    for line in "\n".join(map(str, why)).splitlines()[-30:] if not good else ():
        print("#", line[:400], flush=True)


def skip_all(why):
    print(f"1..0 # SKIP {why}\nok 1 - skipped # SKIP {why}", flush=True)
    sys.exit(0)


def perform(test):
    """One test in a folder of its own; that it breaks off is a failure, not the end."""
    folder = tempfile.mkdtemp(prefix="hindcast-")
    own.programs, own.later = [], []
    try:
        test(folder)
    except Exception:
        ok(False, test.__doc__ or test.__name__, traceback.format_exc(), *(p.tail() for p in own.programs))
    finally:
        for p in own.programs[:]:
            p.end(signal.SIGKILL)
        for tidy in own.later:
            tidy()
        shutil.rmtree(folder, ignore_errors=True)


def later(tidy):
    """Something to be done when this test is over and its programs have ended."""
    own.later.append(tidy)


def perform_aside(test):
    """The same in a thread, whose results come out in one piece."""
    own.results = []
    perform(test)
    with printing:
        print("#", test.__doc__, flush=True)
        for result in own.results:
            say(*result)


def main(*tests, at_once=False):
    """Run the tests one after the other, or all at once where they wait more than they work."""
    if at_once:
        threads = [threading.Thread(target=perform_aside, args=(test,)) for test in tests]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    else:
        for test in tests:
            perform(test)
    print(f"1..{len(results)}")
    sys.exit(0 if all(results) else 1)


# --- programs


class Program:
    """One of the project's programs, its log read line by line as it comes."""

    def __init__(self, name, *argv, env=None, prefix=()):
        self.name, self.lines, self.read = name, [], threading.Condition()
        self.process = subprocess.Popen([*prefix, os.path.join(BUILD, name), *argv],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        env=dict(os.environ, **(env or {})))
        self.over = False
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.lists = [programs, own.programs] if hasattr(own, "programs") else [programs]
        for each in self.lists:
            each.append(self)

    def _read(self):
        for line in self.process.stderr:
            with self.read:
                self.lines.append(line.decode("utf-8", "replace").rstrip("\n"))
                self.read.notify_all()
        with self.read:
            self.over = True
            self.read.notify_all()

    def mark(self):
        """Where the log is now, for `since`."""
        with self.read:
            return len(self.lines)

    def said(self, pattern, since=0):
        with self.read:
            return [line for line in self.lines[since:] if re.search(pattern, line)]

    def wait(self, pattern, since=0, seconds=PATIENT):
        """The first line that matches, or an exception."""
        until = time.monotonic() + seconds
        with self.read:
            while True:
                for line in self.lines[since:]:
                    if m := re.search(pattern, line):
                        return m
                left = until - time.monotonic()
                if self.over or left <= 0:
                    raise TimeoutError(f"{self.name} never said: {pattern}")
                self.read.wait(left)

    def tail(self, count=25):
        with self.read:
            return "\n".join([f"--- {self.name}"] + self.lines[-count:])

    def send(self, number):
        self.process.send_signal(number)

    def end(self, number=signal.SIGTERM, seconds=PATIENT):
        """Exit code; one that does not end is killed, which is -9."""
        if self.process.poll() is None:
            self.process.send_signal(number)
            if number != signal.SIGKILL:
                self.process.send_signal(signal.SIGCONT)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join(PATIENT)
        for each in self.lists:
            if self in each:
                each.remove(self)
        return self.process.returncode


@atexit.register
def end_all():
    for p in programs[:]:
        p.end(signal.SIGKILL)


def finish(name, *argv, env=None, prefix=(), seconds=PATIENT):
    """Run a program to its end: exit code, standard output, standard error."""
    p = subprocess.run([*prefix, os.path.join(BUILD, name), *argv], stdin=subprocess.DEVNULL, capture_output=True,
                       text=True, errors="replace", timeout=seconds, env=dict(os.environ, **(env or {})))
    return p.returncode, p.stdout, p.stderr


def segmenter(folder, ini, **how):
    """A segmenter that has said that it is ready, with the ports that it found."""
    p = Program("segmenter", "-c", write(folder, "hindcast.ini", ini), **how)
    p.wait(" ready\\b")
    p.ports = {}
    for line in p.said(r"listening "):
        service = re.search(r"service=(\w+)", line)[1]
        p.ports[service] = int(re.search(r"port=(\d+)|address=\S+:(\d+) service", line).expand(r"\1\2"))
    return p


def origin(folder, store):
    p = Program("origin", "-c", write(folder, "origin.ini", f"""[store]
path = {store}
{STATION}[origin]
listen = 127.0.0.1:0
threads = 1
"""))
    p.port = int(p.wait(r"listening .*?:(\d+)\b")[1])
    return p


def verify(store):
    """What `rewind verify` finds: "" when it finds no fault."""
    code, out, err = finish("rewind", "--store", store, "verify")
    return "" if code == 0 else f"exit code {code}\n{out}{err}"


def write(folder, name, data):
    path = os.path.join(folder, name)
    with open(path, "wb" if isinstance(data, bytes) else "w") as f:
        f.write(data)
    os.chmod(path, 0o640)
    return path


def until(what, condition, seconds=PATIENT):
    """Wait for a condition that no program announces; its value."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise TimeoutError(f"never came: {what}")
        time.sleep(0.05)
    return value


# --- configurations

STATION = f"""[station s]
segment = {T}
window = 12
fill_limit = 4s
renditions = a
[rendition s/a]
"""


def config(store, source, station=STATION, **keys):
    """A configuration with one rendition. `source`: lines of its input; keys: of [store]."""
    listener = "[icecast-listener]\nlisten = 127.0.0.1:0\nhead_timeout = 2s\n" if "icecast-source" in source else ""
    more = "".join(f"{k} = {v}\n" for k, v in {"min_free": "0", **keys}.items())
    return (f"[store]\npath = {store}\n{more}{station}[input s/a main]\n{source}\n{listener}"
            "[segmenter]\nmetrics = 127.0.0.1:0\n")


ENCODER = "type = icecast-source\nmount = /a\npassword = hackme\ntimeout = 2s\n"
LOOP = f"type = file\npath = {AAC}\nloop = yes\n"


# --- HTTP


def get(port, path, host="127.0.0.1"):
    """Status and body."""
    try:
        with urllib.request.urlopen(f"http://{host}:{port}{path}", timeout=PATIENT) as r:
            return r.status, r.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()


def metric(program, name):
    """Sum of a metric over its labels."""
    lines = re.findall(rf"^hindcast_{name}(?:{{.*}})? (\S+)$", get(program.ports["metrics"], "/metrics")[1], re.M)
    if not lines:
        raise KeyError(name)
    return sum(map(float, lines))


# --- an encoder


def adts_frames(path):
    """(bytes, seconds) of each frame (ISO 14496-3 1.A.2.2)."""
    rates = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
    with open(path, "rb") as f:
        data = f.read()
    at, frames = 0, []
    while at < len(data):
        length = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
        frames.append((data[at:at + length], 1024 / rates[data[at + 2] >> 2 & 15]))
        at += length
    return frames


FRAMES = adts_frames(AAC)


def login(port, mount="/a", password="hackme", content_type="audio/aac", method="PUT"):
    """A connection that has sent its head, and the answer's first line."""
    s = socket.create_connection(("127.0.0.1", port), PATIENT)
    basic = base64.b64encode(b"source:" + password.encode()).decode()
    s.sendall(f"{method} {mount} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {basic}\r\n"
              f"Content-Type: {content_type}\r\n\r\n".encode())
    answer = b""
    while b"\r\n\r\n" not in answer and (more := s.recv(4096)):
        answer += more
    return s, answer.split(b"\r\n")[0].decode()


class Encoder:
    """Sends frames in real time, from frame `first` of the file on, until it is told to stop."""

    def __init__(self, port, first=0, **how):
        self.socket, self.answer = login(port, **how)
        self.next, self.going, self.error = first, True, None
        self.thread = threading.Thread(target=self._send, daemon=True)
        self.thread.start()

    def _send(self):
        due = time.monotonic()
        try:
            while self.going:
                data, seconds = FRAMES[self.next % len(FRAMES)]
                self.socket.sendall(data)
                self.next += 1
                due += seconds
                time.sleep(max(0, due - time.monotonic()))
        except OSError as e:
            self.error = e

    def stop(self, last=b""):
        """Stop after the frame at hand, and `last`; the number of frames sent."""
        self.going = False
        self.thread.join()
        try:
            if last:
                self.socket.sendall(last)
            self.socket.close()
        except OSError:
            pass
        return self.next


# --- the live list


class Observer:
    """Reads a live list again and again and holds it to RFC 8216 section 6.2.2: appended at the end, removed from the front,
    numbers go up by one a segment, what is listed is there and whole. Faults are words in `faults`."""

    def __init__(self, store, rendition="s/a"):
        self.folder = os.path.join(store, rendition)
        self.faults, self.seen, self.newest, self.stall = [], {}, 0, 0.0
        self.discontinuities = {}
        self.going = True
        self.thread = threading.Thread(target=self._observe, daemon=True)
        self.thread.start()

    def _observe(self):
        changed, before = time.monotonic(), None
        while self.going:
            try:
                with open(os.path.join(self.folder, "index.m3u8")) as f:
                    text = f.read()
            except FileNotFoundError:
                text = None
            now = time.monotonic()
            if text != before:
                changed, before = now, text
                try:
                    self._look(text)
                except Exception as e:
                    self.faults.append(f"unreadable list: {e!r}")
            self.stall = max(self.stall, now - changed)
            time.sleep(0.05)

    def restart(self):
        """Forget how long the list has stood still so far."""
        self.stall = 0.0

    def _look(self, text):
        if text is None:
            self.faults.append("the list has gone")
            return
        first = int(re.search(r"^#EXT-X-MEDIA-SEQUENCE:(\d+)", text, re.M)[1])
        count = int(re.search(r"^#EXT-X-DISCONTINUITY-SEQUENCE:(\d+)", text, re.M)[1])
        entries = re.findall(r"((?:^#EXT-X-(?:DISCONTINUITY$|GAP|PROGRAM).*\n)*)^#EXTINF:(.*),\n(.*)\n", text, re.M)
        msn = first
        for tags, seconds, uri in entries:
            count += "#EXT-X-DISCONTINUITY\n" in tags
            self._entry(msn, tags, seconds, uri, count)
            msn += 1
        if msn - 1 < self.newest:
            self.faults.append(f"the newest number went back from {self.newest} to {msn - 1}")
        self.newest = max(self.newest, msn - 1)

    def _entry(self, msn, tags, seconds, uri, count):
        entry = (tags, seconds, uri)
        if self.seen.setdefault(msn, entry) != entry:
            self.faults.append(f"{msn} was {self.seen[msn]} and is {entry}")
        if self.discontinuities.setdefault(msn, count) != count:
            self.faults.append(f"{msn} had the discontinuity number {self.discontinuities[msn]} and has {count}")
        if "EXT-X-GAP" in tags:
            return
        try:
            with open(os.path.join(self.folder, uri), "rb") as f:
                data = f.read()
            if len(data) % 188 or not data or data[0] != 0x47:
                self.faults.append(f"{uri} is listed and not whole: {len(data)} bytes")
        except OSError as e:
            self.faults.append(f"{uri} is listed: {e}")

    def media(self):
        return [n for n, e in sorted(self.seen.items()) if "EXT-X-GAP" not in e[0]]

    def gaps(self):
        return [n for n, e in sorted(self.seen.items()) if "EXT-X-GAP" in e[0]]

    def wait_beyond(self, msn, seconds=PATIENT):
        until(f"a segment after {msn}", lambda: self.newest > msn, seconds)

    def wait_media_beyond(self, msn, seconds=PATIENT):
        """The first number after `msn` that has media."""
        return until(f"media after {msn}", lambda: next((n for n in self.media() if n > msn), 0), seconds)

    def stop(self):
        self.going = False
        self.thread.join()
        return self.faults
