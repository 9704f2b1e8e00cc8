#!/usr/bin/env python3
"""Links to spans in which something is missing or changes: hours that are gone, a process that was killed, an encoder that was
away, another rate, another codec. Complete lists play through and last as long as they say, growing ones have gaps. Prints TAP."""
import os
import re
import shutil
import signal
import time
import urllib.parse

from failing import MEDIA, Encoder, Program, main, ok, segmenter, until, write
from hindcast import NS, hours
from listening import Answer, Listener, Origin, Tape, early, lay, named, origin_later, query, utc
from timecode import FRAME, HALF, PERIOD, RATE, decode, decode_many, words

HOUR, DAY = 3600, 86400
NOW = int(time.time())


def new_store(folder):
    store = os.path.join(folder, "store")
    os.mkdir(store)
    return store


def seconds_of(media):
    return sum(e.microseconds for e in media.list.entries if not e.gap) / 1e6


def played(media, seconds, **how):
    """What is wrong when a list is played in ffmpeg: everything listed is decoded. Each segment boundary at a hole, or at a change
    of format, may cost or add a frame."""
    pcm, said = decode(media.url)
    lists = seconds_of(media)
    seams = media.text.count("#EXT-X-DISCONTINUITY\n") + 1
    off = len(pcm) / RATE - lists
    wrong = "" if abs(off) <= seams * how.get("frame", FRAME / RATE) else f"{len(pcm) / RATE} s decoded of {lists}; {said[-400:]}"
    return pcm, wrong + ("" if abs(lists - seconds) < 0.1 else f" {lists} s are listed, not {seconds}")


def each(media):
    """The same, segment by segment: libavformat keeps the codec that a list began with, so ffmpeg and mpv go silent there."""
    pcms = decode_many([urllib.parse.urljoin(media.url, e.uri) for e in media.list.entries])
    # two frames of MP3 may wait for the one after them, and lean on the one before
    return [(e.uri, len(pcm) / RATE) for pcm, e in zip(pcms, media.list.entries) if abs(len(pcm) / RATE - e.microseconds / 1e6) > 0.06]


def told(pcm):
    return [second for _, second in words(pcm)]


def numbers(tape, begin, end):
    """What is said in [begin, end)."""
    return [(begin + n) % PERIOD for n in range(int(end - begin))]


def days(folder):
    """A day is missing"""
    store, begin = new_store(folder), NOW // DAY * DAY - 4 * DAY
    tapes = [Tape("s", "Europe/Paris", "ts", 6, first, 2 * HOUR, more="max_span = 3d\n")
             for first in (begin + 22 * HOUR, begin + 36 * HOUR, begin + 48 * HOUR)]
    codes = [lay(folder, store, tape.station() + tape.input(folder), f"lay{n}") for n, tape in enumerate(tapes)]
    first, gone, last = tapes
    ok([code for code, _ in codes] == [0, 0, 0], "three tapes are laid into one station, one after the other", codes)
    origin = Origin(folder, store, first.station(), threads=1)  # each thread would see the day go at a time of its own
    listener = Listener(origin)
    begin, end = (first.end - 600) // 6 * 6, last.first // 6 * 6 + 600

    def link():
        return listener.open(f"/s/index.m3u8?{query(**{'from': begin, 'to': end})}")

    media = link()
    entry = next(e for e in media.list.entries if named(e.uri) >= gone.first)
    off = early(gone, listener.time(media, entry), named(entry.uri))
    ok(media.text.count("#EXT-X-DISCONTINUITY\n") == 2 and abs(off - (entry.start - named(entry.uri) * NS) * RATE / NS) < 60,
       "a tape that was laid in after another is heard at its time", f"{off} samples, {media.text.count('DISCONTINUITY')}")
    for name in os.listdir(os.path.join(store, "s", "a")):
        path = os.path.join(store, "s", "a", name)
        if re.match(r"\d{8}T", name) and gone.first // HOUR * HOUR <= named(name[:11] + "0000Z.ts") < gone.end + HOUR:
            shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
    until("the day is gone", lambda: link().text.count("#EXT-X-DISCONTINUITY\n") == 1)
    media = link()
    grids = [named(e.uri) for e in media.list.entries]
    jump = [(a, b) for a, b in zip(grids, grids[1:]) if b != a + 6]
    listed = first.end - begin + end - (last.first + 5) // 6 * 6
    pcm, wrong = played(media, listed)
    # a last segment that the tape left short, and a first one that begins with the tape
    said = told(pcm)
    want = numbers(first, begin, first.end) + numbers(last, (last.first + 5) // 6 * 6, end)
    ok(not wrong and media.list.ended and "EXT-X-GAP" not in media.text and len(jump) == 1 and said[:595] == want[:595] and
       said[-595:] == want[-595:],
       "with a day's hours removed the list plays through, on to the day after", wrong, jump, len(said), len(want), said[:3], want[:3])
    after = next(e for e in media.list.entries if named(e.uri) == jump[0][1])
    off = early(last, listener.time(media, after), named(after.uri))
    ok(after.discontinuity and abs(off) <= HALF + 1 and abs(after.start - named(after.uri) * NS) <= 11e6,
       "what is heard after it has its own date", f"{off} samples, {after.tags}")
    for where in (gone.first + 60, first.end + HOUR):
        media = listener.open(f"/s/index.m3u8?{query(**{'from': where, 'to': end})}")
        off = early(last, listener.time(media, media.list.entries[0]), (last.first + 5) // 6 * 6)
        ok(abs(off) <= HALF + 1, "a link that begins in the hole is heard from its end on", f"{off} samples", media.text[:400])


def killed(folder):
    """The segmenter is killed while it lays in"""
    store = new_store(folder)
    tape = Tape("s", "America/New_York", "packed", 4, NOW - 9 * HOUR, 7 * HOUR)
    ini = write(folder, "lay.ini", f"[store]\npath = {store}\nsync = none\nmin_free = 0\n{tape.station()}{tape.input(folder)}")
    kills = 0
    for n in range(3):
        p = Program("segmenter", "-c", ini)
        reached = lambda: len([x for x in os.listdir(os.path.join(store, "s", "a")) if x.endswith(".m3u8")]) > 2 * n + 1
        until("an hour", lambda: p.over or os.path.isdir(os.path.join(store, "s", "a")) and reached())
        kills += p.process.poll() is None
        p.end(signal.SIGKILL)
    code, log = lay(folder, store, tape.station() + tape.input(folder))
    origin = Origin(folder, store, tape.station())
    listener = Listener(origin)
    media = listener.open(f"/s/index.m3u8?{query(**{'from': tape.first + 4, 'to': tape.end})}")
    faults = [e.uri for e in media.list.entries if e.gap or e.discontinuity]
    faults += [e.uri for hour in hours(os.path.join(store, "s", "a")) for e in hour.entries if e.facts and e.facts["fill"] != "0"]
    lists, want = seconds_of(media), tape.end - named(media.list.entries[0].uri)
    seams = [e for e in media.list.entries if re.search(r"T\d\d0000Z", e.uri)]
    off = [early(tape, listener.time(media, e), named(e.uri)) for e in seams]
    ok(code == 0 and kills >= 1 and not faults and abs(lists - want) <= 0.6 * FRAME / RATE and max(map(abs, off)) <= HALF + 1,
       f"killed {kills} times and started again, it lays in the rest without a seam", code, kills, faults[:5], lists, want, off, *log)


def growing(folder):
    """An hour is missing behind a growing list"""
    store, tape = new_store(folder), Tape("s", "Europe/Paris", "ts", 6, NOW - 4 * HOUR)
    p = Program("segmenter", "-c", write(folder, "live.ini", f"[store]\npath = {store}\nsync = none\nmin_free = 0\n"
                                         f"{tape.station()}{tape.input(folder)}"))
    origin = Origin(folder, store, tape.station())
    listener = Listener(origin)

    def list_of(**parameters):
        return listener.open(f"/s/index.m3u8?{query(**parameters)}")

    def live():
        a = Answer(f"{origin.url}/s/a/index.m3u8")
        return a.status == 200 and time.time() - named(re.findall(r"^\d.*$", a.text, re.M)[-1]) < 14
    until("the present", live, 60)
    hour = NOW // HOUR * HOUR - 2 * HOUR
    name = time.strftime("%Y%m%dT%H", time.gmtime(hour))
    os.unlink(os.path.join(store, "s/a", name + ".m3u8"))
    shutil.rmtree(os.path.join(store, "s/a", name))
    begin = hour - 60
    until("the hour is gone", lambda: "EXT-X-GAP" in list_of(**{"from": begin}).text)
    media = list_of(**{"from": begin})
    gaps = [named(e.uri) for e in media.list.entries if e.gap]
    after = next(e for e in media.list.entries if named(e.uri) == hour + HOUR)
    off = [early(tape, listener.time(media, e), named(e.uri)) for e in (media.list.entries[0], after, media.list.entries[-1])]
    ok(gaps == list(range(hour, hour + HOUR, 6)) and not media.list.ended and max(map(abs, off)) <= HALF + 1 and
       named(media.list.entries[0].uri) == begin, "a growing list has gaps for the hour, and what follows is heard at its time", off, len(gaps))
    # libavformat asks for every segment of the hole, and by itself gives up after 100
    pcm, said = decode(media.url, "-prefer_x_start", "1", "-max_reload", "1000", "-t", str(HOUR + 120))
    heard = told(pcm)
    want = numbers(tape, begin, hour) + numbers(tape, hour + HOUR, hour + HOUR + 60)
    ok(heard[:115] == want[:115], "ffmpeg plays it from its start and goes on behind the gaps",
       heard, want, said[-600:])
    media = list_of(**{"from": begin, "duration": f"{HOUR + 120}s"})
    pcm, wrong = played(media, 120)
    ok(not wrong and told(pcm) == numbers(tape, begin, hour) + numbers(tape, hour + HOUR, hour + HOUR + 60) and
       "EXT-X-GAP" not in media.text and media.text.count("#EXT-X-DISCONTINUITY\n") == 1,
       "the same span as a complete list has a discontinuity, and plays through", wrong, told(pcm))
    ok(p.end() == 0, "the segmenter ends as it should")


def gaps_of(media):
    """A letter an entry: media or gap."""
    return "".join("g" if e.gap else "m" for e in media.list.entries)


def away(folder):
    """The encoder is away: silence first, then gaps"""
    store = new_store(folder)
    station = "[station s]\nsegment = 2s\nwindow = 12s\nfill_limit = 4s\nrenditions = a\n[rendition s/a]\n"
    p = segmenter(folder, f"[store]\npath = {store}\nsync = none\nmin_free = 0\n{station}[input s/a e]\ntype = icecast-source\n"
                  "mount = /a\npassword = hackme\ntimeout = 2s\n[icecast-listener]\nlisten = 127.0.0.1:0\nhead_timeout = 2s\n"
                  "[segmenter]\nmetrics = 127.0.0.1:0\n")
    port = p.ports.get("icecast") or next(iter(p.ports.values()))
    encoder = Encoder(port)
    began = time.time()
    time.sleep(12)
    first = encoder.stop()
    time.sleep(16)
    encoder = Encoder(port, first)
    origin = Origin(folder, store, station)
    listener = Listener(origin)
    begin = int(began) // 2 * 2 + 2
    path = f"/s/index.m3u8?{query(**{'from': begin})}"

    def back():
        """The growing list, once there are five segments behind the gaps. While other parts of this test lay in, it may be late."""
        visit = listener.visit(path)
        return visit.media and re.search("g.*mmmmm$", gaps_of(visit.media)) and visit.media

    growing_list = until("the encoder is back", back, 60)
    end = named(growing_list.list.entries[-1].uri)
    media = listener.open(f"/s/index.m3u8?{query(**{'from': begin, 'to': end})}")
    shape = re.sub(r"(.)\1*", r"\1", gaps_of(media))
    ok(shape == "mgm" and media.list.ended, "a list that has just ended still has its gaps", shape, media.text)
    ok("EXT-X-GAP" in growing_list.text and not growing_list.list.ended, "and so has one that grows", growing_list.text)
    _, wrong = played(media, seconds_of(media))
    ok(not wrong, "ffmpeg plays it through all the same", wrong)
    encoder.stop()
    ok(p.end() == 0, "the segmenter ends as it should")
    url = origin_later(folder, 700)
    closed = listener.media(media.url.replace(origin.url, url))
    _, wrong = played(closed, seconds_of(media))
    ok(not wrong and "EXT-X-GAP" not in closed.text and closed.text.count("#EXT-X-DISCONTINUITY\n") ==
       media.text.count("#EXT-X-DISCONTINUITY\n") + (0 if "DISCONTINUITY\n" in media.text else 1),
       "ten minutes later it has a discontinuity in their place, and plays through", wrong, closed.text, media.text)


CHANGES = {"rate": "change_44100_to_48000.aac", "codec": "change_aac_to_mp3.bin", "profile": "change_lc_to_he.aac",
           "channels": "change_stereo_to_mono.aac"}


def changes(folder):
    """Rate and codec change"""
    store, sections, stations = new_store(folder), "", ""
    begin = NOW // HOUR * HOUR - 5 * HOUR
    for form in ("ts", "packed"):
        for name, media in CHANGES.items():
            station = f"[station {form}-{name}]\nsegment = 2s\nwindow = 12s\nrenditions = a\n[rendition {form}-{name}/a]\nformat = {form}\n"
            stations += station
            sections += (f"{station}[input {form}-{name}/a tape]\ntype = file\npath = {os.path.join(MEDIA, media)}\n"
                         f"start = {utc(begin)}\npace = none\n")
    code, log = lay(folder, store, sections)
    ok(code == 0, "tapes on which the format changes are laid in", *log)
    origin = Origin(folder, store, stations)
    listener = Listener(origin)
    for form in ("ts", "packed"):
        for name in CHANGES:
            media = listener.open(f"/{form}-{name}/index.m3u8?{query(**{'from': begin, 'duration': '60s'})}")
            variant = Answer(f"{origin.url}/{form}-{name}/index.m3u8?{query(**{'from': begin, 'duration': '60s'})}").text
            wrong = each(media) if name == "codec" else played(media, seconds_of(media), frame=0.1)[1]
            codecs = re.search('CODECS="(.*?)"', variant)[1]
            both = {"codec": "mp4a.40.2,mp4a.40.34", "profile": "mp4a.40.2,mp4a.40.5"}.get(name, "mp4a.40.2")
            ok(not wrong and media.list.ended and media.text.count("#EXT-X-DISCONTINUITY\n") == 1 and codecs == both and
               seconds_of(media) > 19, f"{form}: {name} changes and the list plays through", wrong, codecs, media.text)


if __name__ == "__main__":
    main(days, killed, growing, away, changes, at_once=True)
