#!/usr/bin/env python3
"""Segmenting six hours of AAC at 128 kbit/s to TS as fast as possible: CPU time of the segmenter, of ffmpeg, and of a
bare copy of the bytes into as many files, which is the floor.

They take turns; the medians of some rounds count, and only the ratios travel to other machines. CPU time is that of all
threads, user and system. Arguments: the segmenter's path, copyfloor's path, rounds."""
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
AAC = os.path.join(ROOT, "tests", "media", "aac_lc_44100_stereo_128k.aac")  # a minute
SEGMENTER = sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "build", "segmenter")
FLOOR = sys.argv[2] if len(sys.argv) > 2 else os.path.join(ROOT, "build", "tools", "copyfloor")
ROUNDS = int(sys.argv[3]) if len(sys.argv) > 3 else 5
MINUTES = 360
SEGMENTS = MINUTES * 10
ROOM = 2 << 30  # bytes that all this needs

CONFIGURATION = """[segmenter]
metrics =
[store]
path = %(out)s
sync = none
[station bench]
renditions = aac
segment = 6
[rendition bench/aac]
format = ts
[input bench/aac main]
type = file
path = %(source)s
start = -6h
pace = none
"""


def working_folder():
    """In memory if it is large enough: a disk's own work is in nobody's CPU time, but it disturbs."""
    shm = "/dev/shm"
    base = shm if os.path.isdir(shm) and shutil.disk_usage(shm).free > ROOM else None
    return tempfile.mkdtemp(prefix="hindcast-bench-", dir=base)


def run(command):
    """User and system seconds of a command and its children."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    errors = child.stderr.read()
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit("%s failed: %s" % (command[0], errors.decode(errors="replace")))
    return used.ru_utime, used.ru_stime


def stored(folder):
    return sum(name.endswith(".ts") for _, _, names in os.walk(folder) for name in names)


def contenders(folder, source, out):
    ini = os.path.join(folder, "bench.ini")
    with open(ini, "w") as f:
        f.write(CONFIGURATION % {"out": out, "source": source})
    found = {"segmenter": [SEGMENTER, "-c", ini]}
    if shutil.which("ffmpeg"):
        hls = ["ffmpeg", "-v", "error", "-i", source, "-c", "copy", "-f", "hls", "-hls_time", "6"]
        found["ffmpeg"] = hls + [os.path.join(out, "index.m3u8")]
        # it keeps every segment in its list, as the segmenter does, and writes all of it each time
        found["ffmpeg, event list"] = hls + ["-hls_playlist_type", "event", os.path.join(out, "index.m3u8")]
    found["bare copy"] = [FLOOR, source, out, str(SEGMENTS)]
    return found


def measure(folder):
    source, out = os.path.join(folder, "source.aac"), os.path.join(folder, "out")
    with open(AAC, "rb") as f:
        minute = f.read()
    with open(source, "wb") as f:
        for _ in range(MINUTES):
            f.write(minute)
    commands = contenders(folder, source, out)
    used = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, command in commands.items():
            os.mkdir(out)
            used[name].append(run(command))
            if stored(out) < SEGMENTS - 2:
                sys.exit("%s wrote only %d segments" % (name, stored(out)))
            shutil.rmtree(out)
    return used


def main():
    folder = working_folder()
    try:
        used = measure(folder)
    finally:
        shutil.rmtree(folder)
    print("segmenting %d h of AAC at 128 kbit/s to TS: CPU seconds, medians of %d" % (MINUTES // 60, ROUNDS))
    total = {name: statistics.median(u + s for u, s in x) for name, x in used.items()}
    for name, x in used.items():
        user, system = (statistics.median(part) for part in zip(*x))
        print("  %-10s %6.2f (user %.2f, system %.2f), %5.2f times the segmenter's"
              % (name, total[name], user, system, total[name] / total["segmenter"]))


main()
