#!/usr/bin/env python3
"""Lists with time parameters as an origin answers them: every row of doc/time.md, against a store whose gaps, formats and
missing hours this script has put in. What a list must hold is worked out here, from the description. Prints TAP."""
import datetime
import gzip
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
import zlib
import zoneinfo

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "tools"))
import mkstore  # noqa: E402
from hindcast import List  # noqa: E402
from originate import Origin, ask, main, ok, same  # noqa: E402

T, HOUR, DAY = 6, 3600, 86400
RETENTION, MAX_SPAN = 14 * DAY, 4 * HOUR
LOCAL = zoneinfo.ZoneInfo("Asia/Kolkata")  # half an hour beside the grid of hours, and clocks never change
GROWING = "public, max-age=2, stale-while-revalidate=2"
MINUTE = "public, max-age=60"


def canon(t):
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(t))


def grid(t):
    return int(t) // T * T


# --- the store


class Fixture:
    def __init__(self, folder):
        self.store = os.path.join(folder, "store")
        self.newest = grid(time.time()) - T
        self.H = H = self.newest // HOUR
        self.first_second = self.newest
        self.hifi = mkstore.Rendition(self.store, "fip", "hifi", T, 600)
        self.late = mkstore.Rendition(self.store, "fip", "late", T, 300)
        self.old = int(time.time() - RETENTION) // HOUR
        self.lay_hifi(H)
        for t in range((H - 1) * HOUR + 1800, self.newest + T, T):
            self.late.segment(t, file=False)
        self.late.write_hour(H - 1, part=H - 1 == self.newest // HOUR)
        if H in self.late.hours:
            self.late.write_hour(H, part=True)
        mkstore.write_multivariant(self.store, "fip", ["hifi", "late"])
        self.tick()
        self.lay_others(H)

    def lay_hifi(self, H):
        r, gone = self.hifi, set()
        five = H - 5 * 24
        self.five = five
        for hour in [self.old - 2, *range(self.old + 1, self.old + 4), five, five + 1, five + 3, five + 4, five + 5,
                     *range(H - 8, H - 5), *range(H - 4, H + 1)]:
            begin = hour * HOUR
            if hour == H - 6:
                gone |= {begin + 1200 + i * T for i in range(20)}
            if hour == H - 4:
                gone |= {begin + HOUR - T - i * T for i in range(10)}
            if hour == H - 3:
                gone |= {begin + i * T for i in range(5)}
            for t in range(begin, min(begin + HOUR, self.newest + T), T):
                if hour == five + 4 and t >= begin + 1800:
                    break  # the process ended here, and has left the file unfinished
                if t == (H - 2) * HOUR + 1800:
                    r.codecs = "mp4a.40.5"
                r.segment(t, gap=t in gone, file=False, discontinuity=t - T in gone and t not in gone or
                          t in ((H - 2) * HOUR + 1800, (five + 5) * HOUR))
            r.write_hour(hour, part=hour in (H, five + 4))

    def station(self, name, rendition="main", codecs="mp4a.40.2", T=T):
        r = mkstore.Rendition(self.store, name, rendition, T, 300)
        r.codecs = codecs
        mkstore.write_multivariant(self.store, name, [rendition], codecs)
        return r

    def lay_others(self, H):
        """Stations that are not as they should be."""
        self.dead = self.station("dead")  # its segmenter ended an hour ago
        for t in range((H - 3) * HOUR, self.newest - HOUR, T):
            self.dead.segment(t, file=False)
        for hour in self.dead.hours:
            self.dead.write_hour(hour, part=hour == max(self.dead.hours))
        self.dead.write_live()
        self.turns = self.station("turns")  # about to lose its inputs
        for t in range((H - 1) * HOUR, self.newest + T, T):
            self.turns.segment(t, file=False)
        for hour in self.turns.hours:
            self.turns.write_hour(hour, part=hour == H)
        self.turns.write_live()
        self.mute = self.station("mute")  # has had none for 60 hours
        for t in range((H - 62) * HOUR, self.newest + T, T):
            self.mute.segment(t, gap=t >= (H - 60) * HOUR, file=False)
        for hour in self.mute.hours:
            self.mute.write_hour(hour, part=hour == H)
        self.mute.write_live()
        self.mp3 = self.station("mp3", codecs="mp4a.40.34")
        for t in range((H - 2) * HOUR, (H - 1) * HOUR, T):
            self.mp3.segment(t, file=False)
        self.mp3.write_hour(H - 2, part=False)
        self.mp3.write_live()
        self.wrong = self.station("wrong")  # an hour under the name of another
        for t in range((H - 4) * HOUR, (H - 2) * HOUR, T):
            self.wrong.segment(t, file=False)
        self.wrong.write_hour(H - 4, part=False)
        self.wrong.write_hour(H - 3, part=False)
        self.wrong.write_live()
        shutil.copy(self.wrong.hour_path(H - 3), self.wrong.hour_path(H - 2))
        shutil.copy(self.wrong.hour_path(H - 4), self.wrong.hour_path(H - 5))
        self.huge = [mkstore.Rendition(self.store, "huge", name, HOUR, 300) for name in ("a", "b")]
        for r in self.huge:
            for hour in range(H - 1300, H):
                r.segment(hour * HOUR, file=False, gap=hour == H - 700)
                r.write_hour(hour, part=False)
            r.write_live()
        mkstore.write_multivariant(self.store, "huge", ["a", "b"])

    def tick(self):
        """What a segmenter does while the test takes its time."""
        newest = grid(time.time()) - T
        for r in (self.hifi, self.late):
            t = r.entries[-1][0] + T
            for t in range(t, newest + T, T):
                r.append(t, file=False)
            r.write_live()
        self.newest = max(self.newest, newest)

    def ini(self, path, extra=""):
        with open(path, "w", encoding="ascii") as f:
            f.write("[store]\npath = %s\nsync = none\n" % self.store)
            f.write("[station fip]\ntimezone = Asia/Kolkata\nmax_span = 4h\nrenditions = hifi late\n"
                    "[rendition fip/hifi]\n[rendition fip/late]\n")
            for name in ("dead", "turns", "mute", "mp3", "wrong", "empty", "roll"):
                f.write("[station %s]\nmax_span = 4h\nrenditions = main\n[rendition %s/main]\n" % (name, name))
            f.write("[station huge]\nsegment = 3600s\nwindow = 21600s\nretention = 100d\nrenditions = a b\n"
                    "[rendition huge/a]\n[rendition huge/b]\n")
            f.write("[origin]\nlisten = 127.0.0.1:0\nthreads = 1\nedge_tokens = token hdnts\n" + extra)
        return path


# --- what a list must be


def want(r, first, end, closed):
    """[(uri, gap, discontinuity)] of numbers [first, end), of what has been entered."""
    def data(t):
        return r.hours.get(t // HOUR, {}).get(t)

    end = min(end, r.entries[-1][0] + T)
    while first < end and data(first) is None:
        first += T
    out, hole = [], False
    for t in range(first, end, T):
        gap, discontinuity = data(t) is None, t in r.discontinuities
        if closed and gap:
            hole = True
            continue
        out.append((mkstore.segment_name(t), gap, discontinuity or hole))
        hole = False
    return out


def told(text):
    return [(e.uri, e.gap, e.discontinuity) for e in List(text).entries]


def tags(text):
    return re.sub(r"(?s)\n#EXTINF.*", "\n", text)


def well_formed(text, name):
    """RFC 8216: no discontinuity twice, dates that fit, target duration, the type of the list."""
    entries = List(text).entries
    wrong = [e.uri for e in entries if e.tags.count("#EXT-X-DISCONTINUITY\n") > 1 or
             ("DATE-TIME" in e.tags and canon(e.start // 10**9) not in e.uri) or
             (e.discontinuity and "DATE-TIME" not in e.tags) or e.microseconds > T * 1000000]
    dated = [e.start // 10**9 for e in entries if "DATE-TIME" in e.tags]
    gaps = [b - a for a, b in zip(dated, dated[1:]) if b - a > 600 + MAX_SPAN]
    ok(not wrong and not gaps and entries and "DATE-TIME" in entries[0].tags and
       text.startswith("#EXTM3U\n") and "#EXT-X-TARGETDURATION:%d\n" % T in text, name + ": well formed", (wrong[:3], gaps, text[:300]))


def common(a, name):
    exposed = {x.strip() for x in (a["Access-Control-Expose-Headers"] or "").split(",")}
    ok(a["Access-Control-Allow-Origin"] == "*" and a["X-Content-Type-Options"] == "nosniff" and a["Date"] and
       {"ETag", "X-Clamped-From"} <= exposed, name + ": CORS", a)


def fault(o, path, status, parameter, name, retry=None):
    a = ask(o.port, path)
    age = {400: 60, 410: 60, 404: 1, 503: 1}[status]
    d = json.loads(a.body) if a["Content-Type"] == "application/problem+json" else {}
    wait = int(a["Retry-After"]) if a["Retry-After"] else None
    good = retry is None and wait is None or retry is not None and wait is not None and abs(wait - retry) <= 2
    ok(a.status == status and d.get("status") == status and d.get("parameter") == parameter and d.get("detail") and
       a["Cache-Control"] == "public, max-age=%d" % age and good, "%d: %s" % (status, name), a)
    common(a, "%d: %s" % (status, name))
    return a


def fresh_for(a):
    return int(re.match(r"public, max-age=(\d+)", a["Cache-Control"])[1])


def validators(o, path, name):
    """304, HEAD, ranges, codings."""
    a = ask(o.port, path)
    text = a.body.decode()
    ok(a.status == 200 and a["Content-Type"] == "application/vnd.apple.mpegurl" and a["Vary"] == "Accept-Encoding" and
       a["Accept-Ranges"] is None and re.fullmatch(r'"[0-9a-f]{16}"', a["ETag"] or ""), name + ": fields", a)
    common(a, name)
    z = ask(o.port, path, Accept_Encoding="gzip")
    # a list that grew in between is compared with its new self
    a = ask(o.port, path)
    z = ask(o.port, path, Accept_Encoding="gzip") if gzip.decompress(z.body) != a.body else z
    ok(z["Content-Encoding"] == "gzip" and gzip.decompress(z.body) == a.body and
       zlib.decompressobj(31).decompress(z.body) == a.body, name + ": gzip holds the same bytes", z)
    ok(subprocess.run(["gzip", "-t"], input=z.body, capture_output=True).returncode == 0, name + ": gzip -t")
    ok(z["ETag"] == a["ETag"][:-1] + '-gzip"' and abs(fresh_for(z) - fresh_for(a)) <= 2, name + ": a tag of its own", z)
    for coding, mine, other in (("identity", a, z), ("gzip", z, a)):
        n = ask(o.port, path, If_None_Match=mine["ETag"], Accept_Encoding=coding)
        ok(n.status == 304 and n.body == b"" and n["ETag"] == mine["ETag"] and n["Cache-Control"] == mine["Cache-Control"],
           "%s: 304 by tag, %s" % (name, coding), n)
        same(ask(o.port, path, If_None_Match=other["ETag"], Accept_Encoding=coding).status, 200, "%s: 200 for the other coding's tag" % name)
    if a["Last-Modified"]:
        same(ask(o.port, path, If_Modified_Since=a["Last-Modified"]).status, 304, name + ": 304 by date")
        same(ask(o.port, path, If_Modified_Since="Sat, 01 Jan 2000 00:00:00 GMT").status, 200, name + ": 200 for an older date")
    h = ask(o.port, path, "HEAD")
    ok(h.status == 200 and h.body == b"" and h["Content-Length"] == str(len(a.body)) and h["ETag"] == a["ETag"], name + ": HEAD", h)
    p = ask(o.port, path, Range="bytes=0-9")
    ok(p.status == 200 and p.body == a.body and p["Content-Range"] is None, name + ": a range is not served", p)
    return text, a


def media(f, o, r, query, first, end, closed, name):
    """One media playlist against what it must hold, also as gzip and by conditions."""
    f.tick()
    time.sleep(0.11)
    text, a = validators(o, "/fip/%s/index.m3u8?%s" % (os.path.basename(r.folder), query), name)
    got, wanted = told(text), want(r, first, end, closed)
    ok(got == wanted, name + ": its segments", [len(got), len(wanted)] + [(i, x) for i, x in enumerate(zip(got, wanted)) if x[0] != x[1]][:2])
    well_formed(text, name)
    return text, a


# --- tests


def test_growing(f, o):
    first = (f.H - 2) * HOUR
    text, a = media(f, o, f.hifi, "from=" + canon(first), first, first + MAX_SPAN, False, "start-over")
    head = tags(text)
    ok("#EXT-X-PLAYLIST-TYPE:EVENT\n" in head and "#EXT-X-START:TIME-OFFSET=0.001,PRECISE=YES\n" in head and
       "#EXT-X-MEDIA-SEQUENCE:%d\n" % (first // T) in head and "#EXT-X-INDEPENDENT-SEGMENTS\n" in head and
       "#EXT-X-ENDLIST" not in text and "CAN-SKIP-UNTIL=36.0\n" in head, "start-over: head", head)
    same(a["Cache-Control"], GROWING, "start-over: fresh for T/3")
    same(a["X-Clamped-From"], None, "start-over: not clamped")
    ok(abs(List(text).entries[-1].msn * T - f.newest) <= T, "start-over: reaches live")
    end = grid(time.time()) + 600
    text, a = media(f, o, f.hifi, "from=%s&to=%s" % (canon(first), canon(end)), first, end, False, "catch-up that ends later")
    ok(a["Cache-Control"] == GROWING and "ENDLIST" not in text, "catch-up that ends later: grows", a)
    first = (f.H - 6) * HOUR
    text, a = media(f, o, f.hifi, "from=" + canon(first), first, first + MAX_SPAN, True, "start-over that is max_span long")
    ok(text.endswith("#EXT-X-ENDLIST\n") and "TYPE:EVENT" in text and a["Cache-Control"] == "public, max-age=86400",
       "start-over that is max_span long: complete", a)
    first = grid(time.time()) - MAX_SPAN - 60
    text, a = media(f, o, f.hifi, "from=" + canon(first), first, first + MAX_SPAN, False, "start-over that has just ended")
    ok(text.endswith("#EXT-X-ENDLIST\n") and a["Cache-Control"] == MINUTE and "#EXT-X-GAP" in text,
       "start-over that has just ended: keeps its gaps, for a minute", a)
    first = (f.H - 6) * HOUR + 1200 + 3 * T
    text, a = media(f, o, f.hifi, "from=" + canon(first), first, first + MAX_SPAN, True, "start-over from within a gap")
    same(List(text).first, ((f.H - 6) * HOUR + 1200 + 20 * T) // T, "start-over from within a gap: begins at the next segment")
    same(told(text)[0][2], True, "its first segment keeps its discontinuity")


def test_complete(f, o):
    H, five, old = f.H, f.five, f.old
    for a, b, name in (((H - 8) * HOUR, (H - 7) * HOUR, "an hour"), ((H - 8) * HOUR + 66, (H - 7) * HOUR + 666, "over the border of hours"),
                       ((H - 7) * HOUR, (H - 4) * HOUR, "gaps and a missing hour"), ((H - 5) * HOUR, (H - 4) * HOUR + 60, "begins in a missing hour"),
                       ((H - 6) * HOUR + 60, (H - 5) * HOUR + 60, "ends in a missing hour"),
                       ((H - 4) * HOUR, (H - 2) * HOUR, "a gap over the border of hours"), ((H - 3) * HOUR, (H - 3) * HOUR + 60, "begins in that gap"),
                       ((H - 4) * HOUR + 60, (H - 3) * HOUR, "ends in that gap"), ((H - 3) * HOUR, (H - 1) * HOUR, "another format"),
                       (five * HOUR, (five + 4) * HOUR, "days ago, with a missing hour"),
                       ((five + 4) * HOUR, (five + 6) * HOUR, "a file that was left unfinished"),
                       ((five + 4) * HOUR + 60, (five + 4) * HOUR + 120, "one segment short of nothing"),
                       ((old + 1) * HOUR, (old + 3) * HOUR, "as old as can be")):
        text, answer = media(f, o, f.hifi, "from=%s&to=%s" % (canon(a), canon(b)), a, b, True, "catch-up, " + name)
        ok(text.endswith("#EXT-X-ENDLIST\n") and "GAP" not in text and "CAN-SKIP" not in text, "catch-up, %s: complete, without gaps" % name, text[-200:])
        left = a + RETENTION - time.time()
        age = int(re.match(r"public, max-age=(\d+)$", answer["Cache-Control"])[1])
        if name in ("ends in a missing hour", "gaps and a missing hour"):
            left = 60  # a relay may still tell what was on air
        ok(abs(age - max(60, min(DAY, left))) <= 3, "catch-up, %s: fresh for a day or until retention" % name, (age, left))
    a = (old - 2) * HOUR
    text, answer = media(f, o, f.hifi, "from=%s&to=%s" % (canon(a), canon(a + 600)), a, a + 600, True, "canonical, no longer advertised")
    same(answer["Cache-Control"], MINUTE, "canonical, no longer advertised: a minute")
    now = grid(time.time())
    text, answer = media(f, o, f.hifi, "from=%s&to=%s" % (canon(now - 600), canon(now - 60)), now - 600, now - 60, False, "catch-up that has just ended")
    age = int(re.match(r"public, max-age=(\d+)$", answer["Cache-Control"])[1])
    ok(text.endswith("#EXT-X-ENDLIST\n") and 1 <= age <= 60, "catch-up that has just ended: a minute at most", answer)
    text, _ = media(f, o, f.late, "from=%s&to=%s" % (canon((f.H - 1) * HOUR), canon((f.H - 1) * HOUR + 2400)), (f.H - 1) * HOUR,
                    (f.H - 1) * HOUR + 2400, (f.H - 1) * HOUR + 2700 < time.time(), "a rendition that began later")
    same(List(text).first, ((f.H - 1) * HOUR + 1800) // T, "a rendition that began later: begins there")


def links(a):
    return [x for x in a.body.decode().split("\n") if x and x[0] != "#"]


def test_multivariant(f, o):
    f.tick()
    H, t = f.H, (f.H - 2) * HOUR
    local = datetime.datetime.fromtimestamp(t, LOCAL)
    utc = canon(t)
    forms = ["from=" + utc, "from=" + time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(t)), "from=%d" % (t + 3),
             "from=" + local.strftime("%Y-%m-%dT%H:%M"), "from=" + local.strftime("%Y-%m-%dT%H:%M:%S%z").replace("+", "%2B"),
             "from=" + local.isoformat(timespec="seconds"), "from=%20" + utc.lower().upper(),
             "token=x&from=" + utc + "&_HLS_msn=1", "&&from=" + utc + "&"]
    moving = ["from=" + local.strftime("%H:%M"), "from=" + local.strftime("%I:%M%p").lstrip("0").lower()]
    answers = [(q, ask(o.port, "/fip/index.m3u8?" + q)) for q in forms]
    for q, a in answers[:]:
        if q.startswith("from=%20"):
            same(a.status, 400, "blanks around a value are refused")
            answers.remove((q, a))
    base = answers[0][1]
    same(links(base), ["%s/index.m3u8?from=%s" % (r, utc) for r in ("hifi", "late")], "multivariant: canonical links")
    for q, a in answers:
        ok(a.status == 200 and a.body == base.body and a["ETag"] == base["ETag"] and a["Cache-Control"] == MINUTE, "the same moment: " + q, a)
    for q in moving:
        a = ask(o.port, "/fip/index.m3u8?" + q)
        ok(a.status == 200 and a.body == base.body and a["ETag"] == base["ETag"] and a["Cache-Control"] == "public, max-age=6",
           "the same moment, by the clock: " + q, a)
    ok('CODECS="mp4a.40.2,mp4a.40.5"' in base.body.decode() or 'CODECS="mp4a.40.5,mp4a.40.2"' in base.body.decode(),
       "multivariant: both codecs of the span", base.body)
    validators(o, "/fip/index.m3u8?from=" + utc, "multivariant")
    a = ask(o.port, "/fip/index.m3u8?from=%s&to=%s" % (canon((H - 2) * HOUR), canon((H - 2) * HOUR + 1200)))
    ok('CODECS="mp4a.40.2"' in a.body.decode() and links(a) == ["hifi/index.m3u8?from=%s&to=%s" % (canon((H - 2) * HOUR), canon((H - 2) * HOUR + 1200))],
       "multivariant: the codecs and renditions of the span alone", a.body)
    a = ask(o.port, "/fip/index.m3u8?from=%s&duration=20m" % canon((H - 1) * HOUR))
    same([x.split("/")[0] for x in links(a)], ["hifi"], "a rendition that began in that hour but later is not offered")
    a = ask(o.port, "/fip/index.m3u8?delay=30m")
    same(links(a), ["%s/index.m3u8?delay=1800" % r for r in ("hifi", "late")], "multivariant: delay")
    for q in ("from=-30m", "from=now", "from=-3600&duration=600"):
        a = ask(o.port, "/fip/index.m3u8?" + q)
        ok(a.status == 200 and a["Cache-Control"] == "public, max-age=6" and re.search(r"\?from=\d{8}T\d{6}Z", links(a)[0]), "relative: " + q, a)
    for path, q in (("/fip/hifi/index.m3u8", "from=-30m"), ("/fip/hifi/index.m3u8", "from=%d" % (t + 1)), ("/fip/hifi/index.m3u8", "delay=30m"),
                    ("/fip/hifi/index.m3u8", "from=%s&duration=1h" % utc)):
        a = ask(o.port, path + "?" + q)
        ok(a.status == 200 and len(links(a)) == 1 and links(a)[0].startswith("index.m3u8?") and "STREAM-INF" in a.body.decode(),
           "a media playlist in another form is pinned: " + q, a)
        same(ask(o.port, "/fip/hifi/" + links(a)[0]).status, 200, "and its link plays: " + q)
    m = ask(o.port, "/mp3/index.m3u8?from=%s&duration=10m" % canon((H - 2) * HOUR))
    ok("INDEPENDENT" not in m.body.decode() and "mp4a.40.34" in m.body.decode(), "MPEG audio: not independent", m)
    m = ask(o.port, "/mp3/main/" + links(m)[0].split("/")[1])
    ok(m.status == 200 and "INDEPENDENT" not in m.body.decode(), "MPEG audio: not independent in the media playlist", m)


def test_clamped(f, o):
    asked = (f.old - 1) * HOUR
    a = ask(o.port, "/fip/index.m3u8?from=" + canon(asked))
    oldest = (f.old + 1) * HOUR
    same(links(a), ["hifi/index.m3u8?from=" + canon(oldest)], "begins before the oldest: begins there")
    said = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(asked))
    ok(a["X-Clamped-From"] == said and "#HINDCAST-CLAMPED-FROM:%s\n" % said in a.body.decode() and a["Cache-Control"] == "public, max-age=6",
       "and says so, in header and comment", a)
    z = ask(o.port, "/fip/index.m3u8?from=" + canon(asked), Accept_Encoding="gzip")
    same(z["X-Clamped-From"], said, "and in the gzip coding")
    f.tick()
    time.sleep(0.11)
    a = ask(o.port, "/fip/index.m3u8?from=now")
    ok(a.status == 200 and a["X-Clamped-From"] and canon(f.newest) in links(a)[0], "from=now: the newest segment", a)


def test_faults(f, o):
    m, now = "/fip/index.m3u8?", time.time()
    past, later = canon(grid(now) - HOUR), canon(grid(now) + 600)
    for q, parameter, name in (
            ("from=soon", "from", "unreadable from"), ("from=", "from", "an empty value"), ("from", "from", "no value"),
            ("from=%s&to=x" % past, "to", "unreadable to"), ("from=%s&duration=x" % past, "duration", "unreadable duration"),
            ("from=%s&duration=0" % past, "duration", "no duration"), ("delay=x", "delay", "unreadable delay"),
            ("to=" + past, "to", "to alone"), ("duration=1h", "duration", "duration alone"), ("from=%s&to=%s&duration=1h" % (past, later), "duration", "to and duration"),
            ("delay=60&from=" + past, "delay", "delay and from"), ("delay=60&to=" + past, "delay", "delay and to"),
            ("programme=now&from=" + past, "programme", "programme and from"), ("from=%s&to=%s" % (past, past), "to", "to is from"),
            ("from=%s&to=%s" % (past, canon(grid(now) - 2 * HOUR)), "to", "to before from"), ("from=%s&duration=5h" % past, "duration", "longer than max_span"),
            ("from=-6h&to=-30m", "to", "to beyond max_span"), ("from=%s&from=%s" % (past, past), "from", "from twice"), ("delay=60&delay=60", "delay", "delay twice"),
            ("form=9am", "form", "an unknown parameter"), ("from=" + "9" * 300, "from", "a value that is too long"),
            ("from=2026-02-30T09:00Z", "from", "no such day"), ("from=24:00", "from", "no such time"), ("from=2100-01-01", "from", "out of range")):
        fault(o, m + q, 400, parameter, name)
    fault(o, "/fip/hifi/index.m3u8?from=soon", 400, "from", "unreadable from, media playlist")
    for path in (m, "/fip/hifi/index.m3u8?"):
        fault(o, path + "from=" + later, 404, "from", "to come: " + path, retry=grid(now) + 600 + T - time.time())
    fault(o, m + "from=" + canon(grid(now) + 9 * HOUR), 404, "from", "hours to come", retry=3600)
    fault(o, m + "programme=now", 404, "programme", "no programmes")
    fault(o, "/empty/index.m3u8?from=-1h", 404, None, "nothing is recorded yet", retry=T)
    fault(o, "/empty/main/index.m3u8?delay=60", 404, "delay", "nothing is recorded yet, media playlist", retry=T)
    for q, parameter in (("from=%s&duration=1h" % canon(grid(now) - 20 * DAY), "from"), ("from=-20d", "from"), ("delay=20d", "delay"), ("delay=340h", "delay")):
        fault(o, m + q, 410, parameter, "no longer kept: " + q)
        fault(o, "/fip/hifi/index.m3u8?" + q, 410, parameter, "no longer kept, media playlist: " + q)
    fault(o, "/fip/hifi/index.m3u8?from=%s" % canon(grid(now) - 15 * DAY), 410, "from", "canonical, beyond retention and max_span")
    fault(o, "/fip/hifi/index.m3u8?from=%s&to=%s" % (canon((f.H - 5) * HOUR + 600), canon((f.H - 5) * HOUR + 1200)), 404, "from", "nothing was recorded in the span")
    fault(o, m + "from=%s&to=%s" % (canon((f.H - 5) * HOUR + 600), canon((f.H - 5) * HOUR + 1200)), 404, "from", "nothing was recorded in the span")
    for path in ("/nobody/index.m3u8?from=-1h", "/fip/none/index.m3u8?from=-1h", "/fip/none/index.m3u8?from=" + past, "/nobody/availability.json"):
        a = ask(o.port, path)
        same((a.status, a["Cache-Control"]), (404, "public, max-age=1"), "404: " + path.split("=")[0])
        common(a, "404")
    same(ask(o.port, m + "token=1&hdnts=2").status, 200, "tokens alone: the live list")
    same(ask(o.port, m + "from=%s&token=%s" % (past, "x" * 150)).status, 200, "a long token")


def test_delay(f, o):
    f.tick()
    for delay in (0, 60, 1800, grid(time.time()) - (f.H - 2) * HOUR - 1830, grid(time.time()) - (f.five + 1) * HOUR - 1800):
        now = time.time()
        while now % T > 4:
            time.sleep(0.2)
            now = time.time()
        f.tick()
        time.sleep(0.11)
        text, a = validators(o, "/fip/hifi/index.m3u8?delay=%d" % delay, "delay=%d" % delay)
        end = grid(now) - delay
        entries = want(f.hifi, end - 10 * T, end, False)
        ok(told(text) == entries and a["Cache-Control"] == GROWING and "PLAYLIST-TYPE" not in text and "EXT-X-START" not in text,
           "delay=%d: the window, so long ago" % delay, (told(text)[:1], told(text)[-1:], entries[:1], entries[-1:]))
        well_formed(text, "delay=%d" % delay)


def test_stale(f, o):
    H = f.H
    a = (H - 3) * HOUR
    for path in ("/dead/main/index.m3u8", "/dead/main/index.m3u8?from=" + canon((H - 2) * HOUR),
                 "/dead/main/index.m3u8?from=%s&to=%s" % (canon((H - 2) * HOUR), canon(grid(time.time()) + 60))):
        r = ask(o.port, path)
        ok(r.status == 503 and r["Retry-After"] and r["Cache-Control"] == "public, max-age=1", "stale: 503 for " + path.split("/")[-1][:40], r)
        common(r, "503")
    same(ask(o.port, "/dead/main/index.m3u8?from=%s&to=%s" % (canon(a), canon(a + HOUR))).status, 200, "stale: catch-up goes on")
    same(ask(o.port, "/dead/main/index.m3u8?delay=%d" % (90 * 60)).status, 200, "stale: delay goes on")
    same(ask(o.port, "/dead/main/index.m3u8?delay=%d" % (30 * 60)).status in (404, 503), True, "stale: a delay that has run out does not")


def test_stale_live(f, folder):
    """`stale = live`: the past goes on, also through to where it stopped."""
    o = Origin(f.ini(os.path.join(folder, "stale.ini"), "stale = live\n"))
    for query, status in (("", 503), ("?from=" + canon((f.H - 2) * HOUR), 200), ("?delay=%d" % (90 * 60), 200)):
        r = ask(o.port, "/dead/main/index.m3u8" + query)
        ok(r.status == status and (status == 503 or b"EXTINF" in r.body), "stale = live: %d for %s" % (status, query[:12] or "live"), r)
    same(o.stop(), 0, "it ends cleanly")


def test_silent(f, o):
    """Live lists of gaps alone, and a past."""
    H = f.H
    a = (H - 61) * HOUR
    r = ask(o.port, "/mute/index.m3u8?from=%s&duration=1h" % canon(a))
    ok(r.status == 200 and links(r), "60 hours of gaps: the hour before them is to be had", r)
    r = ask(o.port, "/mute/main/index.m3u8?from=%s&to=%s" % (canon(a), canon(a + HOUR)))
    same((r.status, told(r.body.decode())), (200, want(f.mute, a, a + HOUR, True)), "60 hours of gaps: its list")
    s = {x["name"]: x for x in json.loads(ask(o.port, "/stations.json").body)["stations"]}
    same(s["mute"]["retained"], {"from": mkstore.stamp((H - 62) * HOUR), "to": mkstore.stamp((H - 60) * HOUR)}, "60 hours of gaps: what is retained")
    q = "/turns/index.m3u8?from=%s&duration=10m" % canon((H - 1) * HOUR)
    same(ask(o.port, q).status, 200, "a station before its inputs go")
    newest = f.turns.entries[-1][0]
    for t in range(newest + T, newest + 11 * T, T):
        f.turns.append(t, gap=True)
    f.turns.write_live()
    time.sleep(1.2)
    r = ask(o.port, "/turns/index.m3u8?from=%s&duration=11m" % canon((H - 1) * HOUR))
    same(r.status, 200, "and when its live list holds gaps alone, at once")
    s = {x["name"]: x for x in json.loads(ask(o.port, "/stations.json").body)["stations"]}
    same(s["turns"]["retained"], {"from": mkstore.stamp((H - 1) * HOUR), "to": mkstore.stamp(newest + T)}, "its retained range ends with its media")


def merge(full, delta):
    """As a client does: the segments that are skipped come from the list before."""
    m = re.search(r"#EXT-X-SKIP:SKIPPED-SEGMENTS=(\d+)\n", delta)
    assert not m or "#EXT-X-VERSION:9\n" in delta
    return (full[:int(m[1])] if m else []) + told(delta)


def test_delta(f, o):
    for first, name, saves in (((f.H - 1) * HOUR, "start-over", True), ((f.H - 2) * HOUR, "start-over with discontinuities", True),
                               ((f.H - 2) * HOUR + 1800, "start-over that begins with a discontinuity", False)):
        path = "/fip/hifi/index.m3u8?from=" + canon(first)
        f.tick()
        time.sleep(0.11)
        before = ask(o.port, path).body.decode()
        while f.hifi.entries[-1][0] == f.newest and List(before).entries[-1].uri == mkstore.segment_name(f.newest) and grid(time.time()) - T <= f.newest:
            time.sleep(0.2)
        f.tick()
        time.sleep(0.11)
        delta, after = ask(o.port, path + "&_HLS_skip=YES"), ask(o.port, path)
        z = ask(o.port, "/fip/hifi/index.m3u8?_HLS_skip=v2&from=" + canon(first), Accept_Encoding="gzip")
        text, full = delta.body.decode(), after.body.decode()
        same(merge(told(before), text), told(full), "delta, %s: with the list before it is the full one" % name)
        ok(gzip.decompress(z.body) == delta.body and (z["ETag"] != ask(o.port, path, Accept_Encoding="gzip")["ETag"]) == saves, "delta, %s: gzip" % name, z)
        m = re.search(r"SKIPPED-SEGMENTS=(\d+)", text)
        ok(bool(m) == saves and (not m or "#EXT-X-DISCONTINUITY\n" not in "".join(e.tags for e in List(full).entries[:int(m[1])])),
           "delta, %s: hides no discontinuity" % name, m and m[0])
        tail = List(text).entries if m else []
        ok(not m or sum(e.microseconds for e in tail) >= 36000000, "delta, %s: at least six durations are listed" % name, len(tail))
        same(ask(o.port, path + "&_HLS_skip=YES", If_None_Match=delta["ETag"]).status, 304, "delta, %s: 304" % name)
        ok((delta["ETag"] != after["ETag"]) == saves, "delta, %s: a tag of its own" % name)
    t = (f.H - 8) * HOUR
    a = ask(o.port, "/fip/hifi/index.m3u8?from=%s&to=%s&_HLS_skip=YES" % (canon(t), canon(t + HOUR)))
    ok("SKIP" not in a.body.decode(), "a complete list has no delta")
    a = ask(o.port, "/fip/hifi/index.m3u8?_HLS_skip=YES")
    ok(a.status == 200 and "SKIP" not in a.body.decode(), "nor has the live list")


def gaps_of(r, first, end):
    out = []
    for t in range(first, end, T):
        if r.hours.get(t // HOUR, {}).get(t) is not None:
            continue
        if out and out[-1][1] == t:
            out[-1][1] = t + T
        else:
            out.append([t, t + T])
    return [{"from": mkstore.stamp(a), "to": mkstore.stamp(b)} for a, b in out]


def test_availability(f, o):
    f.tick()
    time.sleep(0.11)
    a = ask(o.port, "/fip/availability.json")
    d = json.loads(a.body)
    first, end = (f.old + 1) * HOUR, f.hifi.entries[-1][0] + T
    same((a.status, a["Cache-Control"], d["retained"]), (200, GROWING, {"from": mkstore.stamp(first), "to": mkstore.stamp(end)}), "availability: the range")
    hifi, late = d["renditions"]
    wanted = gaps_of(f.hifi, first, end)
    ok(hifi["gaps"] == wanted, "availability: the gaps that were put in", [x for x in zip(hifi["gaps"], wanted) if x[0] != x[1]][:2] or (len(hifi["gaps"]), len(wanted)))
    same((late["retained"]["from"], late["gaps"]), (mkstore.stamp((f.H - 1) * HOUR + 1800), []), "availability: a rendition that began later")
    same(json.loads(ask(o.port, "/empty/availability.json").body)["retained"], None, "availability: nothing yet")
    a, tries = ask(o.port, "/huge/availability.json"), 1
    ok(a.status == 503 and a["Retry-After"] == "1" and a["Cache-Control"] == "public, max-age=1", "a huge store: 503 while it is looked through", a)
    while a.status == 503 and tries < 10:
        a, tries = ask(o.port, "/huge/availability.json"), tries + 1
    hole = {"from": mkstore.stamp((f.H - 700) * HOUR), "to": mkstore.stamp((f.H - 699) * HOUR)}
    same((a.status, [r["gaps"] for r in json.loads(a.body).get("renditions", [])]), (200, [[hole], [hole]]), "a huge store: then its gaps")
    # a hole that is mended shows within the minute that a look at an old file may take
    r = f.huge[0]
    r.segment((f.H - 700) * HOUR, file=False)
    r.write_hour(f.H - 700, part=False)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        time.sleep(1.1)
        a = ask(o.port, "/huge/availability.json")
        if a.status == 200 and json.loads(a.body)["renditions"][0]["gaps"] == []:
            break
    same([x["gaps"] for x in json.loads(a.body)["renditions"]], [[], [hole]], "a huge store: an hour that was mended is no gap any more")
    s = {x["name"]: x for x in json.loads(ask(o.port, "/stations.json").body)["stations"]}
    same((s["fip"]["segment"], s["fip"]["max_span"], s["fip"]["availability"], s["fip"]["live"], s["dead"]["live"], s["fip"]["retained"]["from"]),
         (T, MAX_SPAN, "fip/availability.json", True, False, mkstore.stamp(first)), "stations.json")


def test_wrong_files(f, o):
    """What lies in the store under a wrong name or is no hour file: passed over, nothing else suffers."""
    H = f.H
    for a, b, status in (((H - 4) * HOUR, (H - 2) * HOUR + 600, 200), ((H - 2) * HOUR, (H - 2) * HOUR + 600, 404),
                         ((H - 5) * HOUR, (H - 4) * HOUR + 600, 200), ((H - 5) * HOUR, (H - 5) * HOUR + 600, 404)):
        r = ask(o.port, "/wrong/main/index.m3u8?from=%s&to=%s" % (canon(a), canon(b)))
        inside = status == 404 or told(r.body.decode()) == want(f.wrong, max(a, (H - 4) * HOUR), min(b, (H - 2) * HOUR), True)
        ok(r.status == status and inside, "an hour under the name of another is passed over", r)
    same(ask(o.port, "/wrong/availability.json").status, 200, "and availability is told")
    same(ask(o.port, "/healthz").status in (200, 503), True, "the origin lives")


class Follower:
    """A player that reloads one list and keeps what it has seen."""

    def __init__(self, o, path, delta=False, **fields):
        self.o, self.path, self.fields, self.delta = o, path, fields, delta
        self.seen, self.text, self.faults, self.reads, self.changes = None, None, [], 0, 0

    def read(self):
        a = ask(self.o.port, self.path + ("&_HLS_skip=YES" if self.delta and self.seen else ""), **self.fields)
        if a.status != 200:
            self.faults.append(repr(a)[:200])
            return
        text = (gzip.decompress(a.body) if a["Content-Encoding"] == "gzip" else a.body).decode()
        entries = merge(self.seen or [], text)
        head = (List(text).first, List(text).discontinuity_sequence)
        self.reads += 1
        if self.seen is not None:
            if self.head != head or entries[:len(self.seen)] != self.seen:
                self.faults.append((self.head, head, len(self.seen), len(entries)))
            self.changes += len(entries) > len(self.seen)
        if not self.delta:
            if self.text and not text.removesuffix("#EXT-X-ENDLIST\n").startswith(self.text.removesuffix("#EXT-X-ENDLIST\n")):
                self.faults.append("not the text before with lines appended")
            self.text = text
        self.seen, self.head = entries, head


def test_followed(f, folder):
    """A writer that appends and rolls over hours, and players that reload all the while (RFC 8216 6.2.1: EVENT)."""
    H = f.H
    r = f.station("roll")
    begin = (H - 3) * HOUR + HOUR - 20 * T
    first = begin - 15 * T
    for t in range(first, begin, T):
        r.segment(t, file=False)
    r.write_hour(H - 3, part=True)
    r.write_live()
    o = Origin(f.ini(os.path.join(folder, "roll.ini"), "stale = serve\n"))
    path = "/roll/main/index.m3u8?from=" + canon(first)
    followers = [Follower(o, path), Follower(o, path, Accept_Encoding="gzip"), Follower(o, path, delta=True),
                 Follower(o, path + "&to=" + canon((H - 3) * HOUR + HOUR + 10 * T))]
    chance = random.Random(1)
    for i, t in enumerate(range(begin, begin + 60 * T, T)):
        gap = 25 <= i < 28
        if i in (40, 41, 42, 43):
            continue  # what is missing is entered when the next one comes
        r.append(t, file=False, gap=gap, discontinuity=i == 28)
        r.write_live()
        for _ in range(chance.randrange(1, 4)):
            for x in followers:
                x.read()
            time.sleep(0.02)
    time.sleep(0.11)
    for name, x in zip(("full", "gzip", "delta", "catch-up"), followers):
        x.read()
        ok(not x.faults and x.changes > 5 and x.reads > 50, "followed, %s: each list is the one before and more" % name, (x.faults[:2], x.changes, x.reads))
    same(followers[0].seen, want(r, first, begin + 60 * T, False), "followed: nothing is missing at the end")
    same(followers[2].seen, followers[0].seen, "followed by deltas: the same")
    ok(os.path.exists(r.hour_path(H - 3)) and os.path.exists(r.hour_path(H - 2) + ".part"), "the hour was rolled over")
    same(o.stop(), 0, "the second origin ends cleanly")


def perform(folder):
    f = Fixture(folder)
    o = Origin(f.ini(os.path.join(folder, "a.ini")))
    if not ok(o.ports, "it starts and says where it listens", o.lines):
        return
    for test in (test_growing, test_complete, test_multivariant, test_clamped, test_faults, test_delay, test_stale, test_silent,
                 test_delta, test_availability, test_wrong_files):
        began = time.monotonic()
        test(f, o)
        print("# %s %.1f s" % (test.__name__, time.monotonic() - began), flush=True)
    same(o.stop(), 0, "TERM ends it cleanly")
    test_stale_live(f, folder)
    test_followed(f, folder)


main(perform)
