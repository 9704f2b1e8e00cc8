#!/usr/bin/env python3
"""ffmpeg, mpv, VLC and GStreamer play a catch-up link from its start to its end, and, told to, a start-over link from its start: by
what is heard. See timecode.py; what they must be told stands in doc/time.md. Prints TAP."""
import concurrent.futures
import os
import subprocess
import tempfile
import time

from failing import Program, main, ok, until, write
from listening import Answer, Listener, Origin, Tape, named, query
from timecode import FRAME, PERIOD, RATE, samples, words

NOW = int(time.time())
SHORT_S, LONG_S = 6, 60


def run(seconds, *argv):
    p = subprocess.run(["timeout", "-k", "2", str(seconds), *argv], stdin=subprocess.DEVNULL, capture_output=True)
    return p.stdout, p.stderr.decode(errors="replace")


def kept(path):
    if not os.path.exists(path):
        return b""
    with open(path, "rb") as f:
        return f.read()


def ffmpeg(folder, url, start):
    out, said = run(LONG_S, "ffmpeg", "-nostdin", "-v", "error", *(["-prefer_x_start", "1", "-t", str(SHORT_S)] if start else []), "-i", url,
                    "-map", "0:a:0", "-ac", "1", "-f", "s16le", "-")
    return samples(out), said


def mpv(folder, url, start):
    path = os.path.join(folder, "mpv")
    said = run(LONG_S, "mpv", "--no-config", "--no-video", "--msg-level=all=warn", "--ao=pcm", f"--ao-pcm-file={path}",
               "--ao-pcm-waveheader=no", "--audio-format=s16", "--audio-channels=mono",
               *(["--demuxer-lavf-o=prefer_x_start=1", f"--length={SHORT_S}"] if start else []), url)
    return samples(kept(path)), said


def vlc(folder, url, start):
    """VLC does not run as root, plays in real time, and here in stereo."""
    path = os.path.join(folder, "vlc")
    who = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.getuid() == 0 else []
    said = run(SHORT_S + 10 if start else LONG_S, *who, "env", f"HOME={folder}", "cvlc", "-v", "--no-color", "-I", "dummy", "--no-video",
               "--play-and-exit", "--aout=afile", f"--audiofile-file={path}", "--audiofile-format=s16", "--no-audiofile-wav",
               *(["--start-time=1"] if start else []), url)
    return samples(kept(path))[::2], said


def gstreamer(folder, url, start):
    path = os.path.join(folder, "gst")
    said = run(LONG_S, "gst-launch-1.0", "-q", "souphttpsrc", f"location={url}", "!", "hlsdemux", "!", "decodebin", "!", "audioconvert",
               "!", "audioresample", "!", f"audio/x-raw,format=S16LE,channels=1,rate={RATE}", "!", "filesink", f"location={path}")
    return samples(kept(path)), said


PLAYERS = {"ffmpeg": ffmpeg, "mpv": mpv, "cvlc": vlc, "gst-launch-1.0": gstreamer}


def listen(name, url, start, first, seconds):
    """"" when what is heard begins with `first`, goes on second by second, and, but for a start, lasts for `seconds`."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        pcm, said = PLAYERS[name](folder, url, start)
    told = [second for _, second in words(pcm)]
    if told and told[0] is None:
        told = [(told[1] - 1) % PERIOD, *told[1:]] if len(told) > 1 and told[1] is not None else told
    want = [(first + n) % PERIOD for n in range(seconds)]
    if start:
        late = (told[0] - first) % PERIOD if told and told[0] is not None else None
        fine = late in (0, 1, 2) and told[:4] == want[late:late + 4]
    else:
        # the first word or the first frame may go into finding out what it is
        fine = told[-seconds + 1:] == want[1:] and len(told) <= seconds and abs(len(pcm) - seconds * RATE) <= 3 * FRAME
    return "" if fine else f"{len(pcm) / RATE:.3f} s of {seconds}, {told}, want {want[:3]}...; {said}"


def scenario(folder):
    store = os.path.join(folder, "store")
    os.mkdir(store)
    tapes = [Tape("ts", "Europe/Paris", "ts", 6, NOW - 1200), Tape("packed", "Europe/Paris", "packed", 6, NOW - 1200)]
    stations = "".join(t.station() for t in tapes)
    p = Program("segmenter", "-c", write(folder, "live.ini", f"[store]\npath = {store}\nsync = none\nmin_free = 0\n{stations}" +
                                         "".join(t.input(folder) for t in tapes)))
    p.wait(r" ready\b")
    origin = Origin(folder, store, stations)
    listener = Listener(origin)
    jobs = []
    for tape in tapes:
        until("the present", lambda: Answer(f"{origin.url}/{tape.name}/a/index.m3u8").status == 200 and
              time.time() - named(listener.open(f"/{tape.name}/index.m3u8?from=-60").list.entries[-1].uri) < 14, 60)
        for name in PLAYERS:
            begin = tape.grid(NOW - 420)
            link = f"{origin.url}/{tape.name}/index.m3u8?"
            jobs.append((f"{name}: a catch-up link ({tape.name}) from its start to its end", name,
                         link + query(**{"from": begin, "duration": "24s"}), False, begin % PERIOD, 24))
            if name != "gst-launch-1.0":
                jobs.append((f"{name}: a start-over link ({tape.name}), from its start when told to", name,
                             link + query(**{"from": begin}), True, begin % PERIOD, 10))
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        for (what, *_), why in zip(jobs, pool.map(lambda job: listen(*job[1:]), jobs)):
            ok(not why, what, why)
    ok(p.end() == 0 and origin.end() == 0, "segmenter and origin end as they should")


if __name__ == "__main__":
    main(scenario)
