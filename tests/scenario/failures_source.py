#!/usr/bin/env python3
"""Sources that fail: wrong ones are told so, dead ones are given up, and the live list never stalls meanwhile."""
import concurrent.futures
import glob
import os
import re
import socket
import struct
import time

from failing import (AAC, ENCODER, FRAMES, LOOP, MEDIA, STATION, T, Encoder, Observer, config, get, login, main, metric, ok,
                     origin, segmenter, until, verify)

STALL = 3 * T  # from here on an origin would call the list stale
GARBAGE = [
    b"", b"\n", b"\0" * 3000, b"\xff\xf1\x50\x80" * 1000, os.urandom(20000), b"GET", b"GET / HTTP/9.9\r\n\r\n",
    b"GET " + b"/" * 20000 + b" HTTP/1.1\r\n\r\n", b"PUT /a HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
    b"SOURCE /a\r\n\r\n", b"PUT /a HTTP/1.1\r\nAuthorization: Basic !!!!\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", b"PUT /a HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    b"hackme", b"\r\n\r\n\r\n\r\n", b"* \r\n" * 3000,
]


def throw(port, data):
    """Send bytes to a port and read what comes until it closes or falls silent; reset it half of the time."""
    with socket.create_connection(("127.0.0.1", port), 5) as s:
        s.settimeout(0.3)
        answer = b""
        try:
            s.sendall(data)
            while more := s.recv(65536):
                answer += more
        except OSError:
            pass
        if len(data) % 2:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return answer


def observed(store):
    until("a live list", lambda: os.path.exists(os.path.join(store, "s/a/index.m3u8")))
    return Observer(store)


def audio_of(folder, text=None):
    """The audio frames of all stored segments, joined: payload of the PES packets (ISO 13818-1 2.4.3.6)."""
    audio = b""
    for path in sorted(glob.glob(folder + "/2*/*.ts")):
        with open(path, "rb") as f:
            data = f.read()
        for at in range(0, len(data), 188):
            packet = data[at:at + 188]
            if (packet[1] & 0x1F) << 8 | packet[2] != 0x100 or not packet[3] & 0x10:
                continue
            payload = packet[5 + packet[4]:] if packet[3] & 0x20 else packet[4:]
            audio += payload[9 + payload[8]:] if packet[1] & 0x40 else payload
    return audio


def split(audio):
    at, frames = 0, []
    while at < len(audio):
        length = (audio[at + 3] & 3) << 11 | audio[at + 4] << 3 | audio[at + 5] >> 5
        frames.append(audio[at:at + length])
        at += length
    return frames


def test_login(folder):
    """Who may not send is told so, and counted"""
    s = segmenter(folder, config(folder + "/store", ENCODER))
    port = s.ports["icecast"]
    for name, answer, logged, how in (
            ("a wrong password", "401", "wrong user or password", {"password": "hackyou"}),
            ("a mount that is none", "404", "no input has this mount", {"mount": "/b"}),
            ("a type that is known to be another", "403", "something else than AAC .ADTS. or MP3", {"content_type": "audio/ogg"}),
            ("PUT without a type", "403", "PUT without Content-Type", {"content_type": ""}),
            ("a wrong password in SOURCE", "401", "wrong user or password", {"method": "SOURCE", "password": ""})):
        since = s.mark()
        connection, line = login(port, **how)
        connection.close()
        s.wait("request refused.*" + logged, since)
        ok(answer in line, f"{name}: {answer}", line)
    ok(metric(s, "input_refused_logins_total") == 4 and metric(s, "listener_refused_total") == 5, "all of them are counted")
    since = s.mark()
    ok(throw(s.ports["shoutcast"], b"hackyou\r\n") == b"invalid password\r\n" and s.wait("login refused.*service=shoutcast", since),
       "a wrong password on the Shoutcast port", s.tail())
    ok(not s.said("hackyou|hackme"), "no password is in the log", s.tail())
    first = Encoder(port)
    s.wait("source connected")
    since = s.mark()
    second, line = login(port)
    second.close()
    ok("403" in line and s.wait("mount in use", since), "a second source on a mount in use: 403", line)
    ok(first.error is None, "the first one goes on")
    first.stop()
    ok(s.end() == 0, "it ends as told", s.tail())


def test_garbage(folder):
    """Garbage on every port harms nobody"""
    store = folder + "/store"
    s = segmenter(folder, config(store, ENCODER))
    o = origin(folder, store)
    e = Encoder(s.ports["icecast"])
    seen = observed(store)
    ports = {**s.ports, "origin": o.port}
    with concurrent.futures.ThreadPoolExecutor(len(ports)) as pool:
        answers = dict(zip(ports, pool.map(lambda port: [throw(port, data) for data in GARBAGE], ports.values())))
    for name, got in answers.items():
        good = [a for a in got if b" 200 " in a.split(b"\r\n")[0]]
        ok(not good, f"garbage on the port of {name} is refused", good)
    ok(metric(s, "listener_bad_heads_total") >= 5, "what is no request is counted",
       get(s.ports["metrics"], "/metrics")[1])
    slow = socket.create_connection(("127.0.0.1", s.ports["icecast"]))
    slow.sendall(b"PUT /a HTTP/1.1\r\n")
    slow.settimeout(10)
    ok(b" 408 " in slow.recv(4096) and metric(s, "listener_timeouts_total") >= 1,
       "a head that does not come to its end is answered 408 and counted", s.tail())
    slow.close()
    seen.wait_beyond(seen.newest + 1)
    ok(e.error is None and metric(s, "output_fill_frames_total") == 0, "the encoder was not disturbed", e.error, s.tail())
    ok(get(o.port, "/s/a/index.m3u8")[0] == 200 and get(s.ports["metrics"], "/healthz") == (200, "ok\n"), "all ports answer")
    e.stop()
    ok(not seen.stop() and seen.stall < STALL, "the live list went on without a fault", seen.faults, seen.stall)
    ok(o.end() == 0 and s.end() == 0 and not verify(store), "both end as told, the store is whole", s.tail(), verify(store))


def test_dead(folder):
    """Sources that stop, in the middle of a frame, or never begin"""
    store = folder + "/store"
    s = segmenter(folder, config(store, ENCODER))
    port = s.ports["icecast"]
    e = Encoder(port)
    seen = observed(store)
    seen.wait_beyond(seen.newest + 1)
    e.going = False
    e.thread.join()
    sent = e.next
    e.socket.sendall(FRAMES[sent][0][:100])
    ok(s.wait(r'source gone input="s/a main" why="?no whole audio frame for 2 s'),
       "a source that stops in the middle of a frame is given up after `timeout`")
    ok(metric(s, "input_timeouts_total") == 1 and metric(s, "input_up") == 0, "and counted")
    ok(closed(e.socket), "its connection is closed")
    until("fill", lambda: metric(s, "output_fill_frames_total") > 0 and metric(s, "output_on_fill") == 1)
    since = s.mark()
    silent, _ = login(port)
    s.wait("source gone.*no whole audio frame", since)
    ok(closed(silent) and metric(s, "input_timeouts_total") == 2, "a source that sends nothing is given up and counted")
    since = s.mark()
    slow, _ = login(port)
    try:
        for byte in FRAMES[0][0][:50]:
            slow.sendall(bytes([byte]))
            if s.said("source gone.*no whole audio frame", since):
                break
            time.sleep(1)
    except OSError:
        pass
    s.wait("source gone.*no whole audio frame", since)
    ok(closed(slow) and metric(s, "input_timeouts_total") == 3, "a source that sends a byte a second is given up and counted")
    until("a gap", lambda: metric(s, "output_gap_segments_total") > 1)
    ok(metric(s, "output_fill_frames_total") * 1024 / 44100 < 4 + 2 * T, "after `fill_limit` the silence becomes a gap")
    until("listed gaps", lambda: len(seen.gaps()) > 1)
    e2 = Encoder(port, sent)
    seen.wait_media_beyond(max(seen.gaps()))
    ok(seen.wait_media_beyond(seen.newest), "the next source brings it back on air", s.tail())
    last = e2.stop()
    ok(not seen.stop() and seen.stall < STALL, "the live list went on without a fault", seen.faults, seen.stall)
    ok(s.end() == 0, "it ends as told", s.tail())
    ok(not verify(store), "the store is whole", verify(store))
    check_frames(store, sent, last)


def closed(connection):
    connection.settimeout(5)
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True
    finally:
        connection.close()


def normalised(frame):
    """As the first receiver makes it: buffer fullness 0x7FF, private, original, home and copyright bits 0."""
    head = bytearray(frame[:7])
    head[2] &= ~0x02
    head[3] &= ~0x3C
    head[5] |= 0x1F
    head[6] |= 0xFC
    return bytes(head) + frame[7:]


def check_frames(store, sent, last):
    """What is stored is a run of the file's frames, silence, and another run: nothing torn, nothing twice."""
    frames = split(audio_of(store + "/s/a"))
    place = {normalised(data): i for i, (data, _) in enumerate(FRAMES)}
    real = [place[f] for f in frames if f in place]
    silence = {f for f in frames if f not in place}
    jumps = [i for i in range(1, len(real)) if real[i] != real[i - 1] + 1]
    ok(len(silence) == 1 and len(next(iter(silence))) < 40, "only frames of the source and of silence are stored",
       sorted(map(len, silence)))
    ok(len(jumps) == 1 and real[jumps[0] - 1] == sent - 1 and real[jumps[0]] >= sent and real[-1] < last,
       "every whole frame of the first source is there, none twice", jumps, real[:3], sent, real[-3:], last)


def test_replaced(folder):
    """A source that leaves and is followed at once by the next: nothing of either is lost"""
    store = folder + "/store"
    s = segmenter(folder, config(store, ENCODER))
    e = Encoder(s.ports["icecast"])
    seen = observed(store)
    seen.wait_beyond(seen.newest + 1)
    sent = e.stop()
    e = Encoder(s.ports["icecast"], sent)
    s.wait("source connected", s.mark() - 1 if s.said("source gone") else 0)
    seen.wait_beyond(seen.newest + 3)
    last = e.stop()
    faults = seen.stop()
    ok(not faults and not seen.gaps() and seen.stall < STALL, "the live list went on without a fault or a gap", faults, seen.stall)
    ok(metric(s, "input_runs_total") == 2 and metric(s, "output_fill_frames_total") * 1024 / 44100 <= T + 1,
       "two runs, and between them no more than a little silence", get(s.ports["metrics"], "/metrics")[1])
    ok(s.end() == 0 and not verify(store), "it ends as told, the store is whole", s.tail(), verify(store))


FOREIGN = [  # file, what must be named
    ("wrong_html.bin", "HTML document"), ("wrong_vorbis.ogg", "Ogg data, Vorbis"), ("wrong_opus.ogg", "Ogg data, Opus"),
    ("wrong_flac.flac", "FLAC audio"), ("wrong_pcm.wav", "WAVE audio"), ("wrong_m4a.m4a", "ISO Media"),
    ("mp2_192k_48000.mp2", "layer (I or )?II"), ("mp3_freeformat160_44100.mp3", "free format"),
    ("aac_lc_latm_44100_stereo_64k.loas", "LATM"), ("wrong_ac3.ac3", "ATSC A/52|AC-3"), ("wrong_random.bin", "no audio frames"),
]
TAKEN = "ADTS|layer III|standard's table"


def test_foreign_file(folder):
    """What is no AAC or MP3, as a file: the message names what it looks like and what would be taken"""
    for part in (FOREIGN[:6], FOREIGN[6:]):  # ten lines of a kind in ten seconds are logged
        text = f"[store]\npath = {folder}/store\nmin_free = 0\n[segmenter]\nmetrics = 127.0.0.1:0\n"
        for name, _ in part:
            at = re.sub(r"\W", "_", name)
            text += STATION.replace("station s", f"station {at}").replace("s/a", f"{at}/a")
            text += f"[input {at}/a main]\ntype = file\npath = {MEDIA}/{name}\n"
        s = segmenter(folder, text)
        for name, want in part:
            at = re.sub(r"\W", "_", name)
            line = s.wait(rf'stream refused input="{at}/a main" why=.*')[0]
            ok(re.search(want, line) and re.search(TAKEN, line), f"file: {name}", line)
        ok(metric(s, "input_refused_total") == len(part), "all of them are counted")
        ok(s.end() == 0, "it ends as told", s.tail())


def test_foreign_source(folder):
    """The same from an encoder's burst, larger than the buffer: it is the beginning that tells"""
    s = segmenter(folder, config(folder + "/store", ENCODER))
    for name, want in FOREIGN[:8]:
        since = s.mark()
        connection, _ = login(s.ports["icecast"])
        with open(os.path.join(MEDIA, name), "rb") as f:
            data = f.read()
        try:
            connection.sendall(data * (1 + 270000 // len(data)))
        except OSError:
            pass
        line = s.wait(r'stream refused input="s/a main" why=.*', since)[0]
        s.wait("source gone", since)
        ok(re.search(want, line) and re.search(TAKEN, line) and closed(connection), f"source: {name}", line)
    ok(metric(s, "input_refused_total") == 8, "all of them are counted")
    ok(s.end() == 0, "it ends as told", s.tail())


def test_foreign_live(folder):
    """One that comes so slowly that it is given up for its age first: what it looks like is said all the same"""
    s = segmenter(folder, config(folder + "/store", ENCODER))
    for name, want in FOREIGN[1:3]:
        since = s.mark()
        connection, _ = login(s.ports["icecast"])
        with open(os.path.join(MEDIA, name), "rb") as f:
            connection.sendall(f.read(40000))
        line = s.wait("source gone.*", since)[0]
        ok(re.search(want, line) and "no whole audio frame for 2 s" in line, f"slow source: {name}", line)
        connection.close()
    ok(s.end() == 0, "it ends as told", s.tail())


def test_silent_sibling(folder):
    """A command that starts and says nothing lies in the past for ever: the station's other rendition stays live"""
    store = folder + "/store"
    station = STATION.replace("renditions = a", "renditions = a b") + "[rendition s/b]\n"
    station += "[input s/b main]\ntype = command\ncommand = exec sleep 1000\nstart = now\ntimeout = 1h\n"
    s = segmenter(folder, config(store, LOOP, station))
    list_path = store + "/s/a/index.m3u8"
    until("a live list", lambda: os.path.exists(list_path))
    begun, seen, stalled = time.monotonic(), time.monotonic(), 0
    last = ""
    while time.monotonic() < begun + 5 * T:
        with open(list_path) as f:
            text = f.read()
        if text != last:
            seen, last = time.monotonic(), text
        stalled = max(stalled, time.monotonic() - seen)
        time.sleep(0.1)
    ok(stalled < STALL and "EXT-X-GAP" not in last, f"the live list goes on, longest stall {stalled:.1f} s", last)
    ok(s.end() == 0, "it ends as told", s.tail())


def test_command_after_restart(folder):
    """A command with `start` brings what was on air while no process was there: none of it becomes a gap"""
    source = f"type = command\ncommand = while cat {AAC}; do :; done\nstart = -20s\n"
    path = folder + "/store/s/a/index.m3u8"
    s = segmenter(folder, config(folder + "/store", source))
    until("a live list", lambda: os.path.exists(path))
    s.end()
    time.sleep(5 * T)
    s = segmenter(folder, config(folder + "/store", source))
    newest = time.strftime("/%Y%m%dT%H%M%SZ.ts", time.gmtime(time.time() // T * T))
    until("the present in the live list", lambda: newest in open(path).read())
    with open(path) as f:
        text = f.read()
    ok("EXT-X-GAP" not in text and "EXT-X-DISCONTINUITY\n" not in text, "no gap and no discontinuity", text)
    ok(s.end() == 0 and verify(folder + "/store") == "", "it ends as told, and the store is sound", s.tail())


if __name__ == "__main__":
    main(test_login, test_garbage, test_dead, test_replaced, test_foreign_file, test_foreign_source, test_foreign_live,
         test_silent_sibling, test_command_after_restart, at_once=True)
