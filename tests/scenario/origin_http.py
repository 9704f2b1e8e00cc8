#!/usr/bin/env python3
"""HTTP as the origin speaks it: header fields, conditions, ranges, limits, and what must not be reachable.

Lays a store, starts the origin (argument 1 or $ORIGIN, else build/origin) on a free port, and asks. Prints TAP."""
import gzip
import http.client
import json
import os
import re
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "tools"))
import mkstore  # noqa: E402
from originate import ORIGIN, Origin, ask, main, ok, raw, same  # noqa: E402

T = 60  # long, so that a list stays fresh while the test runs


def write_ini(path, store, extra="", listen="127.0.0.1:0", stations=""):
    with open(path, "w") as f:
        f.write("""[store]
path = %s
sync = none

[station fip]
title = FIP "la radio"
timezone = Europe/Paris
segment = %d
window = %d
renditions = hifi pack

[rendition fip/hifi]
format = ts

[rendition fip/pack]
format = packed

[station old]
segment = 2
renditions = main

[rendition old/main]

[station empty]
renditions = main

[rendition empty/main]
%s
[origin]
listen = %s
%s
""" % (store, T, 10 * T, stations, listen, extra))
    return path


class Fixture:
    def __init__(self, folder):
        self.folder = folder
        self.store = os.path.join(folder, "store")
        self.player = os.path.join(folder, "player")
        os.makedirs(self.player)
        for name, text in (("index.html", "<!DOCTYPE html><title>home</title>" + " " * 400),
                           ("station.html", "<!DOCTYPE html><title>station</title>" + " " * 400),
                           ("player.js", "export const x = 1;\n" * 40), (".secret", "x")):
            with open(os.path.join(self.player, name), "w") as f:
                f.write(text)
        self.hifi = mkstore.Rendition(self.store, "fip", "hifi", T, 20000)
        self.pack = mkstore.Rendition(self.store, "fip", "pack", T, 3000, ".aac")
        self.old = mkstore.Rendition(self.store, "old", "main", 2, 1000)
        now = int(time.time())
        newest = now // T * T - T
        self.newest = newest
        for r in (self.hifi, self.pack):
            for t in range(newest // 3600 * 3600 - 3600, newest + T, T):
                r.segment(t, gap=t == newest // 3600 * 3600 - 1800)
        self.hour = newest // 3600
        self.closed = self.hifi.write_hour(self.hour - 1, part=False)
        self.part = self.hifi.write_hour(self.hour, part=True, torn=b"#EXT-X-PROGRAM-DATE-TIME:2026-11-21T09:")
        self.pack.write_hour(self.hour - 1, part=False)
        self.pack.write_hour(self.hour, part=True)
        self.live = self.hifi.write_live()
        self.pack.write_live()
        self.multivariant = mkstore.write_multivariant(self.store, "fip", ["hifi", "pack"])
        for t in range(now // 2 * 2 - 100, now // 2 * 2 - 60, 2):
            self.old.segment(t)
        self.old.write_live()
        for name, data in (("cover.bin", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\6\0\0\0" + b"\0" * 50),
                           ("notes.txt", b"words\n" * 100), (".hidden", b"no"), ("index.m3u8.part", b"no")):
            with open(os.path.join(self.store, "fip", name), "wb") as f:
                f.write(data)
        os.symlink("/etc/passwd", os.path.join(self.store, "fip", "passwd.txt"))
        os.symlink("/etc", os.path.join(self.store, "fip", "etc"))
        os.symlink("notes.txt", os.path.join(self.store, "fip", "inside.txt"))
        os.mkfifo(os.path.join(self.store, "fip", "fifo.ts"))

    def url(self, t):
        return "/fip/hifi/" + mkstore.segment_name(t)


def common(a, name):
    """What every answer has to have."""
    exposed = {x.strip() for x in (a["Access-Control-Expose-Headers"] or "").split(",")}
    ok(a["Access-Control-Allow-Origin"] == "*" and a["X-Content-Type-Options"] == "nosniff" and a["Date"] and
       {"Age", "Date", "Content-Length", "Content-Range", "ETag", "X-Clamped-From"} <= exposed, name + ": CORS and nosniff",
       a)


def test_live(o, f):
    a = ask(o.port, "/fip/hifi/index.m3u8")
    same((a.status, a.body.decode()), (200, f.live), "live list: bytes of the file")
    same(a["Content-Type"], "application/vnd.apple.mpegurl", "live list: type")
    same(a["Cache-Control"], "public, max-age=20, stale-while-revalidate=20", "live list: fresh for T/3")
    same(a["Vary"], "Accept-Encoding", "live list: Vary")
    same(a["ETag"], '"%016x"' % mkstore.xxh64(f.live.encode()), "live list: the tag is xxh64 of the bytes")
    common(a, "live list")
    z = ask(o.port, "/fip/hifi/index.m3u8", Accept_Encoding="br, gzip;q=0.5")
    ok(z["Content-Encoding"] == "gzip" and gzip.decompress(z.body) == a.body and len(z.body) < len(a.body),
       "live list: gzip", z)
    ok(z["ETag"] and z["ETag"] != a["ETag"] and z["ETag"][0] == '"' and z["Vary"] == "Accept-Encoding",
       "live list: gzip has a strong tag of its own", z)
    same(ask(o.port, "/fip/hifi/index.m3u8", Accept_Encoding="gzip;q=0")["Content-Encoding"], None,
         "live list: gzip;q=0 is a refusal")
    for coding, mine, other in (("identity", a, z), ("gzip", z, a)):
        for tag in (mine["ETag"], 'W/' + mine["ETag"], '"x", ' + mine["ETag"], "*"):
            n = ask(o.port, "/fip/hifi/index.m3u8", If_None_Match=tag, Accept_Encoding=coding)
            ok(n.status == 304 and n.body == b"" and n["Cache-Control"] == a["Cache-Control"] and
               n["ETag"] == mine["ETag"], "live list: 304 for If-None-Match %s, %s" % (tag, coding), n)
        # a 304 would name a tag that the cache asking does not have (RFC 9111 4.3.4)
        n = ask(o.port, "/fip/hifi/index.m3u8", If_None_Match=other["ETag"], Accept_Encoding=coding)
        ok(n.status == 200 and n.body == mine.body, "live list: 200 for the tag of the other coding, %s" % coding, n)
    same(ask(o.port, "/fip/hifi/index.m3u8", If_None_Match='"x"', If_Modified_Since=a["Last-Modified"]).status, 200,
         "live list: If-None-Match goes before If-Modified-Since")
    same(ask(o.port, "/fip/hifi/index.m3u8", If_Modified_Since=a["Last-Modified"]).status, 304,
         "live list: 304 for If-Modified-Since")
    same(ask(o.port, "/fip/hifi/index.m3u8", If_Modified_Since="Sat, 01 Jan 2000 00:00:00 GMT").status, 200,
         "live list: 200 for an older If-Modified-Since")
    h = ask(o.port, "/fip/hifi/index.m3u8", "HEAD")
    ok(h.status == 200 and h.body == b"" and {k: v for k, v in h.fields.items() if k != "date"} ==
       {k: v for k, v in a.fields.items() if k != "date"}, "live list: HEAD has the same fields", (h, a))
    p = ask(o.port, "/fip/pack/index.m3u8")
    ok(p.status == 200 and b".aac" in p.body, "live list of packed audio", p)
    m = ask(o.port, "/fip/index.m3u8")
    ok(m.status == 200 and m.body.decode() == f.multivariant and m["Cache-Control"].startswith("public, max-age=20"),
       "multivariant list", m)


def test_replacement(o, f):
    ask(o.port, "/fip/hifi/index.m3u8")
    f.hifi.segment(f.newest + T)
    want = f.hifi.write_live()
    written = time.monotonic()
    while True:
        a = ask(o.port, "/fip/hifi/index.m3u8")
        took = time.monotonic() - written
        if a.body.decode() == want or took > 2:
            break
    ok(a.body.decode() == want and took < 0.2, "a list replaced by rename is seen within 200 ms", "%.3f s" % took)


def test_hours(o, f):
    name = "/fip/hifi/%s.m3u8"
    a = ask(o.port, name % mkstore.hour_name((f.hour - 1) * 3600))
    ok(a.status == 200 and a.body.decode().startswith(f.closed) and a.body.endswith(b"#EXT-X-ENDLIST\n"),
       "closed hour file: bytes of the file", a)
    same(a["Cache-Control"], "public, max-age=86400", "closed hour file: fresh for a day")
    part = name % mkstore.hour_name(f.hour * 3600)
    a = ask(o.port, part)
    same((a.status, a.body.decode()), (200, f.part), "growing hour file: complete entries only, under the final name")
    same(a["Cache-Control"], "public, max-age=20, stale-while-revalidate=20", "growing hour file: fresh for T/3")
    same(a["ETag"], '"%016x"' % mkstore.xxh64(f.part.encode()), "growing hour file: tag of what is sent")
    ok(b"ENDLIST" not in a.body, "growing hour file: no ENDLIST")
    same(ask(o.port, part + ".part").status, 404, "growing hour file: not under its unfinished name")
    path = os.path.join(f.hifi.folder, mkstore.hour_name(f.hour * 3600) + ".m3u8.part")
    want, seen = f.part, set()
    with open(path, "wb") as out:
        out.write(want.encode())
        for t in range(f.newest + T, f.newest + 8 * T, T):
            entry = f.hifi.entry(t, b"x" * 99) if t // 3600 == f.hour else ""
            for i in range(0, len(entry), 40):  # in pieces: no entry may be seen before its end
                out.write(entry[i:i + 40].encode())
                out.flush()
                time.sleep(0.03)
                seen.add(ask(o.port, part).body.decode())
            want += entry
    whole = [want[:m.end()] for m in re.finditer(r"\.ts\n", want)]
    ok(seen <= set(whole), "growing hour file: never a torn entry", seen - set(whole))
    time.sleep(0.11)
    same(ask(o.port, part).body.decode(), want, "growing hour file: the last entry appears")
    os.rename(path, path[:-5])
    with open(path[:-5], "a") as out:
        out.write("#HINDCAST-RATE:peak=1,mean=1,bytes=1,duration_us=8000000\n#EXT-X-ENDLIST\n")
    time.sleep(0.11)
    a = ask(o.port, part)
    ok(a.body.endswith(b"#EXT-X-ENDLIST\n") and a["Cache-Control"] == "public, max-age=86400",
       "an hour that is closed gets ENDLIST and stays fresh", a)
    same(ask(o.port, "/fip/hifi/20010101T00.m3u8").status, 404, "an hour that was never written: 404")
    with open(os.path.join(f.hifi.folder, "20020101T00.m3u8.part"), "w") as out:
        out.write("rubbish\n" * 20)
    a = ask(o.port, "/fip/hifi/20020101T00.m3u8")
    ok(a.status in (404, 503), "an unreadable unfinished hour file is not shown", a)


def test_segments(o, f):
    cold, new = f.hour * 3600 - 3600 + 2 * T, f.newest
    for what, t in (("new", new), ("new again", new), ("cold", cold), ("cold again", cold), ("cold, third time", cold)):
        data = dict(f.hifi.entries)[t]
        a = ask(o.port, f.url(t))
        ok(a.status == 200 and a.body == data, "%s segment: bytes of the file" % what, a)
        same((a["Content-Type"], a["Cache-Control"], a["Accept-Ranges"], a["Vary"]),
             ("video/mp2t", "public, max-age=31536000, immutable", "bytes", None), "%s segment: fields" % what)
        same(a["ETag"], '"%016x"' % mkstore.xxh64(data), "%s segment: the tag is xxh64" % what)
        same(a["Last-Modified"], time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(t + T)),
             "%s segment: Last-Modified is the end of its slot" % what)
        common(a, what + " segment")
        h = ask(o.port, f.url(t), "HEAD")
        ok(h.status == 200 and h.body == b"" and h["Content-Length"] == str(len(data)), "%s segment: HEAD" % what, h)
        test_ranges(o, f.url(t), data, a, what)
        same(ask(o.port, f.url(t), If_None_Match=a["ETag"]).status, 304, "%s segment: 304" % what)
        same(ask(o.port, f.url(t), Accept_Encoding="gzip")["Content-Encoding"], None, "%s segment: never gzip" % what)
    between = bytes(f.hifi.size)  # a name of the pattern that no entry has, in the size of the entry before it
    with open(os.path.join(f.hifi.folder, mkstore.segment_name(cold + 1)), "wb") as out:
        out.write(between)
    same(ask(o.port, f.url(cold + 1))["ETag"], '"%016x"' % mkstore.xxh64(between), "a file between two numbers: its own tag")
    p = ask(o.port, "/fip/pack/" + mkstore.segment_name(new, ".aac"))
    same((p.status, p["Content-Type"]), (200, "audio/aac"), "packed segment: type")
    a = ask(o.port, "/fip/hifi/" + mkstore.segment_name(f.newest + 3600))
    same((a.status, a["Cache-Control"]), (404, "public, max-age=1"), "a segment that does not exist yet: 404 for one second")
    common(a, "404")
    d = json.loads(a.body)
    ok(a["Content-Type"] == "application/problem+json" and d["status"] == 404 and d["title"] == "Not Found" and d["detail"],
       "404: a problem document", a)


def test_ranges(o, url, data, whole, what):
    n = len(data)
    for value, first, last in (("bytes=0-0", 0, 0), ("bytes=100-199", 100, 199), ("bytes=-50", n - 50, n - 1),
                               ("bytes=%d-" % (n - 7), n - 7, n - 1), ("bytes=10-%d" % (n * 9), 10, n - 1)):
        a = ask(o.port, url, Range=value)
        ok(a.status == 206 and a.body == data[first:last + 1] and a["Content-Range"] == "bytes %d-%d/%d" % (first, last, n)
           and a["ETag"] == whole["ETag"], "%s segment: %s" % (what, value), a)
    a = ask(o.port, url, "HEAD", Range="bytes=0-9")
    ok(a.status == 200 and a["Content-Length"] == str(n) and not a["Content-Range"],
       "%s segment: Range is for GET (RFC 9110 14.2)" % what, a)
    a = ask(o.port, url, Range="bytes=%d-" % n)
    ok(a.status == 416 and a["Content-Range"] == "bytes */%d" % n, "%s segment: 416 behind the end" % what, a)
    for value in ("bytes=0-1,5-6", "bytes=9-3", "lines=0-1", "bytes=a-b"):
        a = ask(o.port, url, Range=value)
        ok(a.status == 200 and a.body == data, "%s segment: the whole for %s" % (what, value), a)
    for value, status in ((whole["ETag"], 206), ('"other"', 200), (whole["Last-Modified"], 206),
                          ("Sat, 01 Jan 2000 00:00:00 GMT", 200), ("W/" + whole["ETag"], 200)):
        a = ask(o.port, url, Range="bytes=0-9", If_Range=value)
        same(a.status, status, "%s segment: If-Range %s" % (what, value))


def test_methods(o, f):
    for path in ("/fip/hifi/index.m3u8", f.url(f.newest), "/nothing/at/all", "/healthz", "*"):
        a = ask(o.port, path, "OPTIONS", Origin="https://radio.example", Access_Control_Request_Method="GET")
        ok(a.status == 204 and a["Access-Control-Max-Age"] == "86400" and "Range" in a["Access-Control-Allow-Headers"] and
           a["Access-Control-Allow-Origin"] == "*" and "HEAD" in a["Access-Control-Allow-Methods"] and a.body == b"",
           "preflight of %s" % path.split("/")[-1], a)
    for method in ("POST", "PUT", "DELETE", "PATCH", "TRACE", "BREW"):
        a = ask(o.port, "/fip/hifi/index.m3u8", method, body=b"x" * 1000 if method in ("POST", "PUT") else None)
        ok(a.status == 405 and a["Allow"] == "GET, HEAD, OPTIONS" and a["Access-Control-Allow-Origin"] == "*",
           "%s: 405 with Allow" % method, a)
    a = ask(o.port, "/fip/hifi/index.m3u8", body=b"a body that says nothing")
    same(a.status, 200, "GET with a body")


def test_query(o, f):
    for query, name in (("form=9am", "form"), ("x", "x"), ("token=1&dely=60", "dely"), ("t%6Fken=1&%66orm=1", "form")):
        a = ask(o.port, "/fip/hifi/index.m3u8?" + query)
        ok(a.status == 400 and a["Content-Type"] == "application/problem+json" and
           json.loads(a.body)["parameter"] == name and a["Cache-Control"] == "public, max-age=60",
           "?%s: 400 that names %s" % (query, name), a)
        common(a, "400")
    for query in ("", "_HLS_msn=3&_HLS_part=1", "token=abc&hdnts=exp=1~acl=*", "token", "&&token=1&"):
        same(ask(o.port, "/fip/hifi/index.m3u8?" + query).status, 200, "?%s is ignored" % query)
    same(ask(o.port, "/?from=9am").status, 200, "the page may have any query")


def test_paths(o, f):
    for path in ("/fip/.hidden", "/.tmp", "/fip/hifi/.lock", "/_player/.secret", "/fip/passwd.txt", "/fip/etc/passwd",
                 "/fip/fifo.ts", "/fip/hifi", "/fip/hifi/", "/nobody/index.m3u8", "/nobody/", "/fip/index.m3u8.part",
                 "/fip/%2ehidden", "/fip/hifi/index.m3u8/x"):
        a = ask(o.port, path)
        same((a.status, a["Cache-Control"], a["Access-Control-Allow-Origin"]), (404, "public, max-age=1", "*"), "404: " + path)
    for path in ("/../etc/passwd", "/fip/../../etc/passwd", "/fip/%2e%2e/%2e%2e/etc/passwd", "/fip/..%2f..%2fetc/passwd",
                 "/fip/./index.m3u8", "//fip/index.m3u8", "/fip//hifi/index.m3u8", "/fip/index.m3u8%00.txt", "/fip/%",
                 "/fip/%zz", "/fip/%0d%0aX:1", "/fip\\index.m3u8", "/" + "a/" * 40):
        a = ask(o.port, path)
        same((a.status, a["Cache-Control"], a["Access-Control-Allow-Origin"]), (400, "public, max-age=60", "*"),
             "400: " + path[:40])
    same(ask(o.port, "/" + "a" * 1500).status, 414, "a long path: 414")
    same(ask(o.port, "/fip/hifi/index.m3u8?token=" + "a" * 3000).status, 414, "a long query: 414")
    same(ask(o.port, "/f%69p/hif%69/index%2Em3u8").status, 200, "escaped letters are the letters")
    same(ask(o.port, "http://any.example/fip/hifi/index.m3u8").status, 200, "absolute form")
    a = ask(o.port, "/fip/cover.bin")
    same((a.status, a["Content-Type"]), (200, "image/png"), "a foreign file: type from its bytes")
    same(ask(o.port, "/fip/cover.bin", Range="bytes=1-3").body, b"PNG", "a foreign file: range")
    same(ask(o.port, "/fip/inside.txt").status, 200, "a link inside the store")


def test_page(o, f):
    a = ask(o.port, "/")
    ok(a.status == 200 and b"home" in a.body and a["Content-Type"] == "text/html; charset=utf-8" and
       "default-src 'self'" in (a["Content-Security-Policy"] or ""), "page", a)
    ok(b"station" in ask(o.port, "/fip/").body, "station page")
    a = ask(o.port, "/fip")
    same((a.status, a["Location"]), (308, "fip/"), "/fip leads to /fip/")
    a = ask(o.port, "/_player/player.js", Accept_Encoding="gzip")
    ok(a["Content-Type"] == "text/javascript; charset=utf-8" and a["Content-Encoding"] == "gzip" and
       a["Cache-Control"] == "public, max-age=300", "script of the page", a)


def test_reports(o, f):
    a = ask(o.port, "/stations.json")
    d = json.loads(a.body)
    fip = d["stations"][0]
    hifi = fip["renditions"][0]
    ok((fip["name"], fip["title"], fip["timezone"], fip["segment"], fip["url"], fip["live"]) ==
       ("fip", 'FIP "la radio"', "Europe/Paris", T, "fip/index.m3u8", True), "stations.json: station", fip)
    ok((hifi["name"], hifi["url"], hifi["codecs"], hifi["format"], hifi["bandwidth"], hifi["average_bandwidth"]) ==
       ("hifi", "fip/hifi/index.m3u8", "mp4a.40.2", "ts", 140000, 131000), "stations.json: rendition", hifi)
    same(hifi["retained"], {"from": mkstore.stamp(f.hour * 3600 - 3600), "to": mkstore.stamp(f.hifi.entries[-1][0] + T)},
         "stations.json: what is retained")
    same((d["stations"][2]["retained"], d["stations"][2]["live"]), (None, False), "stations.json: a station without media")
    same(ask(o.port, "/stations.json", If_None_Match=a["ETag"]).status, 304, "stations.json: 304")
    a = ask(o.port, "/healthz")
    ok(a.status == 200 and json.loads(a.body)["status"] == "ok" and "stale old" in json.loads(a.body)["reasons"] and
       a["Cache-Control"] == "no-store", "health: one live station is enough, the other one is named", a)
    same(ask(o.port, "/healthz/fip").status, 200, "health of a live station")
    a = ask(o.port, "/healthz/old")
    ok(a.status == 503 and json.loads(a.body)["stations"]["old"]["state"] == "stale", "health of a stale station", a)
    same(ask(o.port, "/healthz/nobody").status, 404, "health of nobody")
    m = ask(o.port, "/metrics").body.decode()
    for line in (r'hindcast_origin_requests_total\{route="media",status="2xx"\} [1-9]', r"hindcast_origin_connections \d",
                 r"hindcast_origin_not_modified_total [1-9]", r"hindcast_origin_stale_total [1-9]",
                 r"hindcast_origin_cache_hits_total [1-9]", r"hindcast_origin_uptime_seconds [\d.]+",
                 r'hindcast_origin_newest_segment_age_seconds\{station="fip",rendition="hifi"\} ',
                 r'hindcast_origin_response_bytes_total\{route="segment"\} [1-9]'):
        ok(re.search("^" + line, m, re.M), "metrics: " + line.split("{")[0].split(" ")[0].replace("\\", ""), m[:300])
    ask(o.port, f.url(f.newest), "HEAD")
    sent = r'^hindcast_origin_response_bytes_total\{route="segment"\} (\d+)$'
    same(re.findall(sent, ask(o.port, "/metrics").body.decode(), re.M), re.findall(sent, m, re.M),
         "metrics: HEAD sends no bytes of a body")


def test_stale(o, f):
    a = ask(o.port, "/old/main/index.m3u8")
    ok(a.status == 503 and a["Retry-After"] and a["Content-Type"] == "application/problem+json", "a stale list: 503", a)
    same(a["Cache-Control"], "public, max-age=1", "a stale list: kept for a second, so that requests are joined")
    common(a, "503")
    t = int(time.time()) // 2 * 2 - 2
    f.old.segment(t)
    f.old.write_live()
    time.sleep(0.11)
    same(ask(o.port, "/old/main/index.m3u8").status, 200, "a list that goes on: 200 again")
    f.old.entries = f.old.entries[:-1]
    f.old.write_live()
    time.sleep(0.11)


def test_descriptors(folder, f):
    """Without a free descriptor a large file is answered 503; nothing of that is remembered."""
    data = os.urandom(3 << 19)
    names = ["large%d.bin" % i for i in range(2)]
    for name in names:
        with open(os.path.join(f.store, "fip", name), "wb") as out:
            out.write(data)
    ini = write_ini(os.path.join(folder, "few.ini"), f.store, "threads = 1\nplayer = %s" % f.player)
    o = Origin(ini)
    c = http.client.HTTPConnection("127.0.0.1", o.port, timeout=10)
    c.request("GET", "/fip/notes.txt")
    c.getresponse().read()
    limits = resource.prlimit(o.process.pid, resource.RLIMIT_NOFILE)
    for free, name in enumerate(names):
        taken = {int(fd) for fd in os.listdir("/proc/%d/fd" % o.process.pid)}
        last = sorted(set(range(len(taken) + 2)) - taken)[free]
        resource.prlimit(o.process.pid, resource.RLIMIT_NOFILE, (last, limits[1]))
        c.request("GET", "/fip/" + name)
        r = c.getresponse()
        r.read()
        same(r.status, 503, "%d descriptors left: 503 for a large file" % free)
        resource.prlimit(o.process.pid, resource.RLIMIT_NOFILE, limits)
        c.request("GET", "/fip/" + name)
        r = c.getresponse()
        ok(r.status == 200 and r.read() == data, "and the file as soon as there are more", r.status)
    taken = {int(fd) for fd in os.listdir("/proc/%d/fd" % o.process.pid)}
    resource.prlimit(o.process.pid, resource.RLIMIT_NOFILE, (max(taken) + 3, limits[1]))
    held = [socket.create_connection(("127.0.0.1", o.port), timeout=5) for _ in range(8)]
    time.sleep(0.2)
    o.process.send_signal(signal.SIGSTOP)  # it shall see them all go at once
    for s in held + [c]:
        s.close()
    o.process.send_signal(signal.SIGCONT)
    resource.prlimit(o.process.pid, resource.RLIMIT_NOFILE, limits)
    time.sleep(0.2)
    try:
        status = ask(o.port, "/fip/hifi/index.m3u8").status
    except OSError as e:
        status = e
    same(status, 200, "after more connections than descriptors, new ones are accepted again")
    same(o.stop(), 0, "TERM ends it cleanly")
    for name in names:
        os.unlink(os.path.join(f.store, "fip", name))
    o = Origin(ini, descriptors=400)
    ok(o.wait_for("max_connections.* want=16000 have=72"), "a max_connections above the descriptors is lowered", o.lines)
    held = [socket.create_connection(("127.0.0.1", o.port), timeout=5) for _ in range(72)]
    time.sleep(0.2)
    same(ask(o.port, "/fip/hifi/index.m3u8").status, 503, "so that there is one left to say 503 with")
    for s in held:
        s.close()
    same(o.stop(), 0, "TERM ends it cleanly")


def test_wire(o, f):
    get = b"GET /fip/hifi/index.m3u8 HTTP/1.1\r\nHost: x\r\n%s\r\n"
    out = raw(o.port, (get % b"") * 49 + get % b"Connection: close\r\n")
    same(out.count(b"HTTP/1.1 200 OK"), 50, "fifty requests in one go")
    out = raw(o.port, b"GET /fip/hifi/index.m3u8 HTTP/1.0\r\n\r\n")
    ok(out.startswith(b"HTTP/1.") and b" 200 " in out[:20], "HTTP/1.0", out[:100])
    for name, data in (("noise", os.urandom(4096)), ("TLS on a plain port", b"\x16\x03\x01\x02\x00\x01" + bytes(512)),
                       ("no method", b"/ HTTP/1.1\r\n\r\n"), ("no version", b"GET /\r\n\r\n"), ("NUL bytes", bytes(1000) + b"\r\n\r\n"),
                       ("a head without end", b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20000),
                       ("a line without end", b"GET /" + b"a" * 100000), ("negative length", get % b"Content-Length: -1\r\n"),
                       ("two lengths", get % b"Content-Length: 1\r\nContent-Length: 2\r\n"),
                       ("bad chunks", b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n"),
                       ("a folded field", get % b"X: a\r\n b\r\n")):
        out = raw(o.port, data + b"\r\n\r\n", seconds=0.3)
        ok(b"root:" not in out, "malformed: %s is survived" % name, out[:200])
    same(ask(o.port, "/fip/hifi/index.m3u8").status, 200, "and the next one is answered")


def test_many(o, f):
    need, (soft, hard) = 1100, resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < need:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(need, hard), hard))
    request = b"GET /fip/hifi/index.m3u8 HTTP/1.1\r\nHost: x\r\n\r\n"
    sockets, good = [], 0
    try:
        for _ in range(1000):
            sockets.append(socket.create_connection(("127.0.0.1", o.port), timeout=10))
        for _ in range(3):  # lockstep: all at once, then all answers
            for s in sockets:
                s.sendall(request)
            for s in sockets:
                got = b""
                while f.live_end not in got:
                    piece = s.recv(65536)
                    if not piece:
                        break
                    got += piece
                good += b"200 OK" in got
        same(good, 3000, "a thousand connections, three requests on each, all at once")
        m = ask(o.port, "/metrics").body.decode()
        ok(re.search(r"^hindcast_origin_connections 100[1-9]", m, re.M), "they are counted",
           re.findall("hindcast_origin_connections .*", m))
    finally:
        for s in sockets:
            s.close()


def test_limits(folder, f):
    ini = write_ini(os.path.join(folder, "limits.ini"), f.store,
                    "threads = 2\nsoft_connections = 5\nmax_connections = 10\nidle_timeout = 1s\nstale = serve\nplayer = %s" % f.player)
    o = Origin(ini)
    same(ask(o.port, "/old/main/index.m3u8").status, 200, "stale = serve: an old list as it is")
    held = [socket.create_connection(("127.0.0.1", o.port), timeout=5) for _ in range(5)]
    time.sleep(0.1)
    a = ask(o.port, "/healthz")
    ok(a.status == 503 and "full" in json.loads(a.body)["reasons"], "above soft_connections: health says full", a)
    held += [socket.create_connection(("127.0.0.1", o.port), timeout=5) for _ in range(5)]
    time.sleep(0.1)
    a = ask(o.port, "/fip/hifi/index.m3u8")
    ok(a.status == 503 and a["Connection"] == "close" and a["Access-Control-Allow-Origin"] == "*",
       "above max_connections: 503 and close", a)
    held += [socket.create_connection(("127.0.0.1", o.port), timeout=5) for _ in range(100)]
    for s in held:
        s.close()
    deadline = time.monotonic() + 5
    while ask(o.port, "/fip/hifi/index.m3u8").status != 200 and time.monotonic() < deadline:
        time.sleep(0.05)
    same(ask(o.port, "/fip/hifi/index.m3u8").status, 200, "and 200 when they have gone")
    test_slow(o)
    same(o.stop(), 0, "TERM ends it cleanly")
    ini = write_ini(os.path.join(folder, "address.ini"), f.store, "per_address = 3\nthreads = 2\nplayer = %s" % f.player)
    o = Origin(ini)
    held = [socket.create_connection(("127.0.0.1", o.port), timeout=5) for _ in range(3)]
    time.sleep(0.1)
    same(ask(o.port, "/fip/hifi/index.m3u8").status, 429, "above per_address: 429")
    for s in held:
        s.close()
    deadline = time.monotonic() + 5
    while ask(o.port, "/fip/hifi/index.m3u8").status != 200 and time.monotonic() < deadline:
        time.sleep(0.05)
    same(ask(o.port, "/fip/hifi/index.m3u8").status, 200, "below it: 200")
    same(o.stop(signal.SIGINT), 0, "INT ends it cleanly")


def closed_after(s, drip=b""):
    """Seconds until the other side closes while a byte is sent now and then."""
    began = time.monotonic()
    s.settimeout(0.2)
    while time.monotonic() - began < 8:
        try:
            if drip:
                s.sendall(drip)
            if s.recv(100) == b"":
                break
        except socket.timeout:
            continue
        except ConnectionError:
            break
    return time.monotonic() - began


def test_slow(o):
    for name, first, drip in (("silent", b"", b""), ("half a head", b"GET / HTTP/1.1\r\nX: ", b""),
                              ("a byte now and then", b"GET / HTTP/1.1\r\nX: ", b"y"),
                              ("a body byte now and then", b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n", b"y"),
                              ("after an answer", b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", b"")):
        s = socket.create_connection(("127.0.0.1", o.port), timeout=5)
        if first:
            s.sendall(first)
        took = closed_after(s, drip)
        s.close()
        ok(0.5 < took < 4, "idle_timeout = 1s: %s is closed" % name, "%.1f s" % took)


def certificate(folder, name):
    paths = [os.path.join(folder, name + x) for x in (".crt", ".key")]
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", "/CN=" + name, "-out", paths[0], "-keyout", paths[1]], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return paths


def tls_connect(port):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=10))


def tls_ask(s, path="/fip/hifi/index.m3u8"):
    """The body of an answer with Content-Length."""
    s.sendall(("GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path).encode())
    out = b""
    while b"\r\n\r\n" not in out:
        out += s.recv(65536) or b"\r\n\r\n"
    head, body = out.split(b"\r\n\r\n", 1)
    length = re.search(rb"Content-Length: (\d+)", head)
    while length and len(body) < int(length.group(1)):
        piece = s.recv(65536)
        if not piece:
            break
        body += piece
    return body


def test_tls(folder, f):
    if not shutil.which("openssl"):
        ok(True, "TLS # SKIP no openssl")
        return
    one, two = certificate(folder, "one"), certificate(folder, "two")
    cert, key = os.path.join(folder, "now.crt"), os.path.join(folder, "now.key")
    shutil.copy(one[0], cert)
    shutil.copy(one[1], key)
    ini = write_ini(os.path.join(folder, "tls.ini"), f.store, "threads = 2\nplayer = %s\ntls_certificate = %s\ntls_key = %s" % (f.player, cert, key),
                    listen="127.0.0.1:0 https://127.0.0.1:0")
    o = Origin(ini, 1, 2)
    same(ask(o.ports[0], "/fip/hifi/index.m3u8").status, 200, "TLS beside plain HTTP")
    old = tls_connect(o.ports[1])
    before = old.getpeercert(True)
    live = f.hifi.live_text().encode()
    same(tls_ask(old), live, "TLS: a list")
    same(tls_ask(old, f.url(f.newest)), dict(f.hifi.entries)[f.newest], "TLS: a segment")
    shutil.copy(two[0], cert)
    shutil.copy(two[1], key)
    at = len(o.lines)
    write_ini(ini, f.store, "threads = 3\nplayer = %s\ntls_certificate = %s\ntls_key = %s" % (f.player, cert, key),
              listen="127.0.0.1:0 https://127.0.0.1:0", stations="[station new]\nrenditions = main\n\n[rendition new/main]\n")
    o.process.send_signal(signal.SIGHUP)
    ok(o.wait_for("configuration taken over", since=at), "HUP: the configuration is read again", o.lines[at:])
    ok(o.wait_for("next start only.*threads", since=at), "HUP: what cannot change is named", o.lines[at:])
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        new = tls_connect(o.ports[1])
        after = new.getpeercert(True)
        served = tls_ask(new)
        new.close()
        if after != before:
            break
    ok(after != before and served == live, "HUP: new connections get the new certificate")
    ok(tls_ask(old) == live and old.getpeercert(True) == before,
       "HUP: a connection that was there goes on")
    old.close()
    while "new" not in (s["name"] for s in json.loads(ask(o.ports[0], "/stations.json").body)["stations"]):
        if time.monotonic() > deadline:
            break
    ok("new" in (s["name"] for s in json.loads(ask(o.ports[0], "/stations.json").body)["stations"]),
       "HUP: a new station is listed")
    at = len(o.lines)
    shutil.copy(one[1], key)
    o.process.send_signal(signal.SIGHUP)
    ok(o.wait_for("do not fit each other", since=at) and tls_ask(tls_connect(o.ports[1])) == live,
       "HUP: a key of another certificate changes nothing", o.lines[at:])
    at = len(o.lines)
    with open(ini, "a") as out:
        out.write("nonsense = 1\n")
    o.process.send_signal(signal.SIGHUP)
    ok(o.wait_for("not taken over", since=at) and ask(o.ports[0], "/fip/hifi/index.m3u8").status == 200,
       "HUP: a wrong file changes nothing", o.lines[at:])
    out = raw(o.ports[1], b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", seconds=1)
    ok(b"200 OK" not in out, "plain HTTP on the TLS port is refused", out)
    same(o.stop(), 0, "TLS: TERM ends it cleanly")


def test_start(folder, f, port):
    def fails(extra, pattern, name, listen="127.0.0.1:0", store=None, code=1):
        ini = write_ini(os.path.join(folder, "wrong.ini"), store or f.store, extra, listen)
        p = subprocess.run([ORIGIN, "-c", ini], capture_output=True, text=True, timeout=20)
        ok(p.returncode == code and re.search(pattern, p.stderr), name, (p.returncode, p.stderr))

    fails("", "in use", "an address that is taken is refused", "127.0.0.1:%d" % port)
    fails("threads = 2", "in use", "also with several threads", "127.0.0.1:%d" % port)
    fails("", "store", "a store that is not there", store=os.path.join(folder, "none"))
    fails("", "no address", "an address that is none", "somewhere", code=2)
    fails("lissen = 1", r"wrong\.ini:\d+: .*lissen", "an unknown key", code=2)
    fails("peer = http://b:8080", r"wrong\.ini:\d+: .*peer", "a key of what is not built yet", code=2)
    fails("soft_connections = 9\nmax_connections = 3", "soft_connections", "limits the wrong way round", code=2)
    fails("tls_certificate = /etc/hostname\ntls_key = /etc/hostname", "CERTIFICATE", "no certificate", "https://127.0.0.1:0")
    fails("", "tls_certificate", "TLS without a certificate", "https://127.0.0.1:0", code=2)
    ini = write_ini(os.path.join(folder, "n.ini"), f.store)
    p = subprocess.run([ORIGIN, "-n", "-c", ini], capture_output=True, text=True, timeout=20)
    ok(p.returncode == 0 and "idle_timeout = 30s" in p.stdout and "max_connections = " in p.stdout, "-n prints what is in force", p)
    p = subprocess.run([ORIGIN, "-V"], capture_output=True, text=True, timeout=20)
    ok(p.returncode == 0 and "hindcast" in p.stdout, "-V", p)
    p = subprocess.run([ORIGIN, "-c", os.path.join(folder, "nowhere.ini")], capture_output=True, text=True, timeout=20)
    ok(p.returncode == 2 and "nowhere.ini" in p.stderr, "a configuration that is not there", p)


def perform(folder):
    f = Fixture(folder)
    f.live_end = f.live.encode()[-40:]
    ini = write_ini(os.path.join(folder, "a.ini"), f.store,
                    "threads = 1\nedge_tokens = token hdnts\nplayer = %s" % f.player)
    o = Origin(ini)
    if not ok(o.ports, "it starts and says where it listens", o.lines):
        return
    for test in (test_live, test_segments, test_hours, test_methods, test_query, test_paths, test_page, test_stale,
                 test_reports, test_wire, test_many):
        test(o, f)
    test_start(folder, f, o.port)
    test_replacement(o, f)
    same(o.stop(), 0, "TERM ends it cleanly")
    test_limits(folder, f)
    test_descriptors(folder, f)
    test_tls(folder, f)


main(perform)
