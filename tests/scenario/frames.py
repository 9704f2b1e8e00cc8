#!/usr/bin/env python3
"""Concatenating the audio frames of all segments gives the input's frames, byte for byte, from the first whole segment on,
in TS and in packed form; and everything that lists say of them is true. Judged without the project's own code."""
import os
import re
import threading
import time

from failing import MEDIA, finish, login, main, ok, segmenter, until, verify, write
from hindcast import NS, List, Media, cut, hours, ns_of, rate_of, read, segment, ticks_apart, variants, wall

GOOD = re.compile(r"(aac_lc_(?!latm)|aac_mpeg2|heaac|mp3_(?!freeformat)|bad_|id3_|gap_|change_)")
KINDS = {"t": "ts", "p": "packed"}


def codecs_of(name):
    if name.startswith("mp3") or name.endswith("to_mp3.bin"):
        return "mp4a.40.34"
    if "heaac_v2" in name:
        return "mp4a.40.29"
    return "mp4a.40.5" if "heaac_v1" in name or "to_he" in name else "mp4a.40.2"


def config(store, T, inputs):
    """`inputs`: {station: {rendition: lines of its input}}."""
    text = f"[store]\npath = {store}\nsync = none\nmin_free = 0\n[segmenter]\nmetrics = 127.0.0.1:0\n"
    if any("icecast-source" in lines for of in inputs.values() for lines in of.values()):
        text += "[icecast-listener]\nlisten = 127.0.0.1:0\n"
    for station, of in inputs.items():
        text += f"[station {station}]\nsegment = {T}\nwindow = 60\nrenditions = {' '.join(of)}\n"
        for rendition, lines in of.items():
            text += (f"[rendition {station}/{rendition}]\nformat = {KINDS[rendition]}\n"
                     f"[input {station}/{rendition} main]\n{lines}\n")
    return text


# --- a rendition against the frames that went in


class Check:
    """Walks a rendition's segments. Faults are words in `faults`."""

    def __init__(self, folder, T):
        self.folder, self.T, self.faults = folder, T, []
        self.hours = hours(folder)
        self.entries = [e for h in self.hours for e in h.entries]
        while self.entries and self.entries[0].gap:
            self.entries.pop(0)
        self.peak = self.bytes = self.microseconds = 0
        self.base_pts = self.base_sample = None

    def say(self, e, what):
        self.faults.append(f"{os.path.basename(self.folder)} {e.uri if e else ''}: {what}")

    def lists(self):
        """Hour files are dense and end; the live list is the end of them."""
        for a, b in zip(self.entries, self.entries[1:]):
            if b.msn != a.msn + 1:
                self.say(b, f"follows on {a.msn}")
        for h in self.hours[:-1]:
            if not h.ended or len(h.entries) != 3600 // self.T:
                self.say(None, f"an hour of {len(h.entries)} segments, ended: {h.ended}")
        live = List(read(os.path.join(self.folder, "index.m3u8")))
        if [e.key() for e in live.entries] != [e.key() for e in self.entries[-len(live.entries):]]:
            self.say(None, "the live list is not the end of the hour files")
        if len(live.entries) != min(len(self.entries), 60 // self.T) or live.ended or live.target != self.T:
            self.say(None, f"live list of {len(live.entries)} segments, target {live.target}")

    def one(self, e, rate, first_wall, sample, frames, rest=False):
        """The segment of entry `e`: `frames` [(samples, bytes)], the first of them spoken at `first_wall` ns and `sample`
        samples after the time line began. With `rest` what follows must be fill. Returns the samples in it."""
        if e.gap:
            self.say(e, "is a gap")
            return 0
        s = segment(self.folder, e)
        at = samples = fill = 0
        offsets = {}
        for n, data in frames:
            offsets[at] = samples
            if not s.audio.startswith(data, at):
                self.say(e, f"byte {at} of its audio is not what went in")
                return samples
            at, samples = at + len(data), samples + n
        others = cut(s.audio[at:]) if rest else []
        if others and len({f[2] for f in others}) > 1:
            self.say(e, "its fill is not silence")
        for _, n, data in others:
            offsets[at] = samples
            at, samples, fill = at + len(data), samples + n, fill + 1
        if at != len(s.audio):
            self.say(e, f"{len(s.audio) - at} bytes more than what went in")
        self.line(e, s, rate, sample, first_wall)
        self.says(e, s, rate, len(offsets), samples, fill)
        for pts, offset in s.pes:
            if offset not in offsets or abs(ticks_apart(pts, s.pts + offsets[offset] * 90000 // rate)) > 1:
                self.say(e, f"PES at byte {offset} has PTS {pts}")
        return samples

    def line(self, e, s, rate, sample, first_wall):
        """The grid and the time line."""
        at = first_wall if first_wall is not None else e.start
        half = ns_of(1, rate) * 2048 + 10**6 if first_wall is None else self.half
        if abs(at - e.msn * self.T * NS) > half:
            self.say(e, f"begins {(at - e.msn * self.T * NS) / 1e6} ms from its grid line")
        if first_wall is not None and e.start != at // 10**6 * 10**6:
            self.say(e, f"PROGRAM-DATE-TIME {e.start}, spoken at {at}")
        if e.discontinuity or self.base_pts is None:
            self.base_pts, self.base_sample = s.pts, sample
            if abs(ticks_apart(s.pts, at * 9 // 100000)) > (1 if first_wall is not None else 91):
                self.say(e, f"anchored at PTS {s.pts}, spoken at {at * 9 // 100000 % (1 << 33)}")
        expected = self.base_pts + (sample - self.base_sample) * 90000 // rate
        if abs(ticks_apart(s.pts, expected)) > 1:
            self.say(e, f"begins at PTS {s.pts}, want {expected % (1 << 33)}")
        if s.counter is not None and (s.counter, s.tables[0]) != (15, e.msn % 16):
            self.say(e, f"counters {s.counter} {s.tables}")

    def says(self, e, s, rate, frames, samples, fill):
        """What the entry says of the file."""
        if e.microseconds != (samples * 2000000 + rate) // (2 * rate):
            self.say(e, f"EXTINF {e.seconds}, its samples last {samples / rate}")
        told = {k: int(e.facts[k]) for k in ("bytes", "audio", "frames", "samples", "fill")}
        if told != {"bytes": s.size, "audio": len(s.audio), "frames": frames, "samples": samples, "fill": fill}:
            self.say(e, f"{told}: it has {s.size} bytes, {len(s.audio)} of audio, {frames} frames, {samples} samples, {fill} fill")
        self.bytes, self.microseconds = self.bytes + s.size, self.microseconds + e.microseconds
        if e.microseconds >= self.T * 500000:
            self.peak = max(self.peak, s.size * 8000000 / e.microseconds)

    def variant(self, told, codecs):
        if not told:
            self.say(None, "is not in the multivariant list")
            return
        mean = self.bytes * 8000000 / max(self.microseconds, 1)
        for name, says, true in (("BANDWIDTH", told[0], self.peak), ("AVERAGE-BANDWIDTH", told[1], mean)):
            if not true <= says <= true * 1.05 + 2:
                self.say(None, f"{name} is {says}, measured {true:.0f}")
        if told[2] != codecs:
            self.say(None, f"CODECS {told[2]}, want {codecs}")

    def against(self, parts, start):
        """All of a file's frames, laid in from `start` on. `parts` as Media.parts(); each follows on the one before."""
        T, entries = self.T * NS, iter(self.entries)
        e = next(entries, None)
        for number, (rate, each, frames) in enumerate(parts):
            self.half = ns_of(each, rate) // 2 + 1

            def wall_of(i):
                return start + ns_of(i * each, rate)

            def msn_of(i):
                return (wall_of(i) + ns_of(each, rate) // 2) // T

            i = next((i for i in range(len(frames)) if e and msn_of(i) == e.msn), None)
            if i is None or msn_of(i - 1) == e.msn:
                self.say(e, "does not begin with a frame that begins a segment")
                return
            if number == 0 and msn_of(-1) not in (e.msn - 1, e.msn - 2):
                self.say(e, "the first whole segments are not there")
            sample, more = i * each, number + 1 < len(parts)
            while e and (i < len(frames) or more):
                last = i
                while last < len(frames) and msn_of(last) == e.msn:
                    last += 1
                given = [(each, f) for f in frames[i:last]]
                sample += self.one(e, rate, start + ns_of(sample, rate), sample, given, more and last == len(frames))
                i, e = last, next(entries, None)
                if e and e.discontinuity:
                    break
            if i < len(frames):
                self.say(e, f"{len(frames) - i} frames of part {number + 1} are lost")
            if more and e and e.msn > msn_of(len(frames)) + 2:
                self.say(e, f"the next part begins here, although it was there in {msn_of(len(frames))}")
            start = wall_of(len(frames))
        if e:
            self.say(e, "nothing went in for it")


def hour_before(seconds):
    """20 s and a bit before an hour that began more than `seconds` ago, so that what follows spans two hours."""
    return (int(time.time() - seconds) // 3600 * 3600 - 20) * NS + 300000001


def whole_files(folder):
    """every file, as fast as it can be had"""
    T, store, start = 2, os.path.join(folder, "store"), hour_before(600)
    media = [Media(name) for name in sorted(os.listdir(MEDIA)) if GOOD.match(name)]
    stations = {"s" + re.sub(r"[^a-z0-9]", "", m.name): m for m in media}
    inputs = {s: {r: f"type = file\npath = {m.path}\nstart = {wall(start)}\npace = none" for r in KINDS}
              for s, m in stations.items()}
    code, _, log = finish("segmenter", "-c", write(folder, "hindcast.ini", config(store, T, inputs)), seconds=120)
    ok(code == 0, "the segmenter ends by itself when every file has come to its end", f"exit code {code}", log)
    for station, m in stations.items():
        faults, kept = [], []
        told = variants(store, station)
        for rendition in KINDS:
            c = Check(os.path.join(store, station, rendition), T)
            c.against(m.parts(), start)
            c.lists()
            c.variant(told.get(rendition), codecs_of(m.name))
            faults += c.faults
            kept.append([(e.msn, e.discontinuity, e.gap) for e in c.entries])
            if sum(e.discontinuity for e in c.entries) != len(m.parts()) - 1:
                c.say(None, "wrong number of discontinuities")
        if kept[0] != kept[1]:
            faults.append("numbers or discontinuities differ between the renditions")
        ok(not faults, f"{m.name}: {len(m.frames)} frames, in TS and packed", *faults)
    found = verify(store)
    ok(not found, "rewind verify finds no fault in any of them", found)


# --- in real time


def feed(frames, rate, each, write_one, seconds):
    """Write frames at the pace at which they are spoken."""
    due = time.monotonic()
    for data in frames:
        write_one(data)
        due += each / rate
        time.sleep(max(0, due - time.monotonic()))
        seconds -= each / rate
        if seconds < 0:
            return


def stored_of(folder, T, frames, rate, each):
    """Faults of a rendition whose input came live: a row of the frames, without fill, whole from its first segment on."""
    c = Check(folder, T)
    first = segment(folder, c.entries[0]).audio
    at = next((i for i in range(len(frames)) if first.startswith(frames[i] + frames[i + 1])), None)
    if at is None:
        return ["what is stored never went in"], c
    sample = at * each
    for e in c.entries:
        n = int(e.facts.get("frames", 0))
        c.half = ns_of(each, rate)
        c.one(e, rate, None, sample, [(each, f) for f in frames[at:at + n]])
        at, sample = at + n, sample + n * each
        if abs(e.start - e.msn * T * NS) > ns_of(each, rate) // 2 + 10**6:
            c.say(e, f"begins {(e.start - e.msn * T * NS) / 1e6} ms from its grid line")
    c.lists()
    return c.faults, c


def live(folder):
    """a FIFO and an encoder, in real time"""
    T, store, fifo = 2, os.path.join(folder, "store"), os.path.join(folder, "fifo")
    rate, each, frames = Media("aac_lc_44100_stereo_64k.aac").parts()[0]
    os.mkfifo(fifo)
    p = segmenter(folder, config(store, T, {"s": {
        "t": f"type = pipe\npath = {fifo}", "p": "type = icecast-source\nmount = /p\npassword = hackme"}}))
    encoder, answer = login(p.ports["icecast"], mount="/p")
    ok(" 200 " in answer, "the encoder is let in", answer)
    pipe = os.open(fifo, os.O_WRONLY)
    threads = [threading.Thread(target=feed, args=(frames, rate, each, to, 11))
               for to in (lambda data: os.write(pipe, data), encoder.sendall)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    code = p.end()
    os.close(pipe)
    encoder.close()
    ok(code == 0, "it ends when told to", p.tail())
    kept = []
    for rendition in KINDS:
        faults, c = stored_of(os.path.join(store, "s", rendition), T, frames, rate, each)
        ok(not faults and len(c.entries) >= 3, f"{KINDS[rendition]}: what came in real time is there, byte for byte",
           f"{len(c.entries)} segments", *faults)
        c.faults = []
        c.variant(variants(store, "s").get(rendition), "mp4a.40.2")
        ok(not c.faults, f"{KINDS[rendition]}: BANDWIDTH and CODECS are true", *c.faults)
        kept.append({e.msn: segment(c.folder, e).pts for e in c.entries})
    apart = [ticks_apart(kept[0][n], kept[1][n]) / 90 for n in kept[0] if n in kept[1]]
    ok(apart and max(map(abs, apart)) <= 100, "PTS of both renditions match within 100 ms", apart)
    found = verify(store)
    ok(not found, "rewind verify finds no fault", found)


# --- over hours


def three_hours(folder):
    """a file in a loop, from three hours ago up to the present"""
    T, store, start = 6, os.path.join(folder, "store"), int(time.time() - 3 * 3600) * NS + 123456789
    media = Media("timecode_48000_mono_32k_600s.aac")
    rate, each, frames = media.parts()[0]
    p = segmenter(folder, config(store, T, {"s": {
        r: f"type = file\npath = {media.path}\nloop = yes\nstart = {wall(start)}" for r in KINDS}}))
    began = time.monotonic()

    def caught_up():
        try:
            return all(List(read(os.path.join(store, "s", r, "index.m3u8"))).entries[-1].msn * T > time.time() - 3 * T
                       for r in KINDS)
        except FileNotFoundError:
            return False

    until("the present", caught_up, 60)
    print(f"# three hours of two renditions in {time.monotonic() - began:.1f} s")
    ok(p.end() == 0, "it catches up with the present, and ends when told to", p.tail())
    last = max(e.msn for h in hours(os.path.join(store, "s", "t")) for e in h.entries)
    count = ((last + 1) * T * NS - start - NS * each // rate // 2) * rate // NS // each + 1
    count = next(i for i in range(count - 3, count + 4)
                 if start + ns_of(i * each, rate) + ns_of(each, rate) // 2 >= (last + 1) * T * NS)
    looped = (frames * (count // len(frames) + 1))[:count]
    for rendition in KINDS:
        c = Check(os.path.join(store, "s", rendition), T)
        c.against([(rate, each, looped)], start)
        c.lists()
        c.variant(variants(store, "s").get(rendition), "mp4a.40.2")
        total, spoken = sum(e.microseconds for e in c.entries), sum(int(e.facts["samples"]) for e in c.entries)
        ok(not c.faults and len(c.hours) >= 3, f"{KINDS[rendition]}: {len(c.entries)} segments in {len(c.hours)} hour files, "
           "every frame in its place", *c.faults)
        ok(abs(total / 1e6 - spoken / rate) < each / rate, f"{KINDS[rendition]}: EXTINF add up to what is heard within a frame",
           total, spoken)
    found = verify(store)
    ok(not found, "rewind verify finds no fault", found)


if __name__ == "__main__":
    main(whole_files, live, three_hours)
