"""The clock that tests/media/timecode_48000_mono_32k_600s.aac speaks, and what of it is heard.

Each second of it says its number: ten tones of 36 ms begin at 0.050, 0.090 ... 0.410 s, the lowest bit first, 1000 Hz for 0 and
2000 Hz for 1; from 0.500 to 0.550 s one of 1500 Hz ends the word. Its first 27750 frames are 592 s to the sample. Laid in from a
multiple of 592 s on and repeated, it tells wall time modulo 592 s, 2048 samples (the encoder's delay) late. 592 s and an hour meet
after 37 hours only, 592 s and a day after 37 days, so that a whole hour too early or too late is heard, as 600 s would not let it."""
import array
import math
import os
import subprocess
import tempfile

from failing import MEDIA, adts_frames

RATE, FRAME, DELAY, PERIOD = 48000, 1024, 2048, 592
HALF = FRAME // 2
MS = RATE // 1000
LOUD = 1500  # tones have an amplitude of 8000, what is between them of less than 100
ONSET = 0.002  # to which the tones alone tell the time: they are looked for in blocks of 1 ms, and have an encoder's pre-echo
AUDIO = b"".join(data for data, _ in adts_frames(os.path.join(MEDIA, "timecode_48000_mono_32k_600s.aac"))[:27750])


def joined(folder, periods):
    """A file of so many periods."""
    path = os.path.join(folder, f"clock-{periods}.aac")
    if not os.path.exists(path):
        with open(path, "wb") as f:
            for _ in range(periods):
                f.write(AUDIO)
    return path


RAW = ["-ac", "1", "-ar", str(RATE), "-f", "s16le"]


def samples(data):
    pcm = array.array("h")
    pcm.frombytes(data[:len(data) // 2 * 2])
    return pcm


def decode(source, *before):
    """Samples, mono at 48 kHz, of bytes or of an address; and what the decoder had to say."""
    url = "pipe:0" if isinstance(source, bytes) else source
    p = subprocess.run(["ffmpeg", "-nostdin", "-v", "warning", *before, "-i", url, "-map", "0:a:0", *RAW, "-"],
                       input=source if isinstance(source, bytes) else b"", capture_output=True, timeout=120)
    return samples(p.stdout), p.stderr.decode(errors="replace")


def decode_many(urls):
    """Samples of each; it takes longer to start ffmpeg than to decode a segment."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, str(n)) for n in range(len(urls))]
        argv = ["ffmpeg", "-nostdin", "-v", "error"]
        for url in urls:
            argv += ["-threads", "1", "-i", url]
        for n, path in enumerate(paths):
            argv += ["-map", f"{n}:a:0", *RAW, path]
        subprocess.run(argv, capture_output=True, timeout=120)
        out = []
        for path in paths:
            with open(path, "rb") if os.path.exists(path) else open(os.devnull, "rb") as f:
                out.append(samples(f.read()))
        return out


def power(pcm, at, count, hertz):
    """Goertzel's filter."""
    k, a, b = 2 * math.cos(2 * math.pi * hertz / RATE), 0.0, 0.0
    for x in pcm[at:at + count]:
        a, b = x + k * a - b, a
    return (a * a + b * b - k * a * b) / (count * count)


def tone(pcm, at, seconds, candidates):
    """Which of the frequencies sounds, in the middle of a tone that begins at a sample; None: none clearly does."""
    begin, count = at + 6 * MS, round(seconds * RATE) - 12 * MS
    if begin + count > len(pcm):
        return None
    powers = [power(pcm, begin, count, hertz) for hertz in candidates]
    best = max(powers)
    return candidates[powers.index(best)] if best > LOUD * LOUD / 8 and best > 20 * (sum(powers) - best) else None


def word(pcm, onset):
    """The number that a word beginning here says, or None."""
    if tone(pcm, onset + 450 * MS, 0.050, (1500, 1000, 2000)) != 1500:
        return None
    bits = [tone(pcm, onset + 40 * i * MS, 0.036, (1000, 2000)) for i in range(10)]
    return None if None in bits else sum(1 << i for i, hertz in enumerate(bits) if hertz == 2000)


def words(pcm, first=0, most=None):
    """[(sample, second)]: where words begin after at least 70 ms of silence, and what they say (None: it cannot be made out)."""
    found, quiet, at = [], 0, first
    while at + MS <= len(pcm) and (most is None or len(found) < most):
        block = pcm[at:at + MS]
        if max(block) < LOUD and min(block) > -LOUD:
            quiet += 1
        else:
            if quiet >= 70 and at + 500 * MS <= len(pcm):
                found.append((at, word(pcm, at)))
                at += 550 * MS
            quiet = 0
        at += MS
    return found


def since(a, b):
    """a - b on the circle of PERIOD, in samples."""
    d = (a - b) % (PERIOD * RATE)
    return d - PERIOD * RATE if d > PERIOD * RATE // 2 else d


class Clock:
    """Tells which instant is heard."""

    def __init__(self):
        self.pcm = decode(AUDIO + AUDIO)[0][PERIOD * RATE:]  # once more, after itself: what a joined file sounds like

    def time(self, pcm):
        """Wall time modulo PERIOD of the first of these samples, in samples: by comparison with the undisturbed decoding, where the
        tones say that it must be. None: there is no word, or it does not sound as it should."""
        for at, second in words(pcm, 2 * FRAME, 2):
            if second is not None:
                break
        else:
            return None
        near = round((second + 0.050) * RATE) + DELAY - at
        begin, reach = at - 5 * MS, round(ONSET * RATE)
        heard = pcm[begin:begin + 500 * MS:7]

        def difference(off):
            first = begin + near + off
            return sum(abs(a - b) for a, b in zip(heard, self.pcm[first:first + 500 * MS:7]))

        best = min(range(-reach, reach + 1), key=difference)
        # noise that a decoder makes up for itself differs a little from time to time
        return (near + best) % (PERIOD * RATE) if difference(best) < 20 * len(heard) else None
