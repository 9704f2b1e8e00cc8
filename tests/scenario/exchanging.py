"""What the scenarios of frames between machines share: relays, publishers, segmenters that subscribe, and what was heard."""
import os
import random
import re
import signal
import socket
import threading
import time

from failing import AAC, T, Program, until, write
from hindcast import Media, cut, hours, segment

KEY = "".join(f"{n * 7 & 255:02x}" for n in range(40))
OTHER_KEY = "".join(f"{n * 11 & 255:02x}" for n in range(40))


SENT = [f[2] for f in Media(os.path.basename(AAC)).frames]  # what Encoder sends, as it must come out


def listening(program, service):
    m = program.wait(rf"listening .*service={service}\b.*")
    return int(re.search(r"port=(\d+)", m[0])[1]) if "port=" in m[0] else int(re.search(r"address=\S+:(\d+)", m[0])[1])


class Relay:
    """A relay that comes back on the ports that it had."""

    def __init__(self, folder, name, more=""):
        self.folder, self.name, self.more, self.udp, self.http = folder, name, more, 0, 0
        self.start()

    def start(self):
        ini = f"[relay]\nudp = 127.0.0.1:{self.udp}\nhttp = 127.0.0.1:{self.http}\n{self.more}"
        self.program = Program("relay", "-c", write(self.folder, f"{self.name}.ini", ini))
        self.program.wait(r" ready\b")
        self.udp, self.http = listening(self.program, "udp"), listening(self.program, "http")

    def kill(self):
        self.program.end(signal.SIGKILL)


def start(folder, name, ini, **how):
    """A segmenter by its own configuration file."""
    p = Program("segmenter", "-c", write(folder, f"{name}.ini", ini), **how)
    p.wait(r" ready\b")
    p.ports = {}
    for line in p.said(r"listening .*service=(icecast|metrics)"):
        service = re.search(r"service=(\w+)", line)[1]
        p.ports[service] = int(re.search(r"port=(\d+)|address=\S+:(\d+) service", line).expand(r"\1\2"))
    return p


def publisher(folder, name, to, inputs=(("s/a", "main", "/a"),), more="", **how):
    """A segmenter without stations. `inputs`: rendition, name and mount of each."""
    text = f"[publish]\nto = {to}\n{more}[icecast-listener]\nlisten = 127.0.0.1:0\n[segmenter]\nmetrics = 127.0.0.1:0\n"
    for rendition, of, mount in inputs:
        text += f"[input {rendition} {of}]\ntype = icecast-source\nmount = {mount}\npassword = hackme\ntimeout = 2s\n"
    return start(folder, name, text, **how)


def cutter_ini(store, come_from, more="", station="", inputs="", renditions="a", T=T):
    text = (f"[store]\npath = {store}\nmin_free = 0\n[subscribe]\nfrom = {come_from}\n{more}[segmenter]\nmetrics = 127.0.0.1:0\n"
            f"[station s]\nsegment = {T}\nwindow = {6 * T}\nfill_limit = 60s\nrenditions = {renditions}\n{station}")
    for name in renditions.split():
        text += f"[rendition s/{name}]\n"
    return text + inputs


def cutter(folder, name, store, come_from, **how):
    """A segmenter with a station whose frames come from relays."""
    return start(folder, name, cutter_ini(store, come_from, **how))


def key_file(folder, name="frames.key", key=KEY):
    return write(folder, name, key + "\n")


# --- what was heard


def entries_of(store, rendition="s/a"):
    try:
        found = [e for h in hours(os.path.join(store, rendition)) for e in h.entries]
    except FileNotFoundError:
        return []
    while found and found[0].gap:
        found.pop(0)
    return found


def stored(store, count, rendition="s/a", seconds=40):
    """Wait until so many segments with media are stored; their entries."""
    return until(f"{count} segments", lambda: (e := entries_of(store, rendition)) and
                 sum(not x.gap for x in e) >= count and e, seconds)


def frames_heard(store, rendition="s/a"):
    """All frames of all segments, in order."""
    folder, out = os.path.join(store, rendition), []
    for e in entries_of(store, rendition):
        if not e.gap:
            out += [f[2] for f in cut(segment(folder, e).audio)]
    return out


def faults(store, rendition="s/a", frames=None):
    """What is wrong with a rendition that must hold nothing but the frames of an encoder, none lost, none twice."""
    frames = frames or SENT
    found, entries, heard = [], entries_of(store, rendition), frames_heard(store, rendition)
    if not heard:
        return ["nothing was stored"]
    for a, b in zip(entries, entries[1:]):
        if b.msn != a.msn + 1:
            found.append(f"{b.msn} follows {a.msn}")
    found += [f"{e.msn} is a gap" for e in entries if e.gap]
    found += [f"{e.msn} has {e.facts['fill']} frames of fill" for e in entries if not e.gap and e.facts.get("fill", "0") != "0"]
    found += [f"{e.msn} has a discontinuity" for e in entries[1:] if e.discontinuity]
    best = 0
    for at in (i for i, f in enumerate(frames) if f == heard[0]):
        n = 0
        while n < len(heard) and heard[n] == frames[(at + n) % len(frames)]:
            n += 1
        best = max(best, n)
        if n == len(heard):
            return found
    return found + [f"frame {best} of {len(heard)} is not the one that was sent"]


def tree(store):
    """{path: bytes} of segments and hour files."""
    out = {}
    for folder, _, names in os.walk(store):
        for name in names:
            if re.fullmatch(r".*\.ts|\d{8}T\d{2}\.m3u8(\.part)?", name):
                path = os.path.join(folder, name)
                with open(path, "rb") as f:
                    out[os.path.relpath(path, store)] = f.read()
    return out


def segments_of(store):
    return {k: v for k, v in tree(store).items() if k.endswith(".ts")}


# --- a path that loses


class Lossy:
    """A proxy for UDP that drops packets by a seeded choice, or all of them while `cut` is set."""

    def __init__(self, to, loss, seed):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.2)
        self.port = self.socket.getsockname()[1]
        self.to, self.loss, self.random = ("127.0.0.1", to), loss, random.Random(seed)
        self.passed = self.dropped = 0
        self.drop = lambda packet: self.random.random() < self.loss
        self.going = True
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while self.going:
            try:
                packet = self.socket.recv(2048)
            except TimeoutError:
                continue
            if self.drop(packet):
                self.dropped += 1
            else:
                self.passed += 1
                self.socket.sendto(packet, self.to)

    def stop(self):
        self.going = False
        self.thread.join()
        self.socket.close()
