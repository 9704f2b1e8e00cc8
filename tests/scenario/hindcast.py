"""Reading a store and its media without the project's own code: hour files, segments down to their frames, multivariant
lists. Frames are cut by tests/media/reference.py."""
import datetime
import os
import re
import sys

from failing import MEDIA

sys.path.insert(0, MEDIA)
import reference  # noqa: E402

NS = 10**9
WRAP = 1 << 33
MP3_SAMPLES = {3: 1152, 2: 576, 0: 576}


# --- what goes in


class Media:
    """The frames that must come of a file of tests/media: `frames` as reference.cut() tells them."""

    def __init__(self, name):
        with open(os.path.join(MEDIA, name), "rb") as f:
            self.data = f.read()
        self.name, self.path = name, os.path.join(MEDIA, name)
        whole = reference.DAMAGED.get(name)
        if whole:
            with open(os.path.join(MEDIA, whole), "rb") as f:
                self.frames = reference.survivors(self.data, reference.cut(f.read()))
        else:
            self.frames = reference.cut(self.data)

    def parts(self):
        """Runs of frames of one format: [(rate, samples a frame, [bytes])]."""
        out, last = [], None
        for kind, samples, data, _ in self.frames:
            if kind != last:
                out.append((rate_of(kind), samples, []))
                last = kind
            out[-1][2].append(data)
        return out


def rate_of(kind):
    if kind[0] == "mp3":
        return reference.MP3_RATES[kind[1]][kind[2]]
    return (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)[kind[2]]


# --- time


def wall(ns):
    """"2026-11-21T09:00:00.123456789Z"""
    return datetime.datetime.fromtimestamp(ns // NS, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S") + f".{ns % NS:09d}Z"


def instant(text):
    """Of a PROGRAM-DATE-TIME, in ns."""
    whole, fraction = re.fullmatch(r"(.*?)(?:\.(\d+))?Z", text).groups()
    t = datetime.datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=datetime.timezone.utc)
    return int(t.timestamp()) * NS + int((fraction or "0").ljust(9, "0"))


def ns_of(samples, rate):
    return (samples * NS * 2 + rate) // (2 * rate)


def ticks_apart(a, b):
    """a - b on the circle of 2^33."""
    d = (a - b) % WRAP
    return d - WRAP if d >= WRAP // 2 else d


# --- playlists


class Entry:
    """A segment as an hour file or a live list tells it; looked at when asked, for hours are long."""

    def __init__(self, msn, tags, seconds, uri):
        self.msn, self.tags, self.seconds, self.uri = msn, tags, seconds, uri
        self.gap = "#EXT-X-GAP\n" in tags
        self.discontinuity = "#EXT-X-DISCONTINUITY\n" in tags

    @property
    def microseconds(self):
        return round(float(self.seconds) * 1000000)

    @property
    def start(self):
        return instant(re.search(r"^#EXT-X-PROGRAM-DATE-TIME:(.*)$", self.tags, re.M)[1])

    @property
    def facts(self):
        told = re.search(r"^#HINDCAST-SEGMENT:(.*)$", self.tags, re.M)
        return dict(f.split("=") for f in told[1].split(",")) if told else {}

    def key(self):
        """What must never change, and is the same in an hour file and in a live list."""
        return self.msn, self.uri, self.seconds, self.gap, self.discontinuity, self.tags[self.tags.find("#EXT-X-PROGRAM"):][:50]


ENTRY = re.compile(r"((?:^#(?!EXTINF).*\n)*)^#EXTINF:([0-9.]+),\n(?!#)(.+)\n", re.M)


class List:
    """A media playlist. A torn tail is left out, as every reader of an unfinished hour file must."""

    def __init__(self, text):
        self.text = text

        def number(tag):
            return int(re.search(rf"^#EXT-X-{tag}:(\d+)$", text, re.M)[1])

        self.first, self.target = number("MEDIA-SEQUENCE"), number("TARGETDURATION")
        self.discontinuity_sequence = number("DISCONTINUITY-SEQUENCE")
        self.ended = text.endswith("#EXT-X-ENDLIST\n")
        self.entries = [Entry(self.first + i, *m.groups()) for i, m in enumerate(ENTRY.finditer(text))]


def read(path, mode="r"):
    with open(path, mode) as f:
        return f.read()


def hours(folder):
    """The hour files of a rendition, oldest first; one that is being finished has both names for a moment."""
    names = {}
    for name in os.listdir(folder):
        m = re.fullmatch(r"(\d{8}T\d{2})\.m3u8(\.part)?", name)
        if m and (m[1] not in names or not m[2]):
            names[m[1]] = name
    return [List(read(os.path.join(folder, names[hour]))) for hour in sorted(names)]


def variants(store, station):
    """{rendition: (BANDWIDTH, AVERAGE-BANDWIDTH, CODECS)} of a station's multivariant list."""
    text = read(os.path.join(store, station, "index.m3u8"))
    found = re.findall(r'^#EXT-X-STREAM-INF:BANDWIDTH=(\d+),AVERAGE-BANDWIDTH=(\d+),CODECS="(.*)"\n(.*)/index.m3u8$', text, re.M)
    return {name: (int(peak), int(mean), codecs) for peak, mean, codecs, name in found}


# --- segments


class Segment:
    """What a segment file holds: PTS of its first frame, PTS of each PES with the bytes before it, and the frames joined."""

    def __init__(self, data, ts):
        self.size, self.counter, self.pes = len(data), None, []
        (self._ts if ts else self._packed)(data)
        self.pts = self.pes[0][0]

    def _packed(self, data):
        n = reference.tag_len(data, 0)
        owner = b"com.apple.streaming.transportStreamTimestamp\0"
        at = data.index(owner, 0, n) + len(owner)
        pts = int.from_bytes(data[at:at + 8], "big")
        assert pts < WRAP, "a timestamp of more than 33 bits"
        self.pes, self.audio = [(pts, 0)], data[n:]

    def _ts(self, data):
        assert len(data) % 188 == 0, "not whole packets"
        self.tables, pmt_pid, pid, packets, counters = {}, None, None, [], {}
        for at in range(0, len(data), 188):
            assert data[at] == 0x47, f"no sync byte at {at}"
            this = (data[at + 1] & 0x1F) << 8 | data[at + 2]
            control, counter, begin = data[at + 3] >> 4 & 3, data[at + 3] & 15, at + 4
            if control & 2:
                begin += 1 + data[at + 4]
            if not control & 1:
                continue
            if this in counters:
                assert counter == (counters[this] + 1) % 16, f"continuity counter of PID {this} at {at}"
            else:
                self.tables[this] = counter
            counters[this] = counter
            payload, starts = data[begin:at + 188], data[at + 1] & 0x40
            if this == 0:
                section = payload[1 + payload[0]:]
                pmt_pid = (section[10] & 0x1F) << 8 | section[11]
            elif this == pmt_pid:
                section = payload[1 + payload[0]:]
                info = (section[10] & 15) << 8 | section[11]
                self.stream_type = section[12 + info]
                pid = (section[13 + info] & 0x1F) << 8 | section[14 + info]
            elif this == pid:
                if starts:
                    packets.append(bytearray())
                packets[-1] += payload
        audio = bytearray()
        for pes in packets:  # whole ones: a header may go over several transport packets (ISO 13818-1 2.4.3.3)
            assert pes[:3] == b"\0\0\1" and pes[7] & 0x80, "a PES without PTS"
            p = pes[9:14]
            self.pes.append(((p[0] >> 1 & 7) << 30 | p[1] << 22 | p[2] >> 1 << 15 | p[3] << 7 | p[4] >> 1, len(audio)))
            audio += pes[9 + pes[8]:]
        self.counter = counters[pid]
        self.audio = bytes(audio)


def segment(folder, entry):
    return Segment(read(os.path.join(folder, entry.uri), "rb"), entry.uri.endswith(".ts"))


def cut_one(data, at):
    """(next, rate, samples, frame) of the normalised frame at `at`."""
    found = reference.cut_adts(data, at) or reference.cut_mp3(data, at)
    assert found, f"no frame at byte {at}"
    end, kind, samples, frames = found
    assert frames == [data[at:end]], f"the frame at byte {at} is not normalised"
    return end, rate_of(kind), samples, data[at:end]


def cut(data):
    """[(rate, samples, frame)] of a segment's audio."""
    at, out = 0, []
    while at < len(data):
        at, rate, samples, frame = cut_one(data, at)
        out.append((rate, samples, frame))
    return out
