#!/usr/bin/env python3
"""Many renditions live at once: CPU time and memory of the segmenter per rendition, beside ffmpeg doing one each.

One run: a feeder in this process sends AAC at 128 kbit/s in real time to as many icecast-source inputs as there are
renditions, and ffmpeg copies a few channels in real time meanwhile. Both write to the same kind of folder. Only the
ratios travel to other machines. Arguments: the segmenter's path, seconds of measurement, renditions."""
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
AAC = os.path.join(ROOT, "tests", "media", "aac_lc_44100_stereo_128k.aac")
SEGMENTER = sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "build", "segmenter")
SECONDS = int(sys.argv[2]) if len(sys.argv) > 2 else 60
RENDITIONS = int(sys.argv[3]) if len(sys.argv) > 3 else 100
PER_STATION = 4
CHANNELS = 4  # of ffmpeg
WARM = 15     # seconds: anchored, first segments stored


def frames(path):
    """ADTS frames (ISO 14496-3 1.A.2)."""
    data = open(path, "rb").read()
    at, out = 0, []
    while at + 7 <= len(data):
        size = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
        out.append(data[at:at + size])
        at += size
    return out


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def configuration(folder, port):
    names = ["r%d" % i for i in range(PER_STATION)]
    text = ["[segmenter]\nmetrics =\n[store]\npath = %s/store\nsync = none\n[icecast-listener]\nlisten = 127.0.0.1:%d\n" % (folder, port)]
    for i in range(0, RENDITIONS, PER_STATION):
        station = "s%d" % (i // PER_STATION)
        mine = names[:min(PER_STATION, RENDITIONS - i)]
        text.append("[station %s]\nrenditions = %s\n" % (station, " ".join(mine)))
        for name in mine:
            text.append("[rendition %s/%s]\nformat = ts\n[input %s/%s main]\ntype = icecast-source\n"
                        "mount = /%s-%s\nuser = source\npassword_file = %s/pass\n"
                        % (station, name, station, name, station, name, folder))
    path = os.path.join(folder, "live.ini")
    with open(path, "w") as f:
        f.write("".join(text))
    with open(os.path.join(folder, "pass"), "w") as f:
        f.write("secret\n")
    os.chmod(f.name, 0o600)
    return path


class Feeder(threading.Thread):
    """Every encoder sends its frames when they are due, each at another phase."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.frames = frames(AAC)
        self.sockets = [self.connect(port, i) for i in range(RENDITIONS)]
        self.failed = None

    @staticmethod
    def connect(port, i):
        for _ in range(100):
            try:
                s = socket.create_connection(("127.0.0.1", port), timeout=5)
                break
            except OSError:
                time.sleep(0.1)
        else:
            sys.exit("the segmenter does not listen")
        s.sendall(b"PUT /s%d-r%d HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic c291cmNlOnNlY3JldA==\r\n"
                  b"Content-Type: audio/aac\r\nExpect: 100-continue\r\n\r\n" % (i // PER_STATION, i % PER_STATION))
        answer = s.recv(1000)
        if not answer.startswith((b"HTTP/1.1 100", b"HTTP/1.1 200", b"HTTP/1.0 200")):
            sys.exit("source refused: %r" % answer)
        return s

    def run(self):
        start, count = time.monotonic(), len(self.frames)
        sent = [0] * RENDITIONS
        try:
            while True:
                now = (time.monotonic() - start) * 44100 / 1024
                for i, s in enumerate(self.sockets):
                    due = int(now + i / RENDITIONS)
                    if due > sent[i]:
                        s.sendall(b"".join(self.frames[n % count] for n in range(sent[i], due)))
                        sent[i] = due
                time.sleep(0.02)
        except OSError as e:
            self.failed = e


def cpu_seconds(pid):
    total = 0
    for task in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/schedstat" % (pid, task)) as f:
            total += int(f.read().split()[0])
    return total / 1e9


def memory(pid):
    found = {}
    with open("/proc/%d/smaps_rollup" % pid) as f:
        for line in f:
            field = line.split()
            if field[0] in ("Pss:", "Rss:"):
                found[field[0][:-1]] = int(field[1])
    return found


def ffmpegs(folder):
    started = []
    for i in range(CHANNELS):
        out = os.path.join(folder, "ffmpeg%d" % i)
        os.mkdir(out)
        started.append(subprocess.Popen(
            ["ffmpeg", "-v", "error", "-nostdin", "-re", "-stream_loop", "-1", "-i", AAC, "-c", "copy", "-f", "hls",
             "-hls_time", "6", "-hls_list_size", "10", os.path.join(out, "x.m3u8")]))
    return started


def measure(folder):
    port = free_port()
    ini = configuration(folder, port)
    log = open(os.path.join(folder, "log"), "w")
    segmenter = subprocess.Popen([SEGMENTER, "-c", ini], stderr=log)
    others = []
    try:
        feeder = Feeder(port)
        feeder.start()
        others = ffmpegs(folder) if shutil.which("ffmpeg") else []
        time.sleep(WARM)
        begin, before = time.monotonic(), cpu_seconds(segmenter.pid)
        theirs = sum(cpu_seconds(p.pid) for p in others)
        time.sleep(SECONDS)
        elapsed, used = time.monotonic() - begin, cpu_seconds(segmenter.pid) - before
        theirs = sum(cpu_seconds(p.pid) for p in others) - theirs
        ours = memory(segmenter.pid)
        if feeder.failed or segmenter.poll() is not None:
            sys.exit("the segmenter lost a source: %s" % feeder.failed)
        lists = sum("index.m3u8" in names for _, _, names in os.walk(os.path.join(folder, "store")))
        report("segmenter", RENDITIONS, used / elapsed, ours)
        if others:
            total = {k: sum(memory(p.pid)[k] for p in others) for k in ours}
            report("ffmpeg", CHANNELS, theirs / elapsed, total)
            print("  ffmpeg takes %.0f times the CPU time and %.0f times the memory (PSS) per rendition"
                  % (theirs / CHANNELS / (used / RENDITIONS),
                     total["Pss"] / CHANNELS / (ours["Pss"] / RENDITIONS)))
        if lists < RENDITIONS:
            print("  only %d lists are there" % lists)
    finally:
        for p in [segmenter] + others:
            p.send_signal(signal.SIGTERM)
        for p in [segmenter] + others:
            p.wait()


def report(name, count, share, kib):
    print("  %-10s %4d renditions: %.4f %% of a core and %4.0f KiB PSS (%4.0f RSS) each; %.2f %% and %.1f MiB in all"
          % (name, count, 100 * share / count, kib["Pss"] / count, kib["Rss"] / count, 100 * share,
             kib["Pss"] / 1024), flush=True)


def main():
    base = "/dev/shm" if os.path.isdir("/dev/shm") else None
    folder = tempfile.mkdtemp(prefix="hindcast-live-", dir=base)
    print("live for %d s, AAC at 128 kbit/s from icecast-source to TS" % SECONDS)
    try:
        measure(folder)
    finally:
        shutil.rmtree(folder)


main()
