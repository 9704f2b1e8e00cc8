"""A store made by hand, for tests of what reads one: written from the description of the format, not by its code.

Every file has the name, bytes and time that a segmenter would give it, but segments hold no audio."""
import os
import time

HOUR = 3600
MASK = (1 << 64) - 1
P1, P2, P3, P4, P5 = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63,
                      0x27D4EB2F165667C5)


def rotl(x, r):
    return (x << r | x >> (64 - r)) & MASK


def xxh_round(acc, lane):
    return rotl((acc + lane * P2) & MASK, 31) * P1 & MASK


def xxh64(data):
    """XXH64 with seed 0, as the entity tags are."""
    n, i = len(data), 0
    if n >= 32:
        v = [(P1 + P2) & MASK, P2, 0, -P1 & MASK]
        while i + 32 <= n:
            for j in range(4):
                v[j] = xxh_round(v[j], int.from_bytes(data[i + 8 * j:i + 8 * j + 8], "little"))
            i += 32
        h = (rotl(v[0], 1) + rotl(v[1], 7) + rotl(v[2], 12) + rotl(v[3], 18)) & MASK
        for lane in v:
            h = ((h ^ xxh_round(0, lane)) * P1 + P4) & MASK
    else:
        h = P5
    h = (h + n) & MASK
    while i + 8 <= n:
        h = (rotl(h ^ xxh_round(0, int.from_bytes(data[i:i + 8], "little")), 27) * P1 + P4) & MASK
        i += 8
    if i + 4 <= n:
        h = (rotl(h ^ int.from_bytes(data[i:i + 4], "little") * P1 & MASK, 23) * P2 + P3) & MASK
        i += 4
    while i < n:
        h = rotl(h ^ data[i] * P5 & MASK, 11) * P1 & MASK
        i += 1
    h = (h ^ h >> 33) * P2 & MASK
    h = (h ^ h >> 29) * P3 & MASK
    return h ^ h >> 32


def hour_name(t):
    return time.strftime("%Y%m%dT%H", time.gmtime(t))


def segment_name(t, extension=".ts"):
    return time.strftime("%Y%m%dT%H/%Y%m%dT%H%M%SZ", time.gmtime(t)) + extension


def stamp(t):
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(t))


def replace(path, data):
    """Write a file as a segmenter does: under another name, then rename."""
    data = data if isinstance(data, bytes) else data.encode()
    temporary = os.path.join(os.path.dirname(path), ".tmp")
    with open(temporary, "wb") as f:
        f.write(data)
    os.rename(temporary, path)


class Rendition:
    """Segments of one rendition, T seconds each, of `size` bytes."""

    FORMATS = {"mp4a.40.2": "codecs=mp4a.40.2,header=fff15080,rate=44100,channels=2",
               "mp4a.40.5": "codecs=mp4a.40.5,header=fff15c80,rate=22050,channels=2",
               "mp4a.40.34": "codecs=mp4a.40.34,header=fffb9064,rate=44100,channels=2"}

    def __init__(self, root, station, name, T=6, size=1000, extension=".ts"):
        self.folder = os.path.join(root, station, name)
        self.T, self.size, self.extension = T, size, extension
        self.entries = []  # (grid time, bytes or None for a gap)
        self.hours = {}    # the same by hour: {hour: {grid time: bytes or None}}
        self.discontinuities = set()  # grid times of entries that EXT-X-DISCONTINUITY stands before
        self.codecs = "mp4a.40.2"     # of the segments to come
        self.formats = {}             # grid time: codecs, where they are not those of the first line
        self.bulk = None              # (bytes, comment) of segments that have no file
        os.makedirs(self.folder, exist_ok=True)

    def segment(self, t, gap=False, discontinuity=False, file=True):
        """Enter a segment. file=False: only in the list, all with the same facts, for stores that are large."""
        data = None
        if not gap and file:
            seed = b"%s %d\n" % (self.folder.encode(), t)
            data = b"\x47" + (seed * (self.size // len(seed) + 1))[:self.size - 1]
            path = os.path.join(self.folder, segment_name(t, self.extension))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            replace(path, data)
            os.utime(path, (t + self.T, t + self.T))
        elif not gap:
            if not self.bulk:
                data = b"\x47" * self.size
                self.bulk = data, self.comment(data)
            data = self.bulk[0]
        self.entries.append((t, data))
        self.hours.setdefault(t // HOUR, {})[t] = data
        if discontinuity:
            self.discontinuities.add(t)
        if not gap:
            self.formats[t] = self.codecs
        return data

    @staticmethod
    def comment(data):
        return ("#HINDCAST-SEGMENT:bytes=%d,audio=%d,frames=258,samples=264192,xxh64=%016x,anchor=126000,sample=0,fill=0"
                % (len(data), len(data), xxh64(data)))

    def entry(self, t, data, comment=True):
        lines = ["#EXT-X-DISCONTINUITY"] if t in self.discontinuities else []
        lines.append("#EXT-X-PROGRAM-DATE-TIME:" + stamp(t))
        if data is None:
            lines.append("#EXT-X-GAP")
        elif comment:
            lines.append(self.bulk[1] if self.bulk and data is self.bulk[0] else self.comment(data))
        lines += ["#EXTINF:%d.000000," % self.T, segment_name(t, self.extension)]
        return "\n".join(lines) + "\n"

    def hour_head(self, hour):
        first = hour * HOUR
        return ("#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:%d\n#EXT-X-MEDIA-SEQUENCE:%d\n"
                "#EXT-X-DISCONTINUITY-SEQUENCE:%d\n#HINDCAST-HOUR:version=1,segment=%d\n"
                % (self.T, first // self.T, sum(t < first for t in self.discontinuities), self.T))

    def hour_entries(self, hour):
        """The entries up to the last, one text each; numbers without media before the first one are gaps."""
        first, here, said, out = hour * HOUR, self.hours[hour], None, []
        for t in range(first, max(here) + 1, self.T):
            codecs = self.formats.get(t, said)
            out.append((("#HINDCAST-FORMAT:%s\n" % self.FORMATS[codecs]) if codecs != said else "") + self.entry(t, here.get(t)))
            said = codecs
        return out

    def hour_text(self, hour):
        """The hour file up to its last entry."""
        return self.hour_head(hour) + "".join(self.hour_entries(hour))

    def hour_tail(self, hour):
        media = [d for d in self.hours[hour].values() if d]
        total, duration_us = sum(map(len, media)), len(media) * self.T * 1000000
        rate = -(-total * 8000000 // duration_us) if media else 0
        return ("#HINDCAST-RATE:peak=%d,mean=%d,bytes=%d,duration_us=%d\n#EXT-X-ENDLIST\n" % (rate, rate, total, duration_us))

    def hour_path(self, hour):
        return os.path.join(self.folder, hour_name(hour * HOUR) + ".m3u8")

    def write_hour(self, hour, part, torn=b""):
        """The hour file as a whole: unfinished as far as it goes, or finished, which takes its last entry."""
        text = self.hour_text(hour)
        if part:
            with open(self.hour_path(hour) + ".part", "wb") as f:
                f.write(text.encode() + torn)
        else:
            replace(self.hour_path(hour), text + self.hour_tail(hour))
        return text

    def append(self, t, **how):
        """Enter a segment as a writer that runs: one write an entry, and what the change of the hour takes."""
        hour = t // HOUR
        known = len(range(hour * HOUR, max(self.hours[hour]) + 1, self.T)) if hour in self.hours else 0
        if not known and hour - 1 in self.hours:
            self.finish(hour - 1)
        self.segment(t, **how)
        with open(self.hour_path(hour) + ".part", "ab", buffering=0) as f:
            if not known:
                f.write(self.hour_head(hour).encode())
            for text in self.hour_entries(hour)[known:]:
                f.write(text.encode())

    def finish(self, hour):
        """Give an unfinished hour file its tail and its name; what is missing at its end is a gap."""
        part = self.hour_path(hour) + ".part"
        if not os.path.exists(part):
            return
        known = max(self.hours[hour])
        with open(part, "ab", buffering=0) as f:
            for t in range(known + self.T, (hour + 1) * HOUR, self.T):
                self.segment(t, gap=True)
                f.write(self.entry(t, None).encode())
            f.write(self.hour_tail(hour).encode())
        os.rename(part, self.hour_path(hour))

    def live_text(self, count=10):
        listed = self.entries[-count:]
        return ("#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-TARGETDURATION:%d\n"
                "#EXT-X-MEDIA-SEQUENCE:%d\n#EXT-X-DISCONTINUITY-SEQUENCE:0\n" % (self.T, listed[0][0] // self.T)
                + "".join(self.entry(t, d, comment=False) for t, d in listed))

    def write_live(self):
        text = self.live_text()
        replace(os.path.join(self.folder, "index.m3u8"), text)
        return text


def write_multivariant(root, station, names, codecs="mp4a.40.2"):
    text = "#EXTM3U\n#EXT-X-VERSION:3\n" + ("" if codecs == "mp4a.40.34" else "#EXT-X-INDEPENDENT-SEGMENTS\n")
    for name in names:
        text += ('#EXT-X-STREAM-INF:BANDWIDTH=140000,AVERAGE-BANDWIDTH=131000,CODECS="%s"\n'
                 "%s/index.m3u8\n" % (codecs, name))
    replace(os.path.join(root, station, "index.m3u8"), text)
    return text
