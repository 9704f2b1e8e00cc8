"""A store of clocks, an origin before it, and a listener: what the scenarios of past time share. See timecode.py."""
import concurrent.futures
import datetime
import glob
import os
import re
import time
import urllib.error
import urllib.parse
import urllib.request
import zoneinfo

from failing import Program, write
from hindcast import NS, List
from timecode import PERIOD, RATE, Clock, decode_many, joined, since

UTC = datetime.timezone.utc


# --- time


def utc(t):
    """"2026-11-21T09:00:00Z", of seconds since 1970."""
    return f"{datetime.datetime.fromtimestamp(t, UTC):%Y-%m-%dT%H:%M:%S}Z"


def basic(t):
    return f"{datetime.datetime.fromtimestamp(t, UTC):%Y%m%dT%H%M%S}Z"


def first_instant(local, zone):
    """Of a local time: of two instants the first, of none the change that skips it."""
    t = int(local.replace(tzinfo=zone, fold=0).timestamp())
    if datetime.datetime.fromtimestamp(t, zone).replace(tzinfo=None) == local:
        return t
    low = int(local.replace(tzinfo=zone, fold=1).timestamp())  # by the offset after the change: before it
    return next(x for x in range(low // 60 * 60, t + 1, 60)
                if datetime.datetime.fromtimestamp(x, zone).replace(tzinfo=None) > local)


def last_change(zone, forward, before):
    """The newest change of the clocks of a zone, forward or back, before an instant."""
    def offset(t):
        return datetime.datetime.fromtimestamp(t, zone).utcoffset()
    t = int(before) // 900 * 900
    while (offset(t) > offset(t - 900)) != forward or offset(t) == offset(t - 900):
        t -= 900
    return t


# --- what there is to be heard


class Tape:
    """A station of one rendition with the clock on it, from about `first` for about `seconds` (None: for ever). `lag`: ns by which
    its frames lie beside those of a clock that began on a whole second."""

    def __init__(self, name, zone, form, T, first, seconds=None, lag=0, more=""):
        self.name, self.zone, self.form, self.T, self.lag, self.more = name, zoneinfo.ZoneInfo(zone), form, T, lag, more
        self.zone_name = zone
        self.periods = seconds and -(-seconds // PERIOD)
        self.first = first // PERIOD * PERIOD + (0 if seconds is None else PERIOD)
        self.end = seconds and self.first + self.periods * PERIOD

    def station(self):
        return (f"[station {self.name}]\ntimezone = {self.zone_name}\nsegment = {self.T}s\nwindow = {6 * self.T}s\n"
                f"retention = 400d\n{self.more}renditions = a\n[rendition {self.name}/a]\nformat = {self.form}\n")

    def input(self, folder):
        path = joined(folder, self.periods or 1)
        start = utc(self.first)[:-1] + (f".{self.lag:09d}Z" if self.lag else "Z")
        return (f"[input {self.name}/a tape]\ntype = file\npath = {path}\nstart = {start}\n"
                f"{'pace = none' if self.periods else 'loop = yes'}\n")

    def grid(self, t):
        """The segment grid line at or before an instant."""
        return int(t // self.T) * self.T


class Origin:
    def __init__(self, folder, store, stations, more="", threads=2):
        ini = f"[store]\npath = {store}\nmin_free = 0\n{stations}[origin]\nlisten = 127.0.0.1:0\nthreads = {threads}\n{more}"
        self.program = Program("origin", "-c", write(folder, "origin.ini", ini))
        self.url = f"http://127.0.0.1:{self.program.wait(r'listening .*?:([0-9]+)')[1]}"

    def end(self):
        return self.program.end()


def origin_later(folder, seconds):
    """Address of another origin on the same configuration, whose clock is ahead. Not by faketime(1), which leaves its child behind."""
    library = next(iter(glob.glob("/usr/lib/*/faketime/libfaketime.so.1")))
    p = Program("origin", "-c", os.path.join(folder, "origin.ini"),
                env={"LD_PRELOAD": library, "FAKETIME": f"+{seconds}s", "DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                     "NO_FAKE_STAT": "1", "FAKE_UTIME": "0"})
    return f"http://127.0.0.1:{p.wait(r'listening .*?:([0-9]+)')[1]}"


def lay(folder, store, sections, name="lay", seconds=60):
    """Lay inputs in that end by themselves: exit code, and the log."""
    p = Program("segmenter", "-c", write(folder, name + ".ini", f"[store]\npath = {store}\nsync = none\nmin_free = 0\n{sections}"))
    p.process.wait(seconds)
    return p.end(), p.lines


# --- a listener


class Answer:
    def __init__(self, url, headers=None):
        self.url = url
        request = urllib.request.Request(url, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=20) as r:
                self.status, self.body, self.headers = r.status, r.read(), r.headers
        except urllib.error.HTTPError as e:
            self.status, self.body, self.headers = e.code, e.read(), e.headers
        self.text = self.body.decode("utf-8", "replace")


def query(**parameters):
    return urllib.parse.urlencode(parameters)


def named(uri):
    """The grid line that a segment's name says."""
    m = re.search(r"(\d{8}T\d{6})Z\.\w+$", uri)
    return int(datetime.datetime.strptime(m[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC).timestamp())


class Listener:
    """Opens links as a player does, and listens to their segments."""

    def __init__(self, origin):
        self.origin, self.clock, self.kept = origin, Clock(), {}

    def variants(self, url):
        """(addresses of the media playlists, answer) of a multivariant playlist, or of a media playlist that is one already."""
        a = Answer(url)
        if a.status != 200:
            raise LookupError(f"{url}: status {a.status} {a.text}")
        if "#EXTINF" in a.text:
            return [url], a
        return [urllib.parse.urljoin(url, line) for line in a.text.splitlines() if line and line[0] != "#"], a

    def media(self, url):
        a = Answer(url)
        if a.status != 200 or "#EXTINF" not in a.text:
            raise LookupError(f"{url}: status {a.status} {a.text}")
        a.list = List(a.text)
        return a

    def open(self, path):
        """The media playlist behind a link of a station or of a rendition."""
        addresses, a = self.variants(self.origin.url + path)
        if len(addresses) != 1:
            raise LookupError(f"{path}: {len(addresses)} variants")
        return self.media(addresses[0])

    def visit(self, path):
        """The list behind a link, or why there is none."""
        v = Visit(path)
        try:
            v.before = time.time()
            v.media = self.open(path)
            v.after = time.time()
        except Exception as e:  # one that gets nothing is one fault, not the end of the test
            v.fault = repr(e)
        return v

    def listen(self, addresses):
        """Hear the segments that have not been heard yet, some at a time."""
        left = sorted(set(addresses) - set(self.kept))
        groups = [left[n:n + 12] for n in range(0, len(left), 12)]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for group, pcms in zip(groups, pool.map(decode_many, groups)):
                for url, pcm in zip(group, pcms):
                    self.kept[url] = self.clock.time(pcm)

    def crowd(self, links):
        """Faults of many: links = [(judge, tape, path, what the judge wants to know...)]."""
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            visits = list(pool.map(self.visit, [path for _, _, path, *_ in links]))
        self.listen(urllib.parse.urljoin(v.media.url, e.uri) for v in visits if v.media for e in v.media.list.entries[::len(v.media.list.entries) - 1 or 1])
        faults = []
        for v, (judge, tape, path, *want) in zip(visits, links):
            wrong = v.fault or judge(tape, self, v, *want)
            if wrong:
                faults.append(f"{path} {want}: {wrong}")
        return faults

    def time(self, media, entry):
        """Wall time modulo PERIOD at which a segment begins, in samples, as it is heard. None: it is not heard."""
        url = urllib.parse.urljoin(media.url, entry.uri)
        self.listen([url])
        return self.kept[url]


class Visit:
    """One look at a list, between two moments."""

    def __init__(self, path):
        self.path, self.media, self.fault, self.before, self.after = path, None, "", 0, 0


def early(tape, heard, t):
    """By how many samples more than a whole second's instant `t` a segment begins on a tape; 1 << 30: nothing is heard."""
    if heard is None:
        return 1 << 30
    return since(heard, (t % PERIOD) * RATE) + tape.lag * RATE / NS
