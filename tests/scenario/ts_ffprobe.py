#!/usr/bin/env python3
"""Segments in the hands of others: ffprobe, ffmpeg, GStreamer, tshark and mpv must find nothing to complain about.

Cuts test media with the tool tests/tools/cutfile.c (argument 1 or $CUTFILE, else build/tools/cutfile), joins the
segments, and asks each program. Prints TAP; programs that are not installed are skipped, ffmpeg is not optional."""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MEDIA = os.path.join(ROOT, "tests", "media")
CUTFILE = (sys.argv[1:] or [os.environ.get("CUTFILE", os.path.join(ROOT, "build", "tools", "cutfile"))])[0]
TICKS = 1 << 33

# file, frames, samples a frame, rate of the header, options of cutfile
CASES = [
    ("aac_lc_44100_stereo_128k.aac", 1024, 44100, []),
    ("aac_lc_48000_mono_64k.aac", 1024, 48000, ["-t", "2", "-n"]),
    ("heaac_v1_44100_stereo_48k.aac", 1024, 22050, []),
    ("heaac_v2_44100_stereo_24k.aac", 1024, 22050, ["-k", "297604800"]),
    ("aac_lc_48000_51_320k.aac", 1024, 48000, []),
    ("mp3_cbr192_48000_stereo.mp3", 1152, 48000, []),
    ("mp3_mpeg2_cbr64_22050.mp3", 576, 22050, ["-t", "4"]),
    # PTS 2^33 is passed after ten seconds, in the middle of a segment
    ("aac_lc_44100_mono_48k.aac", 1024, 44100, ["-a", str(TICKS - 900000), "-t", "4"]),
]

# What libavformat says of every stream that has had no packet yet, which is what timed ID3 without a title is.
SILENT_STREAM = re.compile(
    r".*(start time for stream 1 is not set in estimate_timings_from_pts|Unsupported codec with id 98313).*\n?")

results = []


def ok(good, name, why=""):
    results.append(bool(good))
    print(f"{'ok' if good else 'not ok'} {len(results)} - {name}", flush=True)
    for line in why.strip().splitlines()[:10] if not good else []:
        print(f"# {line}")


def skip(name, why):
    results.append(True)
    print(f"ok {len(results)} - {name} # SKIP {why}")


def run(*argv):
    """Exit code, standard output and standard error but for what is said of a silent stream."""
    p = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
    out, err = (SILENT_STREAM.sub("", s.decode(errors="replace")) for s in (p.stdout, p.stderr))
    return p.returncode, out, err


def cut(case, directory):
    code, _, err = run(CUTFILE, "-v", *case[3], os.path.join(MEDIA, case[0]), directory)
    return sorted(glob.glob(os.path.join(directory, "*.ts"))), err if code else ""


def join(names, path):
    with open(path, "wb") as out:
        for name in names:
            with open(name, "rb") as f:
                shutil.copyfileobj(f, out)
    return path


def frames(path):
    """The audio in a stream or file as ffmpeg cuts it, one MD5 a frame without its ADTS header (which is normalised in
    segments), and what it warned of."""
    bare = ["-bsf:a", "aac_adtstoasc"] if "aac" in os.path.basename(path) else []
    code, out, err = run("ffmpeg", "-v", "warning", "-i", path, "-map", "0:a", "-c", "copy", *bare, "-f", "framemd5", "-")
    md5 = [line.split(",")[5].strip() for line in out.splitlines() if not line.startswith("#")]
    return md5, err if err or code == 0 else f"exit code {code}"


def packets(path):
    """PTS of every frame, the wrap undone, and what ffprobe warned of."""
    _, out, err = run("ffprobe", "-v", "warning", "-show_entries", "packet=pts", "-of", "csv=p=0", path)
    return [int(p) for p in re.findall(r"^(-?\d+)", out, re.M)], err


def test_ffprobe(case, stream):
    pts, err = packets(stream)
    ok(not err, f"{case[0]}: ffprobe warns of nothing", err)
    start = pts[0] if pts else 0
    wrong = [i for i, p in enumerate(pts) if abs((p - start) - i * case[1] * 90000 / case[2]) > 2]
    ok(pts and not wrong, f"{case[0]}: {len(pts)} frames, each where the sample count says", f"wrong: {wrong[:8]}")


def test_ffmpeg(case, stream):
    _, _, err = run("ffmpeg", "-v", "warning", "-i", stream, "-f", "null", "-")
    ok(not err, f"{case[0]}: ffmpeg decodes without a warning", err)
    got, err = frames(stream)
    want, _ = frames(os.path.join(MEDIA, case[0]))
    ok(got == want and not err, f"{case[0]}: the frames are the file's", f"{len(got)} of {len(want)} frames {err}")


def test_alone(case, segments):
    """A segment from the middle decodes without the others."""
    code, _, err = run("ffmpeg", "-v", "warning", "-i", segments[len(segments) // 2], "-f", "null", "-")
    # the bit reservoir of layer III may lie in the segment before
    err = "" if case[0].endswith("mp3") else err
    ok(code == 0 and not err, f"{case[0]}: a segment decodes alone", err)


def test_gstreamer(case, stream):
    name = f"{case[0]}: GStreamer takes it apart"
    if not shutil.which("gst-launch-1.0"):
        return skip(name, "no gst-launch-1.0")
    parser = "mpegaudioparse" if case[0].endswith("mp3") else "aacparse"
    code, out, err = run("gst-launch-1.0", "-m", "filesrc", f"location={stream}", "!", "tsdemux", "!", parser, "!",
                         "fakesink", "sync=false")
    faults = [line for line in (out + err).splitlines() if re.search(r"error|warning|discont", line, re.I)]
    return ok(code == 0 and not faults and "EOS" in out.upper(), name, "\n".join(faults) or err)


def test_tshark(case, stream):
    name = f"{case[0]}: tshark sees no fault in the transport stream"
    if not shutil.which("tshark"):
        return skip(name, "no tshark")
    code, out, err = run("tshark", "-r", stream, "-Y", "_ws.expert.severity >= 6291456 || mp2t.cc.drop", "-T", "fields",
                         "-e", "frame.number", "-e", "_ws.expert.message")
    return ok(code == 0 and not out.strip(), name, out or err)


def test_mpv(case, stream):
    name = f"{case[0]}: mpv plays it"
    if not shutil.which("mpv"):
        return skip(name, "no mpv")
    code, out, err = run("mpv", "--no-config", "--msg-level=all=warn", "--ao=null", "--ao-null-untimed", "--vo=null",
                         "--no-video", stream)
    return ok(code == 0 and not (out + err).strip(), name, out + err)


def main():
    for program in (CUTFILE, "ffmpeg", "ffprobe"):
        if not shutil.which(program):
            print(f"1..1\nnot ok 1 - {program} is missing")
            return 1
    for case in CASES:
        with tempfile.TemporaryDirectory() as directory:
            segments, err = cut(case, directory)
            ok(len(segments) > 2 and not err, f"{case[0]}: cut into {len(segments)} segments and verified", err)
            if len(segments) < 3:
                continue
            stream = join(segments, os.path.join(directory, case[0] + ".ts"))
            test_ffprobe(case, stream)
            test_ffmpeg(case, stream)
            test_alone(case, segments)
            test_gstreamer(case, stream)
            test_tshark(case, stream)
            test_mpv(case, stream)
    print(f"1..{len(results)}")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
