#!/usr/bin/env python3
"""For every instant asked for, the first frame that is heard begins within half a frame of the segment grid line at or before it.

Real segmenter, real origin, ffmpeg to decode; the audio itself says what time it is (timecode.py). What was asked for is reckoned
with Python's zoneinfo. Of the newest changes of clocks there are those of Paris, both ways, and of New York and Lord Howe. Prints
TAP."""
import datetime
import os
import random
import re
import time

from failing import Program, main, ok, until, write
from hindcast import NS
from listening import (UTC, Answer, Listener, Origin, Tape, basic, early, first_instant, last_change, lay, named, query, utc)
from timecode import DELAY, FRAME, HALF, PERIOD, RATE, decode, since, words
import zoneinfo

HOUR, DAY = 3600, 86400
NOW = int(time.time())
AGO = NOW - 2 * DAY


def change(zone, forward):
    return last_change(zoneinfo.ZoneInfo(zone), forward, AGO)


AUTUMN = change("Europe/Paris", False)
# from before midnight there, over midnight of UTC and the repeated hour, 21:00 to 04:00 UTC
NIGHT = Tape("night", "Europe/Paris", "ts", 6, AUTUMN - 4 * HOUR, 7 * HOUR)
SPRING = Tape("spring", "Europe/Paris", "packed", 6, change("Europe/Paris", True) - 2 * HOUR, 4 * HOUR, 7_000_000)
YORK = Tape("york", "America/New_York", "packed", 4, change("America/New_York", False) - 3 * HOUR, 5 * HOUR, 1_234_567)
HOWE = Tape("howe", "Australia/Lord_Howe", "ts", 10, change("Australia/Lord_Howe", False) - 2 * HOUR, 3 * HOUR, 3_000_000)
PAST = [NIGHT, SPRING, YORK, HOWE]
LIVE = Tape("live", "Europe/Paris", "ts", 6, NOW - 3 * HOUR)
BARE = Tape("bare", "America/New_York", "packed", 4, NOW - 3 * HOUR)
GROWING = [LIVE, BARE]


def local(t, zone):
    return datetime.datetime.fromtimestamp(t, zone).replace(tzinfo=None)


def dated(tape, t):
    """[(word, the instant it means)] of an instant, all that have a date."""
    at, there = datetime.datetime.fromtimestamp(t, UTC), datetime.datetime.fromtimestamp(t, tape.zone)
    offset = there.isoformat()  # with +01:00
    naive = there.replace(tzinfo=None)
    out = [(utc(t), t), (basic(t), t), (str(t), t), (offset, t), (offset.replace("T", " "), t), (offset[:-3] + offset[-2:], t),
           (utc(t)[:-1] + ".250Z", t + 0.25), (utc(t)[:-1] + ".999Z", t + 0.999), (naive.isoformat(), first_instant(naive, tape.zone))]
    if at.second == 0:
        out += [(f"{at:%Y-%m-%dT%H:%MZ}", t), (f"{naive:%Y-%m-%dT%H:%M}", first_instant(naive, tape.zone))]
    if naive.time() == datetime.time():
        out.append((f"{naive:%Y-%m-%d}", t))
    return out


def span_words(tape, dice):
    """[(query, beginning, end)]: both sides of borders and of the change, the repeated and the skipped hour, and any instants."""
    low, high = tape.first + 2 * tape.T, tape.end - HOUR // 2
    borders = [t for t in range(low - low % 900 + 900, high, 900)]
    around = [b + d for b in borders[::2] for d in (-1, 0, 1)] + [dice.randrange(low, high) for _ in range(10)]
    asked = [dice.choice(dated(tape, t)) for t in around]
    for quarter in borders:  # every form
        if quarter % HOUR == 0:
            asked += dated(tape, quarter)
    shown = local(low, tape.zone).replace(second=0)
    while shown < local(high, tape.zone):  # every quarter that a clock there can show, and some that it cannot
        asked.append((shown.isoformat(timespec="minutes"), first_instant(shown, tape.zone)))
        shown += datetime.timedelta(minutes=15)
    out = []
    for word, t in asked:
        if not low <= t < high:
            continue
        kind, length = dice.randrange(3), dice.choice((1, 59, 600, 1234))
        if kind == 0:
            out.append((query(**{"from": word}), t, None))
        elif kind == 1:
            out.append((query(**{"from": word, "duration": length}), t, t + length))
        else:
            end, means = dice.choice(dated(tape, int(t) + length))
            if means > t:
                out.append((query(**{"from": word, "to": end}), t, means))
    return out


def begins(tape, listener, media, entry, grid):
    """"" when the segment is heard to begin within half a frame of the grid line, and its date says what is heard."""
    off = early(tape, listener.time(media, entry), grid)
    if abs(off) > HALF + 1 or named(entry.uri) != grid:
        return f"{entry.uri}: heard {off / RATE:+.4f} s from {utc(grid)}"
    said = (entry.start - grid * NS) * RATE / NS  # milliseconds are rounded down
    return "" if -1 <= off - said <= RATE / 1000 + 1 else f"{entry.uri}: dated {said / RATE:+.4f} s, heard {off / RATE:+.4f} s"


def hear_span(tape, listener, visit, begin, end):
    media = visit.media
    entries = media.list.entries
    wrong = begins(tape, listener, media, entries[0], tape.grid(begin))
    start = "#EXT-X-START:TIME-OFFSET=0.001,PRECISE=YES\n" in media.text and "#EXT-X-PLAYLIST-TYPE:EVENT\n" in media.text
    if not start or not media.list.ended:
        wrong += " no EXT-X-START, or no ENDLIST"
    after = tape.end if end is None else -int(-end // tape.T) * tape.T
    last = named(entries[-1].uri) + tape.T
    if (last != after) if end is not None else not -tape.T < last - after <= tape.T:
        wrong += f" ends at {utc(last)}, not {utc(after)}"
    lasts, want = sum(e.microseconds for e in entries) / 1e6, last - tape.grid(begin)
    if abs(lasts - want) > FRAME / RATE + tape.T * (end is None):
        wrong += f" lasts {lasts} s, not {want}"
    if len(entries) != round(want / tape.T):
        wrong += f" {len(entries)} segments for {want} s"
    return wrong


def past(listener, tape):
    dice = random.Random(tape.name)
    asked = span_words(tape, dice)
    links = [f"/{tape.name}/{'a/' if dice.random() < 0.3 else ''}index.m3u8?{q}" for q, _, _ in asked]
    wrong = listener.crowd([(hear_span, tape, link, begin, end) for link, (_, begin, end) in zip(links, asked)])
    ok(not wrong and len(asked) > 50, f"{tape.name}: {len(asked)} links to the past of {tape.zone_name} begin where they should", *wrong)


def whole(listener, tape, begin, end):
    """A span from beginning to end: every second is heard, one after the other, and lasts as long as the list says."""
    name = f"{tape.name}: {utc(begin)} to {utc(end)}, every second is heard once, and it lasts as long as the list says"
    url = listener.variants(f"{listener.origin.url}/{tape.name}/index.m3u8?{query(**{'from': begin, 'to': end})}")[0][0]
    media = listener.media(url)
    pcm, said = decode(url)
    told = words(pcm)
    first = early(tape, listener.time(media, media.list.entries[0]), begin)
    want = [(begin + n) % PERIOD for n in range(end - begin)]
    drift = max((abs(at - told[0][0] - n * RATE) for n, (at, _) in enumerate(told)), default=1 << 30)
    lasts = sum(e.microseconds for e in media.list.entries) * RATE / 1e6
    ok([second for _, second in told] == want and drift <= 2 * RATE // 1000 and abs(len(pcm) - lasts) <= FRAME and abs(first) <= HALF + 1,
       name, f"{len(told)} words of {len(want)}, up to {drift} samples out of place, {len(pcm)} samples for {lasts}, first {first}",
       [(n, w, x) for n, ((_, w), x) in enumerate(zip(told, want)) if w != x][:3])


# --- what goes on


def clock_words(tape):
    """[(word, instant)] of times of day, on the hour and not, that lie in what there is."""
    out = []
    for t in list(range((NOW - 3 * HOUR) // 1200 * 1200, NOW, 1200)) + [NOW - 4321, NOW - 60]:
        there = local(t, tape.zone)
        clock = there.time()
        days = [first_instant(datetime.datetime.combine(there.date() + datetime.timedelta(days=d), clock), tape.zone) for d in (1, 0, -1)]
        latest = next(x for x in days if x <= time.time())
        forms = [f"{there:%H:%M:%S}"]
        if clock.second == 0:
            forms += [f"{there:%H:%M}", f"{there.hour % 12 or 12}:{there:%M%p}".lower()]
            forms += [f"{there.hour % 12 or 12}{there:%p}"] if clock.minute == 0 else []
        if tape.first + 30 < latest < NOW - 30:
            out += [(form, latest) for form in forms]
    return out


def hear_growing(tape, listener, visit, ago, fixed):
    """A start-over link. `ago`: seconds before now; or a fixed instant."""
    before, media, after = visit.before, visit.media, visit.after
    grids = {tape.grid(fixed)} if fixed else {tape.grid(int(before) - ago), tape.grid(int(after) - ago)}
    entry = media.list.entries[0]
    wrong = min((begins(tape, listener, media, entry, grid) for grid in grids), key=len)
    newest = media.list.entries[-1]
    if media.list.ended or "#EXT-X-START:TIME-OFFSET=0.001,PRECISE=YES\n" not in media.text:
        wrong += " has ended, or no EXT-X-START"
    if not -1 < after - named(newest.uri) - tape.T < 2 * tape.T + 3:
        wrong += f" does not reach live: {newest.uri} at {utc(after)}"
    return wrong + begins_somewhere(tape, listener, media, newest)


def begins_somewhere(tape, listener, media, entry):
    off = early(tape, listener.time(media, entry), named(entry.uri))
    return "" if abs(off) <= HALF + 1 else f" {entry.uri} is heard {off / RATE:+.4f} s from its name"


def hear_delay(tape, listener, visit, delay):
    """Live as of then: the newest segment was the newest at that time, and what is heard is that old."""
    before, media, after = visit.before, visit.media, visit.after
    delay = -(-delay // tape.T) * tape.T
    newest = media.list.entries[-1]
    wrong = "" if any(named(newest.uri) == tape.grid(t) - delay - tape.T for t in (before, after)) else f"newest is {newest.uri} at {utc(after)}"
    if media.list.ended or "#EXT-X-START" in media.text or len(media.list.entries) != 6:
        wrong += f" {len(media.list.entries)} segments, or ENDLIST, or EXT-X-START"
    return wrong + begins_somewhere(tape, listener, media, media.list.entries[0]) + begins_somewhere(tape, listener, media, newest)


def growing(listener, tape):
    links = []
    for word, t in clock_words(tape):
        links.append((query(**{"from": word}), None, t))
    for word, ago in (("-30m", 1800), ("-1h30m", 5400), ("-3600", 3600), ("-61", 61), ("-2h", 7200), ("-10m", 600)):
        links.append((query(**{"from": word}), ago, None))
    fixed = random.Random(tape.name)
    for t in (NOW - 9000, NOW // HOUR * HOUR - HOUR, NOW - 601):
        links += [(query(**{"from": word}), None, means) for word, means in fixed.sample(dated(tape, t), 5)]
    calls = [(hear_growing, tape, f"/{tape.name}/{where}index.m3u8?{q}", ago, t)
             for n, (q, ago, t) in enumerate(links) for where in (("", "a/") if n % 3 == 0 else ("",))]
    wrong = listener.crowd(calls)
    ok(not wrong and len(calls) > 40, f"{tape.name}: {len(calls)} start-over links begin where they should and reach live", *wrong)
    calls = [(hear_delay, tape, f"/{tape.name}/{where}index.m3u8?{query(delay=word)}", delay)
             for word, delay in (("30m", 1800), ("1h30m", 5400), ("61", 61), ("7199", 7199), ("90s", 90)) for where in ("", "a/")]
    wrong = listener.crowd(calls)
    ok(not wrong, f"{tape.name}: {len(calls)} delayed links are live as of then", *wrong)


def catch_up(listener, tape):
    """Times of day, with an end: from there for so long."""
    calls = []
    for word, t in clock_words(tape):
        if t + 900 + 6 * tape.T < NOW:
            calls.append((hear_span, tape, f"/{tape.name}/index.m3u8?{query(**{'from': word, 'duration': '10m'})}", t, t + 600))
    wrong = listener.crowd(calls)
    ok(not wrong and len(calls) > 5, f"{tape.name}: {len(calls)} links to ten minutes from a time of day on", *wrong)


def together(listener, tape):
    """All who ask for nine o'clock, in whatever words, get one list: the same address, the same bytes."""
    t = NOW // HOUR * HOUR - HOUR
    there = local(t, tape.zone)
    hour = f"{there.hour % 12 or 12}{there:%p}".lower()
    for more in ({}, {"duration": "30m"}):
        asked = [f"{where}index.m3u8?{query(**{'from': word}, **more)}" for where in ("", "a/")
                 for word in (hour, hour.upper(), f"{there:%H:%M}", f"{there:%H:%M:%S}", utc(t), basic(t), str(t), there.isoformat())]
        addresses = {listener.variants(f"{listener.origin.url}/{tape.name}/{q}")[0][0] for q in asked}

        def same():
            answers = [listener.media(a) for a in sorted(addresses) for _ in range(3)]
            zipped = [Answer(a, {"Accept-Encoding": "gzip"}) for a in sorted(addresses) for _ in range(2)]
            return (len({a.body for a in answers}) == 1 and len({a.headers["ETag"] for a in answers}) == 1 and
                    len({a.headers["ETag"] for a in zipped}) == 1 and zipped[0].headers["ETag"] != answers[0].headers["ETag"] and
                    Answer(answers[0].url, {"If-None-Match": answers[0].headers["ETag"]}).status == 304)
        # a growing list may have grown in between: then once more
        ok(len(addresses) == 1 and any(same() for _ in range(3)),
           f"{tape.name}: {len(asked)} ways to ask for {there:%H:%M} {more or ''} are one list, with one ETag", *addresses)


def scenario(folder):
    store = os.path.join(folder, "store")
    os.mkdir(store)
    stations = "".join(tape.station() for tape in PAST + GROWING)
    code, log = lay(folder, store, "".join(tape.station() + tape.input(folder) for tape in PAST))
    ok(code == 0, "the past is laid in", *log)
    live = Program("segmenter", "-c", write(folder, "live.ini", f"[store]\npath = {store}\nsync = none\nmin_free = 0\n" +
                                            "".join(tape.station() + tape.input(folder) for tape in GROWING)))
    live.wait(r" ready\b")
    origin = Origin(folder, store, stations)
    listener = Listener(origin)
    for tape in GROWING:
        def reaches():
            a = Answer(f"{origin.url}/{tape.name}/a/index.m3u8")
            names = re.findall(r"^\d.*$", a.text, re.M) if a.status == 200 else []
            return names and time.time() - named(names[-1]) < 2 * tape.T + 1
        until(f"{tape.name} reaches the present", reaches, 60)
    for tape in PAST:
        past(listener, tape)
    for tape in GROWING:
        growing(listener, tape)
        catch_up(listener, tape)
        together(listener, tape)
    whole(listener, NIGHT, AUTUMN - 180, AUTUMN + 180)
    midnight = -(-NIGHT.first // DAY) * DAY  # of UTC
    whole(listener, NIGHT, midnight - 300, midnight + 300)
    whole(listener, SPRING, SPRING.first + 600, SPRING.first + 600 + 1200)
    whole(listener, YORK, YORK.end - 2400, YORK.end - 1200)
    ok(live.end() == 0 and origin.end() == 0, "segmenter and origin end as they should")


if __name__ == "__main__":
    main(scenario)
