#!/usr/bin/env python3
"""What must come of the audio files in this directory, found without the project's own code.

Writes frames.tsv: for each file the number of frames of each part (parts differ in format), the number of samples at
the rate of their headers and the CRC-32 of all normalised frames joined. Undamaged files are cut from their first byte
to their last by the lengths in the headers. Damaged ones are not parsed at all: they are compared with the frames that
they were made of, which stand whole in another file, and every frame that is in there byte for byte, in order, must
come out."""
import os
import re
import sys
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
MP3_RATES = {3: [44100, 48000, 32000], 2: [22050, 24000, 16000], 0: [11025, 12000, 8000]}
MP3_KBPS = {
    True: [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
    False: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
}

# damaged file: the file that has the same frames whole
DAMAGED = {
    "bad_bytes_dropped.aac": "id3_between_frames.aac",
    "bad_garbage.aac": "id3_between_frames.aac",
    "bad_headers.aac": "id3_between_frames.aac",
    "bad_starts_mid_frame.aac": "id3_between_frames.aac",
    "bad_truncated_in_header.aac": "id3_between_frames.aac",
    "bad_truncated_mid_frame.aac": "id3_between_frames.aac",
    "mp3_cbr128_44100_garbage.mp3": "mp3_cbr128_44100_js.mp3",
}
REFUSED = re.compile(r"^(wrong_|mp2_|mp3_freeformat|aac_lc_latm)")


class Bits:
    def __init__(self, data):
        self.value, self.left = int.from_bytes(data, "big"), 8 * len(data)

    def __call__(self, n):
        self.left -= n
        return self.value >> self.left & (1 << n) - 1


def cut_adts(d, at):
    """The frame at `at` as (where the next begins, format, samples, [normalised frames])."""
    b = Bits(d[at : at + 7])
    if b(12) != 0xFFF:
        return None
    version, layer, absent, profile, rate, _, channels = b(1), b(2), b(1), b(2), b(4), b(1), b(3)
    if layer != 0:
        return None
    b(4)
    length, _, blocks = b(13), b(11), b(2) + 1
    if at + length > len(d):
        return None
    body, pieces = d[at + 7 : at + length], []
    if not absent and blocks > 1:
        starts = [0] + [int.from_bytes(body[2 * i : 2 * i + 2], "big") for i in range(blocks - 1)]
        body = body[2 * (blocks - 1) + 2 :]
        ends = starts[1:] + [len(body)]
        pieces, each = [body[s : e - 2] for s, e in zip(starts, ends)], 1
    else:
        pieces, each = [body if absent else body[2:]], blocks
    out = []
    for p in pieces:
        n = 7 + len(p)
        h = 0xFFF << 44 | version << 43 | 1 << 40 | profile << 38 | rate << 34 | channels << 30 | n << 13 | 0x7FF << 2
        out.append((h | each - 1).to_bytes(7, "big") + p)
    return at + length, ("aac", version, rate, channels), 1024 * each, out


def cut_mp3(d, at):
    b = Bits(d[at : at + 4])
    if b(11) != 0x7FF:
        return None
    version, layer, crc, index, rate, padding, _, mode = b(2), b(2), b(1), b(4), b(2), b(1), b(1), b(2)
    if layer != 1 or index == 0:
        return None
    hz, first = MP3_RATES[version][rate], version == 3
    length = (144 if first else 72) * 1000 * MP3_KBPS[first][index] // hz + padding
    if at + length > len(d):
        return None
    frame = d[at : at + length]
    side = (17 if mode == 3 else 32) if first else (9 if mode == 3 else 17)
    info = frame[4 + side : 8 + side] in (b"Xing", b"Info")
    return at + length, ("mp3", version, rate, mode == 3), 1152 if first else 576, [] if info else [frame]


def tag_len(d, at):
    if d[at : at + 3] == b"TAG":
        return 128
    if d[at : at + 3] != b"ID3":
        return 0
    return 10 + sum(c << s for c, s in zip(d[at + 6 : at + 10], (21, 14, 7, 0))) + 10 * (d[at + 5] >> 4 & 1)


def cut(d):
    """All frames of a whole file as (format, samples, normalised frame, bytes as they stand in the file)."""
    at, out = 0, []
    while at < len(d):
        if tag_len(d, at):
            at += tag_len(d, at)
            continue
        found = cut_adts(d, at) or cut_mp3(d, at)
        assert found, f"no frame at byte {at}"
        raw = d[at : found[0]]
        at, kind, samples, frames = found
        out += [(kind, samples, f, raw) for f in frames]
    return out


def survivors(damaged, whole):
    """The frames of `whole` that stand in `damaged`, in order, with at most garbage between them."""
    at, out = 0, []
    for frame in whole:
        found = damaged.find(frame[3], at, at + 6000)
        if found >= 0:
            out.append(frame)
            at = found + len(frame[3])
    return out


def facts(name, frames):
    if REFUSED.match(name):
        return "refused", "-", "-"
    parts, last, samples = [], None, 0
    for kind, n, _, _ in frames:
        if kind != last:
            parts.append(0)
            last = kind
        parts[-1] += 1
        samples += n
    return "+".join(map(str, parts)), samples, f"{zlib.crc32(b''.join(f[2] for f in frames)):08x}"


def main():
    rows = []
    for name in sorted(os.listdir(HERE)):
        if not re.search(r"\.(aac|mp3|mp2|bin|loas|ac3|flac|m4a|ogg|wav)$", name):
            continue
        data = open(os.path.join(HERE, name), "rb").read()
        frames = []
        if name in DAMAGED:
            frames = survivors(data, cut(open(os.path.join(HERE, DAMAGED[name]), "rb").read()))
        elif not REFUSED.match(name):
            frames = cut(data)
        rows.append((name,) + facts(name, frames))
    with open(os.path.join(HERE, "frames.tsv"), "w") as f:
        f.write("file\tframes\tsamples\tcrc32\n")
        for row in rows:
            f.write("\t".join(map(str, row)) + "\n")


if __name__ == "__main__":
    sys.exit(main())
