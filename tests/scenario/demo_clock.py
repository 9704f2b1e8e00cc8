#!/usr/bin/env python3
"""The speaking clock of `make run`: what it says is a function of wall time, on time, and without a click."""
import array
import datetime
import os
import signal
import subprocess
import sys
import zoneinfo

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CLIPS = os.path.join(ROOT, "ops/demo/clips")
CLOCK = os.path.join(ROOT, os.environ.get("BUILD", "build"), "demo-clock")
NS = 10**9
SAMPLES, RATE = 1024, 48000
PARIS = zoneinfo.ZoneInfo("Europe/Paris")

failed = count = 0


def check(ok, name, *details):
    global failed, count
    count += 1
    failed += not ok
    print(f"{'ok' if ok else 'not ok'} {count} - {name}")
    for line in details if not ok else ():
        print("#", line)


def clock(start_ns, *options, tz="Europe/Paris"):
    env = dict(os.environ, HINDCAST_START=str(start_ns), TZ=tz)
    return subprocess.run([CLOCK, "--clips", CLIPS, *options], env=env, stdout=subprocess.PIPE, check=True).stdout


def frames_of(adts):
    """The frames of an ADTS stream (ISO 14496-3 1.A.2.2: aac_frame_length)."""
    frames, at = [], 0
    while at < len(adts):
        assert adts[at] == 0xFF and adts[at + 1] & 0xF6 == 0xF0, f"no frame at byte {at}"
        length = (adts[at + 3] & 3) << 11 | adts[at + 4] << 3 | adts[at + 5] >> 5
        frames.append(adts[at : at + length])
        at += length
    assert at == len(adts), "the last frame is cut"
    return frames


def decode(adts):
    """Left channel as floats, and what ffmpeg had to say."""
    run = subprocess.run(
        ["ffmpeg", "-v", "warning", "-f", "aac", "-i", "-", "-f", "f32le", "-"],
        input=adts, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    said = [l for l in run.stderr.decode().splitlines() if "Estimating duration from bitrate" not in l]
    return array.array("f", run.stdout)[::2], said + ([] if run.returncode == 0 else [f"exit code {run.returncode}"])


def frame_at(ns):
    """The frame, counted from 1970, whose beginning is nearest."""
    return (ns * RATE * 2 + SAMPLES * NS) // (SAMPLES * NS * 2)


def block(pcm, n):
    return pcm[n * SAMPLES : (n + 1) * SAMPLES]


def power(samples):
    return sum(x * x for x in samples) / len(samples)


def read_index():
    rows = (line.rstrip("\n").split("\t") for line in open(os.path.join(CLIPS, "index")))
    return {name: (int(first), int(frames)) for first, frames, name, _ in rows}


def unix(tz, *ymdhms):
    return int(datetime.datetime(*ymdhms, tzinfo=tz).timestamp())


def words(start, frames, tz="Europe/Paris"):
    lines = clock(start * NS, "--words", "--frames", str(frames), tz=tz).decode().splitlines()
    return [line.split(" ", 2) for line in lines]


def test_function_of_time():
    start = unix(PARIS, 2026, 11, 21, 8, 59, 30)
    long = clock(start * NS, "--frames", "4000")
    check(clock(start * NS, "--frames", "4000") == long, "the same start gives the same bytes")
    frames = frames_of(long)
    check(len(frames) == 4000, "--frames is kept", len(frames))
    for later in (10 * NS, 8 * NS, 40 * NS, 5_333_333, 5_333_334, 3_300_000_007):
        gone = frame_at(start * NS + later) - frame_at(start * NS)
        rest = clock(start * NS + later, "--frames", str(4000 - gone))
        check(rest == b"".join(frames[gone:]), f"starting {later} ns later gives exactly the suffix, {gone} frames on")
    check(clock(start * NS, "--frames", "4000", tz="Asia/Kathmandu") != long, "the time zone is obeyed")


def test_words():
    start = unix(PARIS, 2026, 11, 21, 8, 59, 45)
    got = words(start, 1875)
    check([w for _, _, w in got] == [
        "It's eight fifty-nine a.m. and fifty seconds", "It's nine a.m. precisely", "It's nine a.m. and ten seconds",
        "It's nine a.m. and twenty seconds"], "the words follow the time", *got)
    check(got[1][1] == "2026-11-21T09:00:00+0100", "local time is printed", got[1][1])
    day = [row for hour in range(24) for row in words(unix(PARIS, 2026, 11, 21, hour, 0, 0), 480)[:1]]
    check(day[0][2] == "It's twelve midnight precisely" and day[12][2] == "It's twelve noon precisely"
          and day[13][2] == "It's one p.m. precisely", "noon and midnight have their names", *day)
    check(words(unix(PARIS, 2026, 11, 21, 0, 5, 20), 480)[0][2] == "It's twelve oh five a.m. and twenty seconds",
          "after midnight is twelve a.m.")
    utc = unix(datetime.timezone.utc, 2026, 10, 25, 0, 59, 50)  # 02:59:50 in summer, then 02:00:00 in winter
    said = [w for _, _, w in words(utc, 900)]
    check(said == ["It's two fifty-nine a.m. and fifty seconds", "It's two a.m. precisely"],
          "the hour comes twice when summer time ends", *said)


def test_on_time():
    for start in (1795219200, 1795219197, 1, 4102444800):
        late = [abs(int(f) * SAMPLES / RATE - datetime.datetime.strptime(t, "%Y-%m-%dT%H:%M:%S%z").timestamp())
                for f, t, _ in words(start, 20000)]
        check(len(late) >= 42 and max(late) <= SAMPLES / RATE / 2 + 1e-6,
              f"every first word is within half a frame of its instant, from {start} on", len(late), max(late))


def test_clips(bitrate):
    """The frames of one announcement are those of its clips, one after the other."""
    index, start = read_index(), unix(PARIS, 2026, 11, 21, 21, 34, 40)
    source = frames_of(open(os.path.join(CLIPS, bitrate + ".aac"), "rb").read())
    bed = source[index["bed"][0]]
    got = frames_of(clock(start * NS, "--bitrate", bitrate, "--frames", "400"))
    got.insert(0, source[index["hour-9"][0]])  # the first clip's frame of bed lies before its word
    at, joints = 0, []
    for name in ("hour-9", "minute-34", "pm", "second-40", "swell-1", "swell-2", "swell-3"):
        first, frames = index[name]
        clip = source[first : first + frames]
        while got[at] == bed and got[at : at + frames] != clip:
            at += 1
        if got[at : at + frames] != clip:
            break
        joints.append(at)
        at += frames
    check(len(joints) == 7, f"{bitrate}: the clips follow each other as the words say", f"{name} is not at frame {at}")
    return joints


def test_sound(bitrate, joints):
    """joints: where clips begin, counted from the frame before an announcement's first word."""
    start = unix(PARIS, 2026, 11, 21, 21, 34, 40)
    pcm, said = decode(clock(start * NS - 3 * NS, "--bitrate", bitrate, "--frames", "800"))
    check(not said, f"{bitrate}: ffmpeg decodes it without a warning", *said)
    check(len(pcm) == 800 * SAMPLES, f"{bitrate}: every frame is decoded", len(pcm) / SAMPLES)
    word = int(words(start, 469)[0][0]) - frame_at((start - 3) * NS)
    bed = block(pcm, word - 20)  # shortly before an announcement there is nothing else
    level = power(bed)

    def error(n):
        return power([a - b for a, b in zip(block(pcm, n), bed)]) / level

    steady = max(error(n) for n in range(word - 30, word - 1))
    check(steady < 1e-2, f"{bitrate}: the bed does not change from frame to frame", steady)
    check(error(word) > 10, f"{bitrate}: the word begins with its frame", error(word))
    worst = max((error(word - 1 + j), j) for j in joints)
    check(worst[0] < 0.05, f"{bitrate}: the {len(joints)} joints between clips are bed, without a click", worst)


def test_reader():
    """It ends without a word when its reader leaves, and at SIGTERM; it complains of what it cannot read."""
    env = dict(os.environ, HINDCAST_START="1795219200000000000")
    p = subprocess.Popen([CLOCK, "--clips", CLIPS], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    p.stdout.read(100000)
    p.stdout.close()
    check(p.wait() == 0 and not p.stderr.read(), "it ends quietly when the reader leaves", p.returncode)
    p = subprocess.Popen([CLOCK, "--clips", CLIPS], env=env, stdout=subprocess.PIPE)
    p.stdout.read(1)
    p.terminate()
    check(p.wait() == -signal.SIGTERM, "SIGTERM ends it", p.returncode)
    p.stdout.close()
    for options, word in ((["--clips", "/nowhere"], "/nowhere/128.aac"), (["--bitrate", "96"], "96"),
                          (["--bitrate"], "--bitrate"), (["--frames", "x"], "--frames"), (["--what"], "--what")):
        run = subprocess.run([CLOCK, *options], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        check(run.returncode == 1 and word in run.stderr, f"{' '.join(options)} is refused by name", run.stderr)
    run = subprocess.run([CLOCK], env=dict(env, HINDCAST_START="noon"), stdout=subprocess.DEVNULL,
                         stderr=subprocess.PIPE, text=True)
    check(run.returncode == 1 and "HINDCAST_START" in run.stderr, "a wrong HINDCAST_START is refused", run.stderr)


def main():
    if not os.access(CLOCK, os.X_OK):
        print(f"Bail out! {CLOCK} is missing: run make first")
        return 1
    test_function_of_time()
    test_words()
    test_on_time()
    for bitrate in ("128", "64"):
        test_sound(bitrate, test_clips(bitrate))
    test_reader()
    print(f"1..{count}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
