#!/usr/bin/env python3
"""Long lists: the origin with one thread beside nginx with one worker that serves the same bytes as files.

    8 h and 24 h    requests per second and CPU of a start-over list, gzip and plain, by wrk; the median of three
    first request   of a day's list after the origin's start, hour files out of the page cache
    many            random instants over 14 days of 100 renditions: the origin's memory, and what its start reads
    a phone         that follows a list of eight hours for one more: bytes of lists, whole and as delta updates

Arguments: the origin's path, seconds of each measurement."""
import gzip
import http.client
import os
import random
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import origin_vs_nginx as common

sys.path.insert(0, os.path.join(common.ROOT, "tests", "tools"))
import mkstore  # noqa: E402

HOUR, T = 3600, 6
FULL = HOUR // T
DAYS, RENDITIONS, ASKED = 14, 100, 3000


def basic(t):
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(t))


def entry(t, random_):
    """As a segmenter writes it: sizes and fractions that differ."""
    start = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(t)) + ".%03dZ" % random_.randrange(12)
    return ("#EXT-X-PROGRAM-DATE-TIME:%s\n#HINDCAST-SEGMENT:bytes=%d,audio=95873,frames=258,samples=264192,xxh64=%016x,"
            "anchor=126000,sample=%d,fill=0\n#EXTINF:%s,\n%s\n" % (
                start, random_.randrange(97000, 99999), random_.getrandbits(64), t * 44032,
                random_.choice(("5.990748", "6.013968")), mkstore.segment_name(t)))


def hour_text(hour, count, random_):
    text = ("#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:%d\n#EXT-X-DISCONTINUITY-SEQUENCE:0\n"
            "#HINDCAST-HOUR:version=1,segment=6\n#HINDCAST-FORMAT:codecs=mp4a.40.2,header=fff15080,rate=44100,channels=2\n"
            % (hour * FULL))
    text += "".join(entry(hour * HOUR + i * T, random_) for i in range(count))
    if count == FULL:
        text += "#HINDCAST-RATE:peak=133000,mean=131000,bytes=59000000,duration_us=3600000000\n#EXT-X-ENDLIST\n"
    return text


class Store:
    """A store of listings alone. `until`: grid time after the newest entry."""

    def __init__(self, root, hours, until, renditions=1):
        self.root, self.until, self.random = root, until, random.Random(1)
        self.folder = os.path.join(root, "fip", "r0")
        os.makedirs(self.folder)
        now = until // HOUR
        for hour in range(now - hours, now + (until % HOUR > 0)):
            part = hour == now
            text = hour_text(hour, until % HOUR // T if part else FULL, self.random)
            mkstore.replace(os.path.join(self.folder, mkstore.hour_name(hour * HOUR) + ".m3u8" + ".part" * part), text)
        self.write_live()
        for i in range(1, renditions):
            other = os.path.join(root, "fip", "r%d" % i)
            os.mkdir(other)
            for name in os.listdir(self.folder):
                os.link(os.path.join(self.folder, name), os.path.join(other, name))
        mkstore.write_multivariant(root, "fip", ["r%d" % i for i in range(renditions)])

    def write_live(self):
        newest = self.until - T
        mkstore.replace(os.path.join(self.folder, "index.m3u8"),
                        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:%d\n"
                        "#EXT-X-DISCONTINUITY-SEQUENCE:0\n#EXT-X-PROGRAM-DATE-TIME:%s\n#EXTINF:6.000000,\n%s\n"
                        % (newest // T, mkstore.stamp(newest), mkstore.segment_name(newest)))

    def append(self):
        """One segment more, as a segmenter enters it."""
        hour, name = self.until // HOUR, os.path.join(self.folder, mkstore.hour_name(self.until) + ".m3u8")
        if self.until % HOUR == 0:
            mkstore.replace(name + ".part", hour_text(hour, 0, self.random))
        with open(name + ".part", "a") as f:
            f.write(entry(self.until, self.random))
        self.until += T
        if self.until % HOUR == 0:
            with open(name + ".part", "a") as f:
                f.write("#HINDCAST-RATE:peak=133000,mean=131000,bytes=59000000,duration_us=3600000000\n#EXT-X-ENDLIST\n")
            os.rename(name + ".part", name)

    def forget(self):
        """Take the hour files out of the page cache."""
        for name in os.listdir(self.folder):
            fd = os.open(os.path.join(self.folder, name), os.O_RDONLY)
            os.fsync(fd)
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(fd)


def start_origin(folder, store, port, renditions=1, strace=None):
    ini = os.path.join(folder, "origin.ini")
    names = ["r%d" % i for i in range(renditions)]
    with open(ini, "w") as f:
        f.write("[store]\npath = %s\n[station fip]\nretention = 14d\nrenditions = %s\n[origin]\nlisten = 127.0.0.1:%d\n"
                "threads = 1\nstale = serve\nplayer = %s\n" % (store, " ".join(names), port, folder))
        f.writelines("[rendition fip/%s]\n" % name for name in names)
    command = [common.ORIGIN, "-c", ini]
    return subprocess.Popen((["strace", "-f", "-qq", "-e", "trace=openat,openat2,getdents64", "-o", strace] if strace else [])
                            + command, stderr=subprocess.DEVNULL)


def stop(process):
    process.send_signal(signal.SIGTERM)
    process.wait(10)


def ask(connection, path, gzipped=False):
    connection.request("GET", path, headers={"Accept-Encoding": "gzip"} if gzipped else {})
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        sys.exit("%s: %d %s" % (path, answer.status, body[:300]))
    return body


def wrk(port, path, gzipped):
    out = subprocess.run(["wrk", "-t1", "-c32", "-d%ss" % common.SECONDS] + (["-H", "Accept-Encoding: gzip"] if gzipped else []) +
                         ["http://127.0.0.1:%d%s" % (port, path)], capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        sys.exit(out)
    return float(next(x.split(":")[1] for x in out.splitlines() if x.startswith("Requests/sec")))


def throughput(folder):
    now = int(time.time()) // T * T
    store = Store(os.path.join(folder, "store"), 26, now)
    port, plain, tuned = common.free_port(), common.free_port(), common.free_port()
    started = [start_origin(folder, store.root, port)]
    try:
        common.wait_for(port)
        c = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        lists = {}
        for hours in (8, 24):
            path = "/fip/r0/index.m3u8?from=%s" % basic(now - hours * HOUR)
            body, packed = ask(c, path), ask(c, path, True)
            if gzip.decompress(packed) != body:
                sys.exit("gzip and plain differ")
            file = os.path.join(store.root, "%d.m3u8" % hours)
            for name, data in ((file, body), (file + ".gz", packed)):
                with open(name, "wb") as f:
                    f.write(data)
            lists[hours] = path, len(body), len(packed)
        conf = common.NGINX.replace("root %(store)s;", "root %(store)s; gzip_static on;")
        common.NGINX = conf
        started.append(common.start_nginx(folder, store.root, plain, tuned))
        common.wait_for(tuned)
        worker = common.children(started[1].pid)[0]
        for hours, (path, size, packed) in lists.items():
            for gzipped in (True, False):
                ways = {"origin": (port, path, started[0].pid), "nginx": (plain, "/%d.m3u8" % hours, worker),
                        "nginx, tuned": (tuned, "/%d.m3u8" % hours, worker)}
                rates, costs = {w: [] for w in ways}, {w: [] for w in ways}
                for _ in range(3):
                    for way, (p, url, pid) in ways.items():
                        before = common.cpu_seconds(pid)
                        rates[way].append(wrk(p, url, gzipped))
                        costs[way].append((common.cpu_seconds(pid) - before) / (rates[way][-1] * float(common.SECONDS)) * 1e6)
                rate = {w: statistics.median(x) for w, x in rates.items()}
                cost = {w: statistics.median(x) for w, x in costs.items()}
                for way in ways:
                    print("%2d h %s, %6d bytes  %-13s %7.0f requests/s, origin %.2f times; %6.1f us of CPU each, %.2f of it" % (
                        hours, "gzip " if gzipped else "plain", packed if gzipped else size, way, rate[way],
                        rate["origin"] / rate[way], cost[way], cost["origin"] / cost[way]))
        return store
    finally:
        for p in started:
            stop(p)


def first_request(folder, store):
    for gzipped in (True, False):
        times = []
        for _ in range(5):
            port = common.free_port()
            store.forget()
            origin = start_origin(folder, store.root, port)
            common.wait_for(port)
            c = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            c.connect()
            before = time.perf_counter()
            ask(c, "/fip/r0/index.m3u8?from=%s" % basic(int(time.time()) // T * T - 24 * HOUR + 5 * T), gzipped)
            times.append((time.perf_counter() - before) * 1000)
            c.close()
            stop(origin)
        print("first request of 24 h, cold, %s  %.1f ms (median of %d; %.1f to %.1f)" % (
            "gzip " if gzipped else "plain", statistics.median(times), len(times), min(times), max(times)))


def rss(pid):
    with open("/proc/%d/status" % pid) as f:
        return {x.split(":")[0]: int(x.split()[1]) for x in f if x.startswith(("VmRSS", "VmHWM"))}


def many(folder):
    now = int(time.time()) // T * T
    store = Store(os.path.join(folder, "many"), DAYS * 24, now, RENDITIONS)
    port = common.free_port()
    trace = os.path.join(folder, "trace")
    if shutil.which("strace"):
        origin = start_origin(folder, store.root, port, RENDITIONS, trace)
        common.wait_for(port)
        with open("/proc/%d/task/%d/children" % (origin.pid, origin.pid)) as f:
            os.kill(int(f.read().split()[0]), signal.SIGTERM)
        origin.wait(10)
        with open(trace) as f:
            touched = [x for x in f if "fip" in x]
        print("start with %d hour files   %d of them opened, %d folders of the store read" % (
            DAYS * 24 * RENDITIONS, len([x for x in touched if "m3u8" in x]), len([x for x in touched if "getdents" in x])))
    origin = start_origin(folder, store.root, port, RENDITIONS)
    common.wait_for(port)
    random_ = random.Random(2)
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    times = []
    for i in range(ASKED):
        start = now - random_.randrange(T, DAYS * 24 * HOUR - 26 * HOUR) // T * T
        path = "/fip/r%d/index.m3u8?from=%s" % (random_.randrange(RENDITIONS), basic(start))
        before = time.perf_counter()
        ask(c, path, i % 4 > 0)
        times.append((time.perf_counter() - before) * 1000)
    memory = rss(origin.pid)
    print("%d random instants, %d d x %d renditions   %.1f MiB resident, %.1f at most; %.1f ms each (median), %.1f (99 %%)" % (
        ASKED, DAYS, RENDITIONS, memory["VmRSS"] / 1024, memory["VmHWM"] / 1024, statistics.median(times),
        statistics.quantiles(times, n=100)[98]))
    stop(origin)


def phone(folder):
    now = int(time.time()) // T * T
    store = Store(os.path.join(folder, "phone"), 10, now - HOUR)
    port = common.free_port()
    origin = start_origin(folder, store.root, port)
    common.wait_for(port)
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    path = "/fip/r0/index.m3u8?from=%s" % basic(store.until - 8 * HOUR)
    total, reloads = {"": 0, "&_HLS_skip=YES": 0}, 0
    for query in total:
        total[query] += len(ask(c, path, True))
    while store.until < now - T:
        store.append()
        newest = mkstore.segment_name(store.until - T).encode()
        reloads += 1
        for query in total:
            body = b""
            while not body or newest not in gzip.decompress(body):
                body = ask(c, path + query, True)
            total[query] += len(body)
    whole, delta = total.values()
    print("an hour on top of eight, %d reloads, gzip   whole lists %.2f MB, delta updates %.3f MB (1/%.0f)" % (
        reloads, whole / 1e6, delta / 1e6, whole / delta))
    stop(origin)


def main():
    for program in ("nginx", "wrk"):
        if not shutil.which(program):
            print("long lists: left out, no %s" % program)
            return
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
    folder = tempfile.mkdtemp(prefix="rewind_bench.")
    os.chmod(folder, 0o755)
    try:
        store = throughput(folder)
        first_request(folder, store)
        many(folder)
        phone(folder)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
