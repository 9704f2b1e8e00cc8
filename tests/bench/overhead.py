#!/usr/bin/env python3
"""What the container adds to the audio, in percent: MPEG-TS and packed segments of 6 s, beside ffmpeg's MPEG-TS.

Bytes, not time: exact, and the same everywhere. Argument: cutfile's path."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MEDIA = os.path.join(ROOT, "tests", "media")
CUTFILE = sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "build", "tools", "cutfile")
FILES = (("AAC-LC 48 kbit/s", "aac_lc_44100_mono_48k.aac"), ("HE-AAC 48 kbit/s", "heaac_v1_44100_stereo_48k.aac"),
         ("AAC-LC 64 kbit/s", "aac_lc_44100_stereo_64k.aac"), ("AAC-LC 128 kbit/s", "aac_lc_44100_stereo_128k.aac"),
         ("MP3 128 kbit/s", "mp3_cbr128_44100_js.mp3"), ("MP3 192 kbit/s", "mp3_cbr192_48000_stereo.mp3"))


def ours(path, *options):
    """Bytes of audio and of segments."""
    said = subprocess.run([CUTFILE, *options, path], check=True, capture_output=True, text=True).stdout
    return tuple(int(x) for x in re.search(r"(\d+) bytes of audio in (\d+)", said).groups())


def ffmpeg(path):
    with tempfile.TemporaryDirectory() as out:
        subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-i", path, "-c", "copy", "-f", "hls", "-hls_time", "6",
                        "-hls_list_size", "0", os.path.join(out, "x.m3u8")], check=True)
        return sum(os.path.getsize(os.path.join(out, n)) for n in os.listdir(out) if n.endswith(".ts"))


def main():
    print("container overhead, 6 s segments      TS   packed   ffmpeg's TS")
    for what, name in FILES:
        path = os.path.join(MEDIA, name)
        # a live segment is never short: what follows the file's last grid line is left out
        audio, ts = ours(path, "-w")
        packed = ours(path, "-w", "-p")[1]
        whole = ours(path)[0]
        theirs = "%6.2f %%" % (100 * ffmpeg(path) / whole - 100) if shutil.which("ffmpeg") else "none here"
        print("  %-30s %6.2f %% %6.2f %%      %s" % (what, 100 * ts / audio - 100, 100 * packed / audio - 100, theirs))


main()
