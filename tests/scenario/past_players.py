#!/usr/bin/env python3
"""hls.js, Shaka Player and video.js, in a browser, play links to the past from where these begin: by what is heard. See timecode.py.
With SOAK=1 hls.js goes on at live for two minutes instead of forty seconds. Prints TAP."""
import itertools
import json
import os
import subprocess
import threading
import time

import failing
from failing import BUILD, MEDIA, ROOT, Encoder, adts_frames, main, ok, segmenter, until, write
from listening import Answer, Listener, Origin, Tape, named, origin_later, query
from timecode import PERIOD, RATE, samples, words

NOW = int(time.time())
FOLLOW_S = 120 if os.environ.get("SOAK") else 40
AGO = 420  # in seconds; the clock says the same again after 592


def play(folder, jobs):
    """{name of a job: what is told of it}"""
    p = subprocess.run(["timeout", "-k", "2", "400", "node", os.path.join(ROOT, "tests/browser/past.mjs"), folder],
                       input=json.dumps(jobs), capture_output=True, text=True)
    told = {}
    for line in p.stdout.splitlines():
        t = json.loads(line)
        told[t["name"]] = t
    for job in jobs:
        told.setdefault(job["name"], {"errors": [f"nothing was told: {p.stderr[-2000:]}"]})
    return told


def heard(folder, name):
    """What the words say that were heard, and those that could not be made out, as None."""
    path = os.path.join(folder, name + ".pcm")
    if not os.path.exists(path):
        return []
    with open(path, "rb") as f:
        return [second for _, second in words(samples(f.read()))]


def steady(said):
    """One second after the other."""
    return len(said) > 2 and all(b is not None and a is not None and (b - a) % PERIOD == 1 for a, b in zip(said, said[1:]))


def beginning(listener, link):
    """The grid line with which the list behind a link begins."""
    return named(listener.open(link).list.entries[0].uri)


def outage(port, done, stopped):
    """An encoder that speaks the clock and is away for a while. The numbers go on where they stopped, which is told."""
    failing.FRAMES = adts_frames(os.path.join(MEDIA, "timecode_48000_mono_32k_600s.aac"))
    encoder = Encoder(port)
    time.sleep(14)
    first = encoder.stop()
    stopped.append(first * 1024 // RATE)
    time.sleep(16)
    encoder = Encoder(port, first)
    done.wait()
    encoder.stop()


def scenario(folder):
    store = os.path.join(folder, "store")
    os.mkdir(store)
    tapes = [Tape("live", "Europe/Paris", "ts", 6, NOW - 1500), Tape("bare", "Europe/Paris", "packed", 4, NOW - 1500)]
    hole = "[station hole]\nsegment = 2s\nwindow = 12s\nfill_limit = 4s\nrenditions = a\n[rendition hole/a]\n"
    stations = "".join(t.station() for t in tapes) + hole
    p = segmenter(folder, f"[store]\npath = {store}\nsync = none\nmin_free = 0\n{stations}" + "".join(t.input(folder) for t in tapes) +
                  "[input hole/a e]\ntype = icecast-source\nmount = /a\npassword = hackme\ntimeout = 2s\n[icecast-listener]\n"
                  "listen = 127.0.0.1:0\nhead_timeout = 2s\n[segmenter]\nmetrics = 127.0.0.1:0\n")
    done, stopped = threading.Event(), []
    away = threading.Thread(target=outage, args=(p.ports.get("icecast") or min(p.ports.values()), done, stopped))
    try:
        origin = Origin(folder, store, stations, f"player = {os.path.join(BUILD, 'player')}\n")
        listener = Listener(origin)
        for t in tapes:
            until("the present", lambda: Answer(f"{origin.url}/{t.name}/a/index.m3u8").status == 200 and
                  time.time() - named(listener.open(f"/{t.name}/index.m3u8?from=-60").list.entries[-1].uri) < 14, 60)
        away.start()  # laying in takes all that the machine has
        past(folder, origin, listener, tapes)
        holes(folder, origin, listener, stopped)
    finally:
        done.set()
        if away.ident:
            away.join()
    ok(p.end() == 0, "the segmenter ends as it should")


PLAYERS = {"hls": "hls.js", "page": "the page's hls.js", "shaka": "Shaka Player", "videojs": "video.js"}


def past(folder, origin, listener, tapes):
    jobs, begins = [], {}
    code = f"{origin.url}/_player/hls.light.min.js"
    for tape in tapes:
        over = f"/{tape.name}/index.m3u8?{query(**{'from': NOW - AGO})}"
        caught = f"/{tape.name}/index.m3u8?{query(**{'from': NOW - AGO, 'duration': '25s'})}"
        for player in PLAYERS:
            if tape.name == "bare" and player in ("page", "videojs"):
                continue
            name = f"{player}-{tape.name}"
            follows = {"seek": 14, "follow": FOLLOW_S} if tape.name == "live" else {}
            jobs.append({"name": name, "player": player, "url": origin.url + over, "hear": 6, "page": code, **follows})
            begins[name] = beginning(listener, over)
            if tape.name == "live":
                jobs.append({"name": name + "-ends", "player": player, "url": origin.url + caught, "hear": 4, "seek": 7, "follow": 40,
                             "end": True, "page": code})
                begins[name + "-ends"] = beginning(listener, caught)
    told = play(folder, jobs)
    for job in jobs:
        name, t = job["name"], told[job["name"]]
        said = heard(folder, name + "-start")
        # sound may set in within a word
        late = next(((s - begins[name]) % PERIOD for s in said if s is not None), None)
        # one that only starts may stall for a moment when others start at the same time
        errors = t["errors"] if "followed" in t else [e for e in t["errors"] if "bufferStalledError" not in e]
        kind = "a complete list" if job.get("end") else f"a growing list ({name.split('-')[1]})"
        player = f"{PLAYERS[job['player']]} {t.get('version')}"
        ok(late in (0, 1, 2) and steady(said[1:]) and not errors,
           f"{player}: {kind} is heard from its beginning (first word {late} s after it, {t.get('started')})", begins[name], said, t)
        if job.get("end"):
            said = heard(folder, name + "-end")
            last = (said[-1] - begins[name]) % PERIOD if said and said[-1] is not None else None
            length = -(-(NOW - AGO + 25) // 6) * 6 - begins[name]
            ok(t.get("ended") and last is not None and last in (length - 1, length - 2),
               f"{player}: it ends at its end (last word {last}, of {length} s)", said, t)
        elif "seek" in job:
            said = heard(folder, name + "-end")
            age = (t.get("now", 0) - said[-1]) % PERIOD if said and said[-1] is not None else None
            hls = job["player"] in ("hls", "page")
            deltas = t.get("deltas", {})
            ok(not t["errors"] and t.get("followed", 0) > 0.7 * FOLLOW_S and age is not None and age < 75 and steady(said[1:]) and
               t["slowest"] < 6000 and (not hls or deltas["answered"] == deltas["asked"] > FOLLOW_S / 10),
               f"{player}: goes on at live for {FOLLOW_S} s without an error (what is heard is {age and round(age, 1)} s old, "
               f"{deltas.get('answered')} of {deltas.get('asked')} delta updates answered, slowest step {t.get('slowest')} ms)", said, t)


def shape(media):
    """Runs of media and gaps: [(gap, how many)]."""
    return [(gap, len(list(run))) for gap, run in itertools.groupby(media.list.entries, lambda e: e.gap)]


def holes(folder, origin, listener, stopped):
    """An outage: gaps while the list grows, a discontinuity once it is complete."""
    def recorded():
        media = listener.open("/hole/index.m3u8?from=-10m")
        return len(runs := shape(media)) == 3 and runs[2][1] > 9 and media
    entries = until("the encoder is back", recorded, 90).list.entries
    back = next(n for n, e in enumerate(entries) if e.gap)
    begin = named(entries[back].uri) - 16
    growing = f"/hole/index.m3u8?{query(**{'from': begin})}"
    closed = f"/hole/index.m3u8?{query(**{'from': begin, 'to': named(entries[-1].uri)})}"
    other = origin_later(folder, 700)
    forms = {}
    for form, url in (("growing", origin.url + growing), ("closed", other + closed)):
        variant = listener.variants(url)[0][0]
        forms[form] = listener.media(variant)
    ok("EXT-X-GAP" in forms["growing"].text and not forms["growing"].list.ended and "EXT-X-GAP" not in forms["closed"].text and
       "EXT-X-DISCONTINUITY\n" in forms["closed"].text and forms["closed"].list.ended, "the lists have a hole", *[f.text for f in forms.values()])
    jobs = []
    for player in PLAYERS:
        for form, url in (("growing", origin.url + growing), ("closed", other + closed)):
            if player == "videojs" and form == "growing":
                continue  # stalls at EXT-X-GAP, which is why complete lists have none
            jobs.append({"name": f"{player}-{form}", "player": player, "url": url, "hear": 38 if form == "growing" else 24,
                         "page": f"{origin.url}/_player/hls.light.min.js"})
    told = play(folder, jobs)
    for job in jobs:
        t, said, form = told[job["name"]], heard(folder, job["name"] + "-start"), job["name"].split("-")[1]
        made_out = [s for s in said if s is not None]
        before, after = ([s for s in made_out if (s < stopped[0]) == side] for side in (True, False))
        missing = sorted(set(range(min(made_out, default=0), max(made_out, default=0) + 1)) - set(made_out))
        fatal = [e for e in t["errors"] if "fatal" in e]
        # on a busy machine Shaka Player may go over a gap right to live
        most = 3600 if (job["player"], form) == ("shaka", "growing") else 3
        ok(len(missing) <= most and len(before) > 3 and len(after) > 3 and not fatal, f"{PLAYERS[job['player']]}: a {form} list with a hole is heard "
           f"on both sides of it (missing {missing}, errors {t['errors']})", said, t)


if __name__ == "__main__":
    main(scenario)
