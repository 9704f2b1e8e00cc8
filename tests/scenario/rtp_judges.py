#!/usr/bin/env python3
"""RTP as others read it: ffmpeg and GStreamer must play what is sent frame by frame, from the session description that is
written, and tshark must dissect the packets and their header elements.

Packs test media with the tool tests/tools/rtpsend.c and sends them to a port on loopback at real pace. Prints TAP."""
import concurrent.futures
import os
import re
import socket
import struct
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MEDIA = os.path.join(ROOT, "tests", "media")
sys.path.insert(0, MEDIA)
import reference  # noqa: E402

RTPSEND = os.path.join(ROOT, os.environ.get("BUILD", "build"), "tools", "rtpsend")
START_NS = 1795334464123456789  # rtpsend's
FRAMES = 120  # that a judge is asked for: more are sent, so that it waits for none of the last

# file, or what ffmpeg makes it from; samples a frame, rate of the header
CASES = [
    ("aac_lc_44100_stereo_128k.aac", 1024, 44100),
    ("aac_lc_44100_mono_48k.aac", 1024, 44100),
    ("heaac_v1_44100_stereo_48k.aac", 1024, 22050),
    ("mp3_cbr192_48000_stereo.mp3", 1152, 48000),
    ("mp3_mpeg2_cbr64_22050.mp3", 576, 22050),
    # frames that are larger than a packet
    ("fragments_48000_51_900k.aac", 1024, 48000),
    ("fragments_32000_320k.mp3", 1152, 32000),
]
MADE = {
    "fragments_48000_51_900k.aac": ["aevalsrc=random(0)-.5|random(1)-.5|random(2)-.5|random(3)-.5|random(4)-.5|random(5)-.5"
                                    ":c=5.1:s=48000:d=8", "-c:a", "aac", "-b:a", "900k"],
    "fragments_32000_320k.mp3": ["anoisesrc=d=8:r=32000:a=0.5:seed=1", "-ac", "2", "-c:a", "libmp3lame", "-b:a", "320k",
                                 "-write_xing", "0", "-id3v2_version", "0"],
}
results = []


def ok(good, name, why=""):
    results.append(bool(good))
    print(f"{'ok' if good else 'not ok'} {len(results)} - {name}", flush=True)
    for line in str(why).strip().splitlines()[:10] if not good else []:
        print(f"# {line}")


def frames(data):
    """AAC access units, or layer III frames, of a stream; without Xing and Info."""
    at, out = 0, []
    while at < len(data):
        found = reference.cut_adts(data, at) or reference.cut_mp3(data, at)
        if found:
            at = found[0]
            out += found[3]
        else:
            at += 1
    bare = [f[7:] if f[1] & 6 == 0 else f for f in out]
    return [f for f in bare if b"Xing" not in f[:60] and b"Info" not in f[:60]]


def media(case, folder):
    name = case[0]
    path = os.path.join(folder if name in MADE else MEDIA, name)
    if name in MADE:
        subprocess.run(["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", *MADE[name], path],
                       check=True, stdin=subprocess.DEVNULL)
    with open(path, "rb") as f:
        return path, frames(f.read())


# ---- players

def free_port():
    """An even port on loopback with the next one free too, as RTP and RTCP want it."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as a, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as b:
            a.bind(("127.0.0.1", 0))
            port = a.getsockname()[1]
            try:
                b.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            if port % 2 == 0:
                return port


def listens(port, process):
    """Wait until somebody has bound the port, or the process that should has ended."""
    wanted = f":{port:04X} "
    while process.poll() is None:
        with open("/proc/net/udp") as f, open("/proc/net/udp6") as g:
            if wanted in f.read() + g.read():
                return True
        time.sleep(0.05)
    return False


def ffmpeg(sdp, out):
    kind = "mp3" if out.endswith(".mp3") else "adts"
    extra = ["-write_xing", "0", "-id3v2_version", "0"] if kind == "mp3" else []
    return ["ffmpeg", "-v", "error", "-y", "-protocol_whitelist", "file,udp,rtp", "-i", sdp, "-map", "0:a", "-c", "copy",
            "-frames:a", str(FRAMES), "-f", kind, *extra, out]


def gstreamer(sdp, out):
    chain = ["rtpmpadepay", "!", "mpegaudioparse"] if out.endswith(".mp3") else [
        "rtpmp4gdepay", "!", "aacparse", "!", "audio/mpeg,stream-format=adts"]
    return ["gst-launch-1.0", "-q", "filesrc", f"location={sdp}", "!", "sdpdemux", "!", *chain, "!",
            "identity", f"eos-after={FRAMES + 1}", "!", "filesink", f"location={out}"]


def plays(judge, case, path, folder):
    """What the judge wrote of the frames that were sent to it, and what it said."""
    port = free_port()
    sdp = os.path.join(folder, f"{judge.__name__}-{case[0]}.sdp")
    out = os.path.join(folder, f"{judge.__name__}-{case[0]}")
    subprocess.run([RTPSEND, path, "-", "-n", "1", "-s", sdp], check=True, capture_output=True)
    with open(sdp) as f:
        text = f.read()
    with open(sdp, "w") as f:
        f.write(re.sub("m=audio \\d+", f"m=audio {port}", text))
    with open(out + ".log", "w+") as log:
        process = subprocess.Popen(judge(sdp, out), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        sender = None
        try:
            if listens(port, process):
                # behind the last frame the parsers' and buffers' share; at real pace
                sender = subprocess.Popen([RTPSEND, path, f"127.0.0.1:{port}", "-n", str(FRAMES + 60)],
                                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            process.wait(120)
        except subprocess.TimeoutExpired:
            pass
        finally:
            for p in (process, sender):
                if p and p.poll() is None:
                    p.kill()
                if p:
                    p.wait()
        log.seek(0)
        said = log.read()
    if not os.path.exists(out):
        return [], said
    with open(out, "rb") as f:
        return frames(f.read()), said


# ---- tshark

def pcap(packets, path):
    """Packets as they would be captured on IPv4: link type 101, raw IP."""
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        for i, p in enumerate(packets):
            udp = struct.pack(">HHHH", 5004, 5004, 8 + len(p), 0) + p
            head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), i & 0xFFFF, 0, 64, 17, 0, b"\x7f\0\0\1", b"\x7f\0\0\1")
            total = sum(struct.unpack(">10H", head))
            total = (total & 0xFFFF) + (total >> 16)
            head = head[:10] + struct.pack(">H", ~(total + (total >> 16)) & 0xFFFF) + head[12:]
            f.write(struct.pack("<IIII", i, 0, 20 + len(udp), 20 + len(udp)) + head + udp)


def dissect(path, folder):
    """The packets of a file, as tshark reads each: a dict of its fields; and what it found wrong."""
    framed = subprocess.run([RTPSEND, path, "-", "-n", str(FRAMES)], check=True, capture_output=True).stdout
    packets, at = [], 0
    while at < len(framed):
        n = struct.unpack_from(">H", framed, at)[0]
        packets.append(framed[at + 2:at + 2 + n])
        at += 2 + n
    capture = os.path.join(folder, os.path.basename(path) + ".pcap")
    pcap(packets, capture)
    names = ["rtp.version", "rtp.ext", "rtp.cc", "rtp.padding", "rtp.marker", "rtp.p_type", "rtp.seq", "rtp.timestamp",
             "rtp.ssrc", "rtp.ext.profile", "rtp.ext.rfc5285.id", "rtp.ext.rfc5285.len", "rtp.ext.rfc5285.data", "rtp.payload",
             "udp.length"]
    tshark = ["tshark", "-r", capture, "-d", "udp.port==5004,rtp", "-o", "rtp.desegment_rtp_streams:FALSE"]
    read = subprocess.run(tshark + ["-T", "fields", "-E", "occurrence=a", *[a for n in names for a in ("-e", n)]],
                          capture_output=True, text=True, check=True)
    bad = subprocess.run(tshark + ["-Y", "_ws.malformed || _ws.expert.severity >= 6291456", "-T", "fields", "-e", "frame.number",
                                   "-e", "_ws.expert.message"], capture_output=True, text=True, check=True)
    return [dict(zip(names, line.split("\t"))) for line in read.stdout.splitlines()], bad.stdout


def elements(packet):
    ids, data = (packet[f"rtp.ext.rfc5285.{n}"].split(",") for n in ("id", "data"))
    return {int(i): bytes.fromhex(d) for i, d in zip(ids, data)}


def on(value):
    return value in ("1", "True", "true")


def test_tshark(case, path, sent):
    packets, faults = dissect(path, folder)
    ok(packets and not faults.strip(), f"{case[0]}: tshark finds no fault in {len(packets)} packets", faults)
    aac = case[0].endswith(".aac")
    clock = case[2] if aac else 90000
    first = int(packets[0]["rtp.seq"]), int(packets[0]["rtp.timestamp"])
    wrong, taken, introduced = [], b"", 0
    for i, p in enumerate(packets):
        e = elements(p)
        number, sample = struct.unpack(">QQ", e[2][:16])
        ticks = (sample * clock * 2 + case[2]) // (2 * case[2])
        seconds, fraction = struct.unpack(">II", e[1])
        ns = (seconds - 2208988800) * 10**9 + (fraction * 10**9 + 2**31 >> 32)
        good = {
            "version": (p["rtp.version"], p["rtp.cc"], on(p["rtp.ext"]), on(p["rtp.padding"])) == ("2", "0", True, False),
            "type": int(p["rtp.p_type"]) == (96 if aac else 14),
            "profile": int(p["rtp.ext.profile"], 0) == 0x1000,
            "sequence": int(p["rtp.seq"]) == (first[0] + i) % 65536,
            "timestamp": int(p["rtp.timestamp"]) == (first[1] + ticks) % 2**32,
            "ssrc": p["rtp.ssrc"] == packets[0]["rtp.ssrc"],
            "number": number == i,
            "wall": abs(ns - START_NS - sample * 10**9 / case[2]) <= 1,
            "size": int(p["udp.length"]) + 40 + 16 <= 1400,
            "marker": aac or on(p["rtp.marker"]) == (i == 0),
        }
        if 5 in e:
            introduced += 1
            good["introduction"] = (e[3], e[4], e[5], e[7]) == (b"test.file", b"main", b"*" * 16, b"Artist - Title")
        wrong += [f"packet {i}: {k}: {p}" for k, v in good.items() if not v]
        payload = bytes.fromhex(p["rtp.payload"].replace(":", ""))
        taken += payload[2 + struct.unpack(">H", payload[:2])[0] // 8:] if aac else payload[4:]
    ok(not wrong, f"{case[0]}: sequence, timestamp, wall time and elements are right", "\n".join(wrong))
    ok(taken == b"".join(sent[:FRAMES]), f"{case[0]}: the payloads are the file's frames")
    seconds = FRAMES * case[1] / case[2]
    ok(abs(introduced - 2 * seconds) <= 3, f"{case[0]}: the run is introduced every half second", introduced)
    if "fragments" in case[0]:
        ok(len(packets) > FRAMES, f"{case[0]}: frames are in fragments", len(packets))


def main():
    files = {c[0]: media(c, folder) for c in CASES}
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        jobs = {(c, j): pool.submit(plays, j, c, files[c[0]][0], folder) for c in CASES for j in (ffmpeg, gstreamer)}
        for (case, judge), job in jobs.items():
            got, said = job.result()
            sent = files[case[0]][1][:FRAMES]
            ok(got[:FRAMES] == sent, f"{case[0]}: {judge.__name__} plays the {FRAMES} frames that were sent",
               f"{len(got)} frames, {sum(a == b for a, b in zip(got, sent))} the same\n{said}")
    for case in CASES:
        test_tshark(case, *files[case[0]])


with tempfile.TemporaryDirectory(prefix="rtp-judges-") as folder:
    main()
print(f"1..{len(results)}")
sys.exit(0 if results and all(results) else 1)
