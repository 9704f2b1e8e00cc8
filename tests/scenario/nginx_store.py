#!/usr/bin/env python3
"""nginx/example.conf as it is, with a store, a real nginx and a real origin: every row of header fields, what comes from the
disk, what goes to the origin, what must not come at all, and what is left when the origin is away. Prints TAP."""
import email.utils
import gzip
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "tools"))
import mkstore  # noqa: E402

ORIGIN = os.path.join(ROOT, os.environ.get("BUILD", "build"), "origin")
CUTFILE = os.path.join(ROOT, os.environ.get("BUILD", "build"), "tools", "cutfile")
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
T = 6
LIST = "application/vnd.apple.mpegurl"
LIVE = "public, max-age=2, stale-while-revalidate=2"
DAY, YEAR, SECOND = "public, max-age=86400", "public, max-age=31536000, immutable", "public, max-age=1"
results = []
running = []


def ok(good, name, *why):
    results.append(bool(good))
    print("%sok %d - %s" % ("" if good else "not ", len(results), name), flush=True)
    if not good:
        print("# " + repr(why)[:600], flush=True)
    return good


# --- programs


def substitute(text, pattern, by):
    """An edit that must find its one place: the example has to keep the line that its head speaks of."""
    text, n = re.subn(pattern, by, text, flags=re.M)
    assert n == 1, "%s: %d times in example.conf" % (pattern, n)
    return text


def start_nginx(folder, store, origin_port):
    """nginx takes the listening socket over (its variable NGINX is made for upgrades), so no port is guessed."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    port = listener.getsockname()[1]
    for name in os.listdir(os.path.join(ROOT, "nginx")):
        shutil.copy(os.path.join(ROOT, "nginx", name), folder)
    conf = os.path.join(folder, "example.conf")
    with open(conf, encoding="ascii") as f:
        text = f.read()
    text = substitute(text, r"^user .*;$", "user root;" if os.geteuid() == 0 else "")
    text = substitute(text, r"^pid .*;$", "pid %s/pid;" % folder)
    text = substitute(text, r"\blisten 80;", "listen 127.0.0.1:%d;" % port)
    text = substitute(text, r"\broot .*?;", "root %s;" % store)
    text = substitute(text, r"\bserver 127\.0\.0\.1:8080;", "server 127.0.0.1:%d;" % origin_port)
    text = substitute(text, r"^http \{$", "http {\n" + "".join(
        "\t%s_temp_path %s/%s;\n" % (x, folder, x) for x in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")))
    with open(conf, "w", encoding="ascii") as f:
        f.write(text)
    process = subprocess.Popen([NGINX, "-p", folder, "-c", conf, "-e", "stderr", "-g",
                                "daemon off; error_log stderr warn; worker_shutdown_timeout 1s;"],
                               env=dict(os.environ, NGINX="%d;" % listener.fileno()), pass_fds=[listener.fileno()],
                               stderr=open(os.path.join(folder, "errors"), "wb"))
    listener.close()
    running.append(process)
    return process, port


def start_origin(folder, store):
    ini = os.path.join(folder, "hindcast.ini")
    with open(ini, "w", encoding="ascii") as f:
        f.write("[store]\npath = %s\nsync = none\n[station fip]\ntitle = FIP\nsegment = %d\nrenditions = hifi pack\n"
                "[rendition fip/hifi]\nformat = ts\n[rendition fip/pack]\nformat = packed\n"
                "[origin]\nlisten = 127.0.0.1:0\nstale = serve\n" % (store, T))
    process = subprocess.Popen([ORIGIN, "-c", ini], stderr=subprocess.PIPE, text=True)
    running.append(process)
    said = []
    for line in process.stderr:
        said.append(line)
        m = re.search(r"listening address=\S+:(\d+)", line)
        if m:
            return process, int(m[1])
    raise RuntimeError("the origin did not start: " + "".join(said))


def stop(process):
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    running.remove(process)


# --- questions


class Answer:
    def __init__(self, response, body):
        self.status, self.body, self.all = response.status, body, [(k.lower(), v) for k, v in response.getheaders()]

    def __getitem__(self, name):
        """The value; several fields of one name are joined, which no expectation will match."""
        return ", and again ".join(v for k, v in self.all if k == name.lower()) or None

    def __repr__(self):
        return "%d %r %r" % (self.status, self.all, self.body[:120])


def ask(port, path, method="GET", **fields):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
    try:
        c.request(method, path, headers={k.replace("_", "-"): v for k, v in fields.items()})
        r = c.getresponse()
        return Answer(r, r.read())
    finally:
        c.close()


def row(a, name, status, cache_control, content_type=None, body=None):
    """One row of the table of header fields; CORS and nosniff are in all of them, once."""
    exposed = {x.strip() for x in (a["Access-Control-Expose-Headers"] or "").split(",")}
    ok(a.status == status and a["Cache-Control"] == cache_control and (content_type is None or a["Content-Type"] == content_type)
       and (body is None or a.body == body) and a["Access-Control-Allow-Origin"] == "*" and
       a["X-Content-Type-Options"] == "nosniff" and
       exposed == {"Age", "Date", "Content-Length", "Content-Range", "ETag", "X-Clamped-From"} and
       a["Access-Control-Max-Age"] is None,
       name, a, (status, cache_control, content_type))
    return a


class Fixture:
    def __init__(self, folder):
        self.store = os.path.join(folder, "store")
        self.hifi = mkstore.Rendition(self.store, "fip", "hifi", T, 20000)
        self.pack = mkstore.Rendition(self.store, "fip", "pack", T, 3000, ".aac")
        self.mp3 = mkstore.Rendition(self.store, "fip", "mp3", T, 3000, ".mp3")
        self.newest = int(time.time()) // T * T - T
        self.hour = self.newest // 3600
        for t in [*range(self.hour * 3600 - 60, self.hour * 3600, T), *range(max(self.hour * 3600, self.newest - 60), self.newest + T, T)]:
            for r in (self.hifi, self.pack, self.mp3):
                r.segment(t)
        for r in (self.hifi, self.pack):
            r.write_hour(self.hour - 1, part=False)
            r.write_live()
        self.part = self.hifi.write_hour(self.hour, part=True, torn=b"#EXT-X-PROGRAM-DATE-TIME:2026-")
        self.multivariant = mkstore.write_multivariant(self.store, "fip", ["hifi", "pack"])
        for path, data in (("fip/cover.bin", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\6\0\0\0" + b"\0" * 50),
                           ("fip/.hidden", b"secret"), ("fip/hifi/.lock", b"secret"), ("fip/hifi/.index.m3u8", b"secret"),
                           (".index.m3u8", b"secret")):
            with open(os.path.join(self.store, path), "wb") as f:
                f.write(data)

    def url(self, t, rendition="hifi", extension=".ts"):
        return "/fip/%s/%s" % (rendition, mkstore.segment_name(t, extension))

    def file(self, path):
        with open(os.path.join(self.store, path.lstrip("/")), "rb") as f:
            return f.read()


# --- tests; `alone` is said when the origin is away


def test_lists(port, f, alone):
    for path in ("/fip/hifi/index.m3u8", "/fip/pack/index.m3u8", "/fip/index.m3u8"):
        a = row(ask(port, path), "live list%s: %s" % (alone, path), 200, LIVE, LIST, f.file(path))
        ok(a["ETag"] is None and a["Last-Modified"] is None and a["Accept-Ranges"] is None,
           "live list%s: nothing by which one version could be taken for another" % alone, a)
    path = "/fip/hifi/index.m3u8"
    now = email.utils.formatdate(usegmt=True)
    for name, fields in (("If-Modified-Since", {"If_Modified_Since": now}), ("If-None-Match", {"If_None_Match": '"x"'}),
                         ("Range", {"Range": "bytes=0-9"})):
        row(ask(port, path, **fields), "live list%s: %s changes nothing" % (alone, name), 200, LIVE, LIST, f.file(path))
    h = ask(port, path, "HEAD")
    ok(h.status == 200 and h.body == b"" and h["Content-Length"] == str(len(f.file(path))) and h["Cache-Control"] == LIVE,
       "live list%s: HEAD" % alone, h)
    row(ask(port, path + "?"), "live list%s: an empty query is none" % alone, 200, LIVE, LIST, f.file(path))
    hour = "/fip/hifi/%s.m3u8" % mkstore.hour_name(f.hour * 3600 - 3600)
    a = row(ask(port, hour), "closed hour%s" % alone, 200, DAY, LIST, f.file(hour))
    n = row(ask(port, hour, If_None_Match=a["ETag"] or "none"), "closed hour%s: 304" % alone, 304, DAY, body=b"")
    ok(n["ETag"] == a["ETag"] and n["Last-Modified"] == a["Last-Modified"] is not None,
       "closed hour%s: validators in the 304 too" % alone, a, n)


def test_replaced(port, f):
    """Same size, same second, same time: only an answer that is never remembered shows the change."""
    path = os.path.join(f.hifi.folder, "index.m3u8")
    want = f.file("/fip/hifi/index.m3u8")
    when = os.stat(path).st_mtime_ns
    late = 0
    for i in range(20):
        first = ask(port, "/fip/hifi/index.m3u8")
        want = want[:-6] + b"%02d.ts\n" % i
        mkstore.replace(path, want)
        os.utime(path, ns=(when, when))
        fields = {k: v for k, v in (("If_None_Match", first["ETag"]), ("If_Modified_Since", first["Last-Modified"])) if v}
        a = ask(port, "/fip/hifi/index.m3u8", **fields)
        late += a.status != 200 or a.body != want
    ok(late == 0, "live list: 20 replacements within a second are seen at once", "%d were late" % late)
    f.hifi.write_live()


def test_segments(port, f, alone):
    for rendition, extension, kind in (("hifi", ".ts", "video/mp2t"), ("pack", ".aac", "audio/aac"), ("mp3", ".mp3", "audio/mpeg")):
        url = f.url(f.newest, rendition, extension)
        a = row(ask(port, url), "segment%s: %s" % (alone, extension), 200, YEAR, kind, f.file(url))
    url = f.url(f.newest)
    a, data = ask(port, url), f.file(url)
    ok(a["Last-Modified"] == email.utils.formatdate(f.newest + T, usegmt=True) and a["ETag"] == '"%x-%x"' % (f.newest + T, len(data)),
       "segment%s: Last-Modified and ETag are of its number, the same on every host" % alone, a)
    row(ask(port, url, If_None_Match=a["ETag"] or "none"), "segment%s: 304" % alone, 304, YEAR, body=b"")
    row(ask(port, url, If_Modified_Since=a["Last-Modified"] or "none"), "segment%s: 304 by date" % alone, 304, YEAR, body=b"")
    for condition in ({}, {"If_Range": a["ETag"] or "none"}, {"If_Range": a["Last-Modified"] or "none"}):
        r = row(ask(port, url, Range="bytes=100-199", **condition), "segment%s: range %s" % (alone, list(condition)), 206, YEAR,
                "video/mp2t", data[100:200])
        ok(r["Content-Range"] == "bytes 100-199/%d" % len(data), "segment%s: Content-Range" % alone, r)
    h = row(ask(port, url, "HEAD"), "segment%s: HEAD" % alone, 200, YEAR, "video/mp2t", b"")
    ok(h["Content-Length"] == str(len(data)), "segment%s: HEAD tells the length" % alone, h)


def test_preflight(port, f, alone):
    for path in ("/fip/hifi/index.m3u8", f.url(f.newest), "/nothing/at/all", "/fip/hifi/index.m3u8?from=9am"):
        a = ask(port, path, "OPTIONS", Origin="https://radio.example", Access_Control_Request_Method="GET",
                Access_Control_Request_Headers="range")
        ok(a.status == 204 and a["Access-Control-Allow-Origin"] == "*" and a["Access-Control-Max-Age"] == "86400" and
           a["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS" and "Range" in (a["Access-Control-Allow-Headers"] or "") and
           a.body == b"", "preflight%s: %s" % (alone, path), a)


def hidden(f):
    part = "/fip/hifi/%s.m3u8.part" % mkstore.hour_name(f.hour * 3600)
    return ("/fip/.hidden", "/fip/hifi/.lock", "/fip/hifi/.index.m3u8", "/.index.m3u8", "/fip/%2ehidden", "/fip/hifi/%2Elock",
            part, part.replace(".part", "%2epart"), "/hindcast.ini", "/fip/../../hindcast.ini", "/fip/hifi/../.hidden",
            "/fip/hifi/index.m3u8/../../.hidden")


def test_hidden(port, f):
    for path in hidden(f):
        a = ask(port, path)
        ok(a.status in (400, 404) and b"secret" not in a.body and b"[store]" not in a.body and b"EXTINF" not in a.body and
           a["Access-Control-Allow-Origin"] == "*" and re.fullmatch(r"public, max-age=(1|60)", a["Cache-Control"] or ""),
           "not served: " + path, a)


def test_origin(port, direct, f):
    """What is no file comes from the origin, with its own freshness, and nothing twice."""
    a = row(ask(port, "/stations.json"), "stations.json comes from the origin", 200, ask(direct, "/stations.json")["Cache-Control"],
            "application/json")
    ok("fip" in str(json.loads(a.body)), "stations.json: tells the station", a)
    hour = "/fip/hifi/%s.m3u8" % mkstore.hour_name(f.hour * 3600)
    row(ask(port, hour), "the hour that is being written: whole entries, from the origin", 200, LIVE, LIST, f.part.encode())
    late = f.url(f.newest + 3600)
    a = row(ask(port, late), "a segment that is not there: 404 for one second", 404, SECOND, "application/problem+json")
    row(ask(port, "/nobody/hifi/index.m3u8"), "a list that is not there: 404 for one second", 404, SECOND)
    row(ask(port, "/fip/hifi/index.m3u8?nonsense=1"), "a query goes to the origin: 400 for a minute", 400, "public, max-age=60",
        "application/problem+json")
    a = row(ask(port, "/fip/hifi/index.m3u8?_HLS_msn=3"), "a query that the origin ignores: its list, with its validators", 200, LIVE,
            LIST, f.file("/fip/hifi/index.m3u8"))
    ok(a["ETag"] == '"%016x"' % mkstore.xxh64(a.body) and a["Last-Modified"], "the origin's validators pass", a)
    row(ask(port, "/fip/cover.bin"), "a foreign file: typed by the origin", 200, ask(direct, "/fip/cover.bin")["Cache-Control"],
        "image/png", f.file("/fip/cover.bin"))
    row(ask(port, "//fip/hifi/index.m3u8"), "two slashes are not one: 400 of the origin", 400, "public, max-age=60")
    a = ask(port, "/fip/hifi/index.m3u8", "POST")
    ok(a.status == 405 and a["Allow"] and a["Access-Control-Allow-Origin"] == "*", "POST: 405 with Allow", a)
    a = ask(port, "/healthz")
    ok(a.status in (200, 503) and b"stations" in a.body and a["Cache-Control"] == "no-store", "healthz is the origin's, and not kept", a)


def canon(t):
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(t))


def test_rewind(port, direct, f):
    """Lists with time parameters are the origin's: its bytes, its freshness, its fields, each once."""
    oldest = min(t for t, _ in f.hifi.entries)
    for path, status, kind in (
            ("/fip/index.m3u8?from=" + canon(oldest), 200, LIST), ("/fip/index.m3u8?from=-30s", 200, LIST), ("/fip/index.m3u8?delay=12", 200, LIST),
            ("/fip/hifi/index.m3u8?from=" + canon(oldest), 200, LIST), ("/fip/hifi/index.m3u8?_HLS_skip=YES&from=" + canon(oldest), 200, LIST),
            ("/fip/hifi/index.m3u8?from=%s&to=%s" % (canon(oldest), canon(oldest + 30)), 200, LIST), ("/fip/hifi/index.m3u8?delay=12", 200, LIST),
            ("/fip/index.m3u8?from=soon", 400, "application/problem+json"), ("/fip/index.m3u8?from=-20d", 410, "application/problem+json"),
            ("/fip/index.m3u8?from=2099-01-01", 404, "application/problem+json"), ("/fip/availability.json", 200, "application/json")):
        for _ in range(3):  # the list may grow between the two
            b = ask(direct, path)
            a = ask(port, path)
            if a.body == b.body:
                break
        row(a, "through nginx: " + path, status, b["Cache-Control"], kind, b.body)
        ok(a["ETag"] == b["ETag"] and a["Retry-After"] == b["Retry-After"] and (a["Vary"] == b["Vary"]), "and validators: " + path, a, b)
        if b["ETag"] and "from=%s&" % canon(oldest) in path:
            row(ask(port, path, If_None_Match=b["ETag"]), "through nginx: 304", 304, b["Cache-Control"], body=b"")
    a = ask(port, "/fip/index.m3u8?from=%s" % canon(oldest - 3600))
    row(a, "through nginx: a beginning that was moved", 200, "public, max-age=6", LIST)
    ok(a["X-Clamped-From"] == time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(oldest - 3600)), "X-Clamped-From passes, once", a)
    path = "/fip/hifi/index.m3u8?from=%s&to=%s" % (canon(oldest), canon(oldest + 30))
    z = row(ask(port, path, Accept_Encoding="gzip"), "through nginx: gzip", 200, ask(direct, path)["Cache-Control"], LIST)
    ok(z["Content-Encoding"] == "gzip" and gzip.decompress(z.body) == ask(direct, path).body and z["Vary"] == "Accept-Encoding",
       "the origin's gzip passes as it is", z)


def lay_audio(folder, store):
    """Two hours of a clip over and over, one segment a minute; in the second the minutes 10 to 12 are missing. Returns the first."""
    clip = os.path.join(ROOT, "tests", "media", "aac_lc_22050_mono_32k.aac")
    whole = os.path.join(folder, "whole.aac")
    with open(clip, "rb") as f:
        data = f.read()
    with open(whole, "wb") as f:
        for _ in range(2 * 3600 * 4000 // len(data) + 40):
            f.write(data)
    r = mkstore.Rendition(store, "plain", "main", 60)
    first = (int(time.time()) // 3600 - 4) * 3600
    cut = os.path.join(folder, "cut")
    os.mkdir(cut)
    subprocess.run([CUTFILE, "-w", "-t", "60", "-k", str(first // 60), whole, cut], check=True, stdout=subprocess.DEVNULL)
    names = sorted(os.listdir(cut), key=lambda x: int(x.split(".")[0]))[:120]
    assert len(names) == 120, len(names)
    for i, name in enumerate(names):
        t = first + i * 60
        gap = 70 <= i < 73
        r.segment(t, gap=gap, discontinuity=i == 73, file=False)
        if not gap:
            path = os.path.join(r.folder, mkstore.segment_name(t))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            os.rename(os.path.join(cut, name), path)
    for hour in (first // 3600, first // 3600 + 1):
        r.write_hour(hour, part=False)
    return first


def seconds_played(url):
    """What ffmpeg decodes of a list, and what it says meanwhile."""
    p = subprocess.run(["ffmpeg", "-nostdin", "-loglevel", "warning", "-i", url, "-map", "0:a", "-ac", "1", "-ar", "8000", "-f", "s16le", "-"],
                       capture_output=True, timeout=120)
    return p.returncode, len(p.stdout) / 16000, p.stderr.decode("utf-8", "replace")


def test_plain(folder, f):
    """Closed hours from an nginx that knows nothing of all this: doc/time.md, "Without origin"."""
    first = lay_audio(folder, f.store)
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    port = listener.getsockname()[1]
    where = os.path.join(folder, "plain")
    os.mkdir(where)
    with open(os.path.join(where, "plain.conf"), "w", encoding="ascii") as out:
        out.write(("user root;\n" if os.geteuid() == 0 else "") + "pid %s/pid;\nevents { }\nhttp {\n" % where + "".join(
            "\t%s_temp_path %s/%s;\n" % (x, where, x) for x in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")) +
            "\taccess_log off;\n\ttypes { application/vnd.apple.mpegurl m3u8; video/mp2t ts; }\n"
            "\tserver { listen 127.0.0.1:%d; root %s; }\n}\n" % (port, f.store))
    process = subprocess.Popen([NGINX, "-p", where, "-c", os.path.join(where, "plain.conf"), "-e", "stderr", "-g", "daemon off; error_log stderr crit;"],
                               env=dict(os.environ, NGINX="%d;" % listener.fileno()), pass_fds=[listener.fileno()], stderr=subprocess.DEVNULL)
    listener.close()
    running.append(process)
    url = "http://127.0.0.1:%d/plain/main/%%s.m3u8" % port
    whole, holed = (url % mkstore.hour_name(t) for t in (first, first + 3600))
    p = subprocess.run(["ffprobe", "-v", "error", "-show_entries", "format=format_name,duration:stream=codec_name", "-of", "json", whole],
                       capture_output=True, text=True, timeout=60)
    d = json.loads(p.stdout or "{}")
    ok(d.get("format", {}).get("format_name") == "hls" and abs(float(d["format"]["duration"]) - 3600) < 1 and d["streams"][0]["codec_name"] == "aac",
       "a plain nginx: ffprobe finds an hour of AAC in a closed hour file", p.stdout, p.stderr)
    code, seconds, said = seconds_played(whole)
    ok(code == 0 and abs(seconds - 3600) < 1, "a plain nginx: ffmpeg plays the hour to its end", code, seconds, said[:300])
    code, seconds, said = seconds_played(holed)
    ok(code == 0 and abs(seconds - 57 * 60) < 1, "a plain nginx: ffmpeg passes over the minutes that are missing", code, seconds, said[:300])
    a = ask(port, "/plain/main/%s.m3u8" % mkstore.hour_name(first + 3600))
    ok(a.body.count(b"#EXT-X-GAP") == 3 and a.body.endswith(b"#EXT-X-ENDLIST\n"), "its holes are EXT-X-GAP, and it has an end", a)
    stop(process)


def test_unreadable(port, f):
    """An error of nginx itself for a name that is otherwise kept for a year."""
    loop = os.path.join(f.store, f.url(f.newest + 7200).lstrip("/"))
    os.makedirs(os.path.dirname(loop), exist_ok=True)
    os.symlink(os.path.basename(loop), loop)
    a = ask(port, f.url(f.newest + 7200))
    ok(a.status >= 400 and a["Cache-Control"] == SECOND and a["Access-Control-Allow-Origin"] == "*",
       "a file that cannot be opened: one second", a)
    row(ask(port, f.url(f.newest), Range="bytes=999999-"), "a range beyond the end: 416, for as long as the segment", 416, YEAR)
    a = ask(port, "/" + "a" * 20000)
    ok(a.status == 414 and a["Access-Control-Allow-Origin"] == "*" and a["Cache-Control"] == SECOND, "414 with CORS", a)


def test_alone(port, f):
    for path in ("/stations.json", f.url(f.newest + 3600), "/fip/hifi/index.m3u8?_HLS_msn=3", "/"):
        row(ask(port, path), "without origin: 502 for one second, with CORS: " + path, 502, SECOND)
    for path in hidden(f):
        a = ask(port, path)
        ok(a.status in (400, 502) and b"secret" not in a.body and b"EXTINF" not in a.body, "without origin, not served: " + path, a)


def perform(folder):
    f = Fixture(folder)
    origin, direct = start_origin(folder, f.store)
    nginx, port = start_nginx(folder, f.store, direct)
    test_lists(port, f, "")
    test_replaced(port, f)
    test_segments(port, f, "")
    test_preflight(port, f, "")
    test_hidden(port, f)
    test_origin(port, direct, f)
    test_rewind(port, direct, f)
    test_unreadable(port, f)
    stop(origin)
    test_lists(port, f, " without origin")
    test_segments(port, f, " without origin")
    test_preflight(port, f, " without origin")
    test_alone(port, f)
    stop(nginx)
    ok(nginx.returncode == 0, "nginx ends in order", nginx.returncode)
    test_plain(folder, f)


def main():
    folder = tempfile.mkdtemp(prefix="hindcast-nginx-")
    try:
        perform(folder)
    except Exception:
        ok(False, "the test ran to its end")
        print("\n".join("# " + line for line in traceback.format_exc().splitlines()), flush=True)
        with open(os.path.join(folder, "errors"), "a+") as f:
            f.seek(0)
            print("\n".join("# nginx: " + line.rstrip() for line in f.readlines()[-20:]), flush=True)
    finally:
        for process in running[:]:
            stop(process)
        shutil.rmtree(folder, ignore_errors=True)
    print("1..%d" % len(results))
    return 0 if results and all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
