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

    def __init__(self, root, station, name, T=6, size=1000, extension=".ts"):
        self.folder = os.path.join(root, station, name)
        self.T, self.size, self.extension = T, size, extension
        self.entries = []  # (grid time, bytes or None for a gap)
        os.makedirs(self.folder, exist_ok=True)

    def segment(self, t, gap=False):
        data = None
        if not gap:
            seed = b"%s %d\n" % (self.folder.encode(), t)
            data = b"\x47" + (seed * (self.size // len(seed) + 1))[:self.size - 1]
            path = os.path.join(self.folder, segment_name(t, self.extension))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            replace(path, data)
            os.utime(path, (t + self.T, t + self.T))
        self.entries.append((t, data))
        return data

    def entry(self, t, data, comment=True):
        lines = ["#EXT-X-PROGRAM-DATE-TIME:" + stamp(t)]
        if data is None:
            lines.append("#EXT-X-GAP")
        elif comment:
            lines.append("#HINDCAST-SEGMENT:bytes=%d,audio=%d,frames=258,samples=264192,xxh64=%016x,anchor=126000,"
                         "sample=0,fill=0" % (len(data), len(data), xxh64(data)))
        lines += ["#EXTINF:%d.000000," % self.T, segment_name(t, self.extension)]
        return "\n".join(lines) + "\n"

    def hour_text(self, hour):
        """The hour file up to its last entry; numbers without media before the first one are gaps."""
        first, here = hour * HOUR, {t: data for t, data in self.entries if t // HOUR == hour}
        text = ("#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:%d\n#EXT-X-MEDIA-SEQUENCE:%d\n"
                "#EXT-X-DISCONTINUITY-SEQUENCE:0\n#HINDCAST-HOUR:version=1,segment=%d\n"
                % (self.T, first // self.T, self.T))
        described = False
        for t in range(first, max(here) + 1, self.T):
            if here.get(t) is not None and not described:
                text += "#HINDCAST-FORMAT:codecs=mp4a.40.2,header=fff15080,rate=44100,channels=2\n"
                described = True
            text += self.entry(t, here.get(t))
        return text

    def write_hour(self, hour, part, torn=b""):
        name = os.path.join(self.folder, hour_name(hour * HOUR) + ".m3u8")
        text = self.hour_text(hour)
        if part:
            with open(name + ".part", "wb") as f:
                f.write(text.encode() + torn)
        else:
            media = [d for t, d in self.entries if d and t // HOUR == hour]
            total, duration_us = sum(map(len, media)), len(media) * self.T * 1000000
            rate = -(-total * 8000000 // duration_us) if media else 0
            replace(name, text + "#HINDCAST-RATE:peak=%d,mean=%d,bytes=%d,duration_us=%d\n#EXT-X-ENDLIST\n"
                    % (rate, rate, total, duration_us))
        return text

    def live_text(self, count=10):
        listed = self.entries[-count:]
        return ("#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-TARGETDURATION:%d\n"
                "#EXT-X-MEDIA-SEQUENCE:%d\n#EXT-X-DISCONTINUITY-SEQUENCE:0\n" % (self.T, listed[0][0] // self.T)
                + "".join(self.entry(t, d, comment=False) for t, d in listed))

    def write_live(self):
        text = self.live_text()
        replace(os.path.join(self.folder, "index.m3u8"), text)
        return text


def write_multivariant(root, station, names):
    text = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-INDEPENDENT-SEGMENTS\n"
    for name in names:
        text += ('#EXT-X-STREAM-INF:BANDWIDTH=140000,AVERAGE-BANDWIDTH=131000,CODECS="mp4a.40.2"\n'
                 "%s/index.m3u8\n" % name)
    replace(os.path.join(root, station, "index.m3u8"), text)
    return text
