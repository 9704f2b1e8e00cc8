#!/usr/bin/env python3
"""`rewind export` takes out of the store what went into it: as one file byte for byte between two instants, as a folder that
players play. Judged by the frames of the source, by ffprobe and by ffmpeg."""
import os
import re
import subprocess

from failing import BUILD, finish, main, ok, write
from hindcast import NS, List, Media, cut, ns_of, read, segment, wall

ZONE = "Europe/Paris"
T = 6
# A whole millisecond, 40 s before an hour: the store tells its wall times in milliseconds.
START = 1795251560 * NS + 250 * 10**6  # 2026-11-21T08:59:20.250Z
MEDIA = {"aac": "aac_lc_44100_stereo_128k.aac", "he": "heaac_v2_44100_stereo_24k.aac", "mp3": "mp3_vbr_v4_44100_id3v2_xing_id3v1.mp3",
         "lsf": "mp3_mpeg2_cbr64_22050.mp3"}
CONTAINERS = {"t": "ts", "p": "packed"}


def lay_in(folder, media, start, T=T):
    """A store with a station for each of `media`, in TS and in packed form; the configuration."""
    store = os.path.join(folder, "store")
    ini = f"[store]\npath = {store}\nsync = none\nmin_free = 0\n[segmenter]\nmetrics = 127.0.0.1:0\n"
    for station, path in media.items():
        ini += f"[station {station}]\nsegment = {T}\ntimezone = {ZONE}\nrenditions = {' '.join(CONTAINERS)}\n"
        for rendition, form in CONTAINERS.items():
            ini += (f"[rendition {station}/{rendition}]\nformat = {form}\n[input {station}/{rendition} main]\n"
                    f"type = file\npath = {path}\nstart = {wall(start)}\npace = none\n")
    config = write(folder, "hindcast.ini", ini)
    code, _, log = finish("segmenter", "-c", config, seconds=120)
    ok(code == 0, "the segmenter lays the media in", log)
    return store, config


def export(config, *argv):
    """Exit code, standard output as bytes, standard error."""
    p = subprocess.run([os.path.join(BUILD, "rewind"), "-c", config, "export", *argv], stdin=subprocess.DEVNULL,
                       capture_output=True, timeout=60)
    return p.returncode, p.stdout, p.stderr.decode()


def chosen(frames, rate, each, start, begin, end):
    """The frames whose edges are nearest to the two instants: a frame's middle is not before the first, and before the second."""
    def middle_reaches(i, at):
        return 2 * (start - at) * rate + (2 * i + 1) * each * NS >= 0
    return [f for i, f in enumerate(frames) if middle_reaches(i, begin) and not middle_reaches(i, end)]


def seconds_of(path):
    """What ffprobe says that it lasts: its packets, counted."""
    p = subprocess.run(["ffprobe", "-v", "error", "-show_entries", "packet=duration_time", "-of", "csv=p=0", path],
                       capture_output=True, text=True, timeout=60)
    return sum(float(d.strip(",")) for d in p.stdout.split() if d.strip(",") not in ("", "N/A")), p.stderr


def plays(path, seconds):
    """Does ffmpeg decode all of it, without a word, and is there as much to be heard? Times are counted anew: those of packed MP3
    are rounded by ffmpeg so that they sometimes go back by a sample where a segment begins."""
    p = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-xerror", "-i", path, "-af", "asetpts=N/SR/TB", "-ar", "48000",
                        "-ac", "1", "-f", "s16le", "-"], capture_output=True, timeout=120)
    heard = len(p.stdout) / 2 / 48000
    return p.returncode == 0 and not p.stderr and abs(heard - seconds) < 0.1, f"{heard} s of {seconds}: {p.stderr.decode()}"


def files(folder):
    """one file of all kinds of audio, in TS and packed"""
    media = {s: Media(name) for s, name in MEDIA.items()}
    store, config = lay_in(folder, {s: m.path for s, m in media.items()}, START)
    before = snapshot(store)
    for station, m in media.items():
        rate, each, frames = m.parts()[0]
        length = ns_of(len(frames) * each, rate)
        last = (START + length) // (T * NS) * T * NS
        first = -(-START // (T * NS)) * T * NS
        spans = [(first, last),                                     # on the grid: what the segments hold
                 (first + 1234 * 10**6, last - 2345 * 10**6),       # and between its lines
                 (first + T * NS + 7, first + T * NS + 50 * 10**6)]  # hardly more than a frame
        for rendition, form in CONTAINERS.items():
            wrong = []
            for n, (begin, end) in enumerate(spans):
                name = os.path.join(folder, f"{station}-{rendition}-{n}.{'aac' if station in ('aac', 'he') else 'mp3'}")
                code, _, said = export(config, f"{station}/{rendition}", "--from", wall(begin), "--to", wall(end), "-o", name)
                want = chosen(frames, rate, each, START, begin, end)
                if code or read(name, "rb") != b"".join(want):
                    wrong += [f"span {n}: exit code {code}, {said}"]
                    continue
                told = re.search(r": (\d+) frames, (\d+\.\d+) s, (\d+) bytes", said)
                if (int(told[1]), int(told[3])) != (len(want), sum(map(len, want))):
                    wrong += [f"span {n}: {said}"]
                if abs(float(told[2]) - len(want) * each / rate) > 0.002:
                    wrong += [f"span {n}: {said}"]
                probed, why = seconds_of(name)
                if n < 2 and abs(probed - len(want) * each / rate) > 0.01 * len(want) * each / rate:
                    wrong += [f"span {n}: ffprobe finds {probed} s of {len(want) * each / rate}", why]
            ok(not wrong, f"{station}, {form}: the frames between two instants, byte for byte", *wrong)
        good, why = plays(os.path.join(folder, f"{station}-t-0.{'aac' if station in ('aac', 'he') else 'mp3'}"),
                          len(chosen(frames, rate, each, START, *spans[0])) * each / rate)
        ok(good, f"{station}: ffmpeg plays it", why)
    ok(snapshot(store) == before, "the store is as it was")


def snapshot(store):
    return sorted((os.path.join(at, n), os.stat(os.path.join(at, n)).st_mtime_ns, os.stat(os.path.join(at, n)).st_size)
                  for at, _, names in os.walk(store) for n in names)


def words(folder):
    """instants in the words that listeners use, in the night in which clocks are set back, too"""
    media = Media(MEDIA["aac"])
    rate, each, frames = media.parts()[0]
    # 2026-10-25: at 01:00 UTC it is 03:00 and then 02:00 in Paris; 02:59:59 comes twice, and the first of them is meant
    start = 1792889960 * NS  # 2026-10-25T00:59:20Z, 02:59:20 summer time
    _, config = lay_in(folder, {"fip": media.path}, start)
    begin, end = start + 10 * NS, start + 30 * NS
    want = b"".join(chosen(frames, rate, each, start, begin, end))
    for what, argv in (("local time, dated, the first of two", ("--from", "2026-10-25T02:59:30", "--to", "2026-10-25T02:59:50")),
                       ("an offset", ("--from", "2026-10-25T02:59:30+02:00", "--to", "2026-10-25T01:59:50+01:00")),
                       ("the basic form and a duration", ("--from", "20261025T005930Z", "--duration", "20s")),
                       ("Unix seconds", ("--from", str(begin // NS), "--to", str(end // NS)))):
        code, out, said = export(config, "fip/t", *argv)
        ok(code == 0 and out == want, f"{what}: {' '.join(argv)}", f"exit code {code}, {len(out)} bytes of {len(want)}", said)
    # over the change: from 02:59:30 summer time to 02:00:00 winter time there are 30 s, and 02:00:00 alone means the earlier one
    code, _, said = export(config, "fip/t", "--from", "2026-10-25T02:59:30", "--to", "2026-10-25T02:00:00")
    ok(code == 2 and "empty" in said, "the first 02:00 lies before 02:59", said)
    code, out, said = export(config, "fip/t", "--from", "2026-10-25T02:59:50", "--to", "2026-10-25T03:00:00")
    ok(code == 1 and "(02:00:20 on" in said and "(03:00:00 on 2026-10-25, Europe/Paris)" in said,
       "the hour that comes twice is missing from a span that goes over it", code, said)
    code, _, said = finish("rewind", "-c", config, "verify", "fip/t", "--from", "2026-10-25T02:59:24", "--to", "2026-10-25T02:59:42")
    ok(code == 0, "verify takes the same words", said)
    out = finish("rewind", "-c", config, "verify", "fip", "--from", "2026-10-25T02:59:24", "--duration", "18s")[1]
    ok(" 6 segments" in out, "and looks at that span in both renditions", out)
    store = os.path.join(folder, "store")
    code, _, said = finish("rewind", "--store", store, "export", "fip/t", "--from", "2026-10-25T00:59:30", "--to",
                           "2026-10-25T00:59:50", "-o", os.path.join(folder, "x.aac"))
    ok(code == 0 and "taken as UTC" in said, "without a configuration local time is UTC, and that is said", code, said)
    ok(read(os.path.join(folder, "x.aac"), "rb") == want, "and so it is")


def folders(folder):
    """a folder that plays"""
    media = {s: Media(name) for s, name in MEDIA.items()}
    store, config = lay_in(folder, {s: m.path for s, m in media.items()}, START)
    for station, m in media.items():
        rate, each, frames = m.parts()[0]
        begin = -(-START // (T * NS)) * T * NS
        end = (START + ns_of(len(frames) * each, rate)) // (T * NS) * T * NS
        for rendition, form in CONTAINERS.items():
            out = os.path.join(folder, f"{station}-{rendition}")
            code, _, said = export(config, f"{station}/{rendition}", "--from", wall(begin + NS), "--to", wall(end - NS), "-o", out + "/")
            if not ok(code == 0, f"{station}, {form}: a folder is written", said):
                continue
            text = read(os.path.join(out, "index.m3u8"))
            names = re.findall(r"^[^#].*$", text, re.M)
            there = sorted(os.path.relpath(os.path.join(at, n), out) for at, _, ns in os.walk(out) for n in ns)
            ok(there == sorted(names + ["index.m3u8"]) and len(names) == (end - begin) // (T * NS),
               f"{station}, {form}: the list names what is there", there, names)
            same = all(read(os.path.join(out, n), "rb") == read(os.path.join(store, station, rendition, n), "rb") for n in names)
            ok(same, f"{station}, {form}: the segments are those of the store")
            ok("#EXT-X-PLAYLIST-TYPE:VOD\n" in text and text.endswith("#EXT-X-ENDLIST\n") and
               f"#EXT-X-MEDIA-SEQUENCE:{begin // NS // T}\n" in text and
               ("#EXT-X-INDEPENDENT-SEGMENTS\n" in text) == (station in ("aac", "he")), f"{station}, {form}: a list on demand", text)
            spoken = sum(float(s) for s in re.findall(r"^#EXTINF:(.*),$", text, re.M))
            want = len(chosen(frames, rate, each, START, begin, end)) * each / rate
            ok(abs(spoken - want) < 0.001, f"{station}, {form}: EXTINF add up", spoken, want)
            seconds, why = seconds_of(os.path.join(out, "index.m3u8"))
            ok(abs(seconds - want) < 0.01 * want, f"{station}, {form}: ffprobe finds as much in it", seconds, want, why)
            good, why = plays(os.path.join(out, "index.m3u8"), want)
            ok(good, f"{station}, {form}: ffmpeg plays it from the first to the last", why)


def holes(folder):
    """a span with a hole in it"""
    store, config = lay_in(folder, {"fip": Media(MEDIA["aac"]).path}, START)
    live = List(read(os.path.join(store, "fip/t/index.m3u8")))
    lost = live.entries[2]
    os.unlink(os.path.join(store, "fip/t", lost.uri))
    span = ("--from", wall(live.entries[0].start), "--to", wall(live.entries[-2].start))
    name = os.path.join(folder, "x.aac")
    code, out, said = export(config, "fip/t", *span)
    ok(code == 1 and not out and lost.uri in said and "--gaps" in said and "1 gap" in said and ZONE in said,
       "a segment that is lost is told, and nothing written", said)
    code, _, said = export(config, "fip/t", *span, "--gaps", "-o", name)
    kept = [e for e in live.entries[:-2] if e.msn != lost.msn]
    want = b"".join(segment(os.path.join(store, "fip/t"), e).audio for e in kept)
    ok(code == 0 and read(name, "rb") == want, "with --gaps the rest is", said)
    code, _, said = export(config, "fip/t", *span, "--gaps", "-o", os.path.join(folder, "d/"))
    text = read(os.path.join(folder, "d/index.m3u8"))
    ok(code == 0 and text.count("#EXT-X-DISCONTINUITY\n") == 1 and lost.uri not in text and "EXT-X-GAP" not in text and
       "#EXT-X-DISCONTINUITY\n#EXT-X-PROGRAM-DATE-TIME:" in text, "and a list with a discontinuity in its place", text)
    good, why = plays(os.path.join(folder, "d/index.m3u8"), sum(float(s) for s in re.findall(r"^#EXTINF:(.*),$", text, re.M)))
    ok(good, "which ffmpeg plays", why)


def change(folder):
    """a span in which the format changes"""
    store, config = lay_in(folder, {"change": Media("change_44100_to_48000.aac").path}, START, 2)
    entries = List(read(os.path.join(store, "change/t/index.m3u8"))).entries
    span = ("--from", wall(entries[0].start), "--to", wall(entries[-1].start + entries[-1].microseconds * 1000))
    code, _, said = export(config, "change/t", *span, "--gaps", "-o", os.path.join(folder, "c.aac"))
    at = re.search(r"44100 Hz 2 ch becomes AAC-LC 48000 Hz 2 ch at (\S+)", said)
    ok(code == 1 and at and "-o DIR/" in said and not os.path.exists(os.path.join(folder, "c.aac")),
       "a change of format is not for one file", code, said)
    if at:
        code, out, said = export(config, "change/t", span[0], span[1], "--to", at[1], "--gaps")
        a = {r for r, _, _ in cut(out)}
        code2, out2, said2 = export(config, "change/t", "--from", at[1], span[2], span[3], "--gaps")
        b = {r for r, _, _ in cut(out2)}
        ok((code, code2) == (0, 0) and (a, b) == ({44100}, {48000}), "but for two, cut where it says", a, b, said, said2)
    code, _, said = export(config, "change/t", *span, "--gaps", "-o", os.path.join(folder, "c/"))
    ok(code == 0 and "#EXT-X-DISCONTINUITY\n" in read(os.path.join(folder, "c/index.m3u8")), "or for a folder", said)


def usage(folder):
    """what cannot be meant"""
    _, config = lay_in(folder, {"fip": Media(MEDIA["aac"]).path}, START)
    span = ("--from", wall(START + NS), "--to", wall(START + 2 * NS))
    for argv, want in ((("fip", *span), "want a rendition"), ((*span,), "want a rendition"),
                       (("fip/t", *span[:2]), "want --to or --duration"), (("fip/t", *span[2:]), "want --from"),
                       (("fip/t", *span, "--duration", "1m"), "instead of --to"), (("fip/t", *span[:2], "--duration", "0"), "not a duration"),
                       (("fip/t", "--from", "soon", *span[2:]), "not an instant"), (("nrk/t", *span), "not in the store"),
                       (("fip/t", *span, "-o", "x.wav"), "want a name in .aac or .mp3"), (("fip/t", *span, "--json"), "--json is not for"),
                       (("fip/t", "--from", wall(START + NS), "--to", wall(START + NS)), "must not be empty"),
                       (("fip/t", *span, "-o", os.path.join(folder, "store/fip/x.aac")), "is in the store")):
        code, out, said = export(config, *argv)
        ok(code == 2 and want in said and not out, f"export {' '.join(argv[:1])} …: {want}", code, said)
    code, _, said = finish("rewind", "-c", config, "verify", "-o", "x.aac")
    ok(code == 2 and "not for verify" in said, "-o is for export alone", said)
    p = subprocess.run(["script", "-qec", f"{BUILD}/rewind -c {config} export fip/t {' '.join(span)}", "/dev/null"],
                       stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
    ok(p.returncode == 2 and "terminal" in p.stdout, "audio is not written to a terminal", p.returncode, p.stdout)


if __name__ == "__main__":
    main(files, words, folders, holes, change, usage)
