#!/usr/bin/env python3
"""What a packet costs the relay: instructions by callgrind, in and out, with copies; and processor time at a real rate."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scenario"))
import failing  # noqa: E402
from relaying import Reader, Udp, packet, relay, value  # noqa: E402

SOURCES = 250
PAYLOAD = b"a" * 250  # between 48 kbit/s AAC and 128 kbit/s MP3


def packets(count, first, began):
    return [packet(1 + i % SOURCES, (first + i) // SOURCES, began + (first + i) // SOURCES * 23_000_000,
                   mid=f"s{i % SOURCES}.hifi", payload=PAYLOAD) for i in range(count)]


def inclusive(out):
    """{function: instructions, with what it calls}"""
    text = subprocess.run(["callgrind_annotate", "--inclusive=yes", "--threshold=100", out], capture_output=True, text=True).stdout
    found = {}
    for cost, name in re.findall(r"^ *([\d,]+) \([ \d.]+%\)  \S*?:(\w+)", text, re.M):
        found[name] = max(found.get(name, 0), int(cost.replace(",", "")))
    return found


def instructions(folder, count):
    """Instructions in user space of a packet in, a copy, and a packet out, with one reader."""
    cost = []
    for copies in (1, 2):
        out = os.path.join(folder, "callgrind.out")
        failing.own.programs, failing.own.later = [], []
        p = relay(folder, "max_rate = 10000000", prefix=("valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={out}"))
        reader, u, began = Reader(p), Udp(p), time.time_ns()
        for first in range(0, count, 500):
            for _ in range(copies):
                u.send(packets(500, first, began))
            reader.wait("all", lambda r: len(r.packets) >= first + 500)
        reader.stop()
        p.end()
        cost.append(inclusive(out))
    one, two = cost
    return one["udp_drain"] / count, (two["udp_drain"] - one["udp_drain"]) / count, one["MHD_run"] / count


def processor(folder, rate, seconds, readers):
    """Cores that the relay uses at a rate of packets per second, half of them copies."""
    failing.own.programs, failing.own.later = [], []
    p = relay(folder, "max_rate = 10000000", "memory = 512M")
    reading = [Reader(p) for _ in range(readers)]
    u, began, n = Udp(p), time.time_ns(), 0
    before, start = used(p), time.monotonic()
    while (now := time.monotonic() - start) < seconds:
        due = int(now * rate / 2)
        batch = packets(due - n, n, began)
        u.send(batch)
        u.send(batch)
        n = due
        time.sleep(0.01)
    cores, wall = used(p) - before, time.monotonic() - start
    lost = value(p, "udp_overflows_total")
    with open(f"/proc/{p.process.pid}/status") as f:
        memory = next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))
    for r in reading:
        r.stop()
    p.end()
    return cores / wall, 2 * n / wall, lost, memory, n


def used(p):
    with open(f"/proc/{p.process.pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main():
    folder = tempfile.mkdtemp(prefix="hindcast-bench-")
    try:
        taken, copy, given = instructions(folder, 20000)
        print(f"instructions in user space: {taken:.0f} a packet in, {copy:.0f} a copy, {given:.0f} a packet out and reader")
        for rate, readers in ((20000, 1), (40000, 1)):
            cores, real, lost, memory, n = processor(folder, rate, 10, readers)
            print(f"{real:.0f} packets/s in (half are copies), {readers} reader: {cores:.3f} cores, "
                  f"{real / cores:.0f} packets/s a core, {memory} KiB for {n} packets, {lost:.0f} lost")
    finally:
        failing.end_all()
        shutil.rmtree(folder, ignore_errors=True)


main()
