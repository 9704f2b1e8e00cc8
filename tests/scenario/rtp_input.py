#!/usr/bin/env python3
"""Third parties' RTP: what ffmpeg and GStreamer send comes out frame by frame; two paths, losses, time, and what is refused."""
import os
import re
import socket
import subprocess
import threading
import time

from exchanging import entries_of, frames_heard, start, stored
from failing import MEDIA, finish, later, main, metric, ok, until, verify, write
from hindcast import Media

AAC, MP3 = "aac_lc_44100_stereo_128k.aac", "mp3_cbr128_44100_js.mp3"
T = 2


def free_port():
    """An even port, free as is the one after it."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as a:
            a.bind(("127.0.0.1", 0))
            port = a.getsockname()[1]
            if port % 2 == 0:
                return port


def ini(store, sdp, more=""):
    return (f"[store]\npath = {store}\nmin_free = 0\n[segmenter]\nmetrics = 127.0.0.1:0\n[station s]\nsegment = {T}\n"
            f"window = 12\nrenditions = a\n[rendition s/a]\n[input s/a main]\ntype = rtp\nsdp = {sdp}\ntimeout = 2s\n{more}")


def run(command, **how):
    p = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **how)
    later(lambda: (p.kill(), p.wait(), p.stderr.close()))
    return p


def aac_sdp(port, rtcp=None):
    return (f"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 96\r\n"
            + (f"a=rtcp:{rtcp}\r\n" if rtcp else "") +
            "a=rtpmap:96 mpeg4-generic/44100/2\r\n"
            "a=fmtp:96 streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config=1210\r\n")


def mp3_sdp(port, clock=90000):
    return (f"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 14\r\n"
            f"a=rtpmap:14 MPA/{clock}\r\n")


def differs(store, sent):
    """The first frame heard that is not the next one sent; None when all are."""
    heard = frames_heard(store)
    if not heard:
        return "nothing heard"
    best = 0
    for at in (i for i, f in enumerate(sent) if f == heard[0]):
        n = 0
        while n < len(heard) and heard[n] == sent[(at + n) % len(sent)]:
            n += 1
        if n == len(heard):
            return None
        best = max(best, n)
    return f"frame {best} of {len(heard)}"


def sender(folder, name, media, sdp, command, by_sender):
    """A sender's frames come out as they are in the file."""
    store = os.path.join(folder, "store")
    s = start(folder, "segmenter", ini(store, write(folder, "in.sdp", sdp)))
    p = run(command)
    s.wait("run begins")
    stored(store, 3)
    sent = [f[2] for f in Media(media).frames]
    fill = [e.facts["fill"] for e in entries_of(store) if not e.gap and e.facts.get("fill", "0") != "0"]
    wrong = differs(store, sent)
    ok(wrong is None and not fill, f"{name}: frame by frame", wrong, fill, s.tail())
    ok(metric(s, "rtp_lost_total") == 0 and metric(s, "rtp_by_arrival") == (not by_sender) and metric(s, "rtp_up") == 1,
       f"{name}: stamped by {'the sender' if by_sender else 'arrival'}", s.tail())
    p.terminate()
    s.wait("source lost")
    ok(not verify(store), f"{name}: the store is whole")


def test_ffmpeg_aac(folder):
    """ffmpeg, AAC"""
    port, with_config = free_port(), os.path.join(folder, "in.mka")  # of ADTS ffmpeg makes no SDP: it wants the configuration
    subprocess.run(["ffmpeg", "-v", "error", "-i", os.path.join(MEDIA, AAC), "-c", "copy", with_config], check=True,
                   stdin=subprocess.DEVNULL)
    sender(folder, "ffmpeg AAC", AAC, aac_sdp(port),
           ["ffmpeg", "-v", "error", "-re", "-stream_loop", "-1", "-i", with_config, "-c", "copy", "-f", "rtp",
            "-payload_type", "96", f"rtp://127.0.0.1:{port}?rtcpport={port + 1}"], True)


def test_ffmpeg_mp3(folder):
    """ffmpeg, MP3"""
    port = free_port()
    sender(folder, "ffmpeg MP3", MP3, mp3_sdp(port),
           ["ffmpeg", "-v", "error", "-re", "-stream_loop", "-1", "-i", os.path.join(MEDIA, MP3), "-c", "copy", "-f", "rtp",
            "-payload_type", "14", f"rtp://127.0.0.1:{port}"], True)


def test_gstreamer_aac(folder):
    """GStreamer, AAC"""
    port = free_port()
    sender(folder, "GStreamer AAC", AAC, aac_sdp(port),
           ["gst-launch-1.0", "-q", "filesrc", f"location={os.path.join(MEDIA, AAC)}", "!", "aacparse", "!",
            "rtpmp4gpay", "pt=96", "!", "udpsink", "host=127.0.0.1", f"port={port}", "sync=true"], False)


def test_gstreamer_mp3(folder):
    """GStreamer, MP3"""
    port = free_port()
    sender(folder, "GStreamer MP3", MP3, mp3_sdp(port),
           ["gst-launch-1.0", "-q", "filesrc", f"location={os.path.join(MEDIA, MP3)}", "!", "mpegaudioparse", "!",
            "rtpmpapay", "!", "udpsink", "host=127.0.0.1", f"port={port}", "sync=true"], False)


class Sender:
    """Packets of our own: AAC, one frame each, from any sequence number and SSRC on, to several ports."""

    def __init__(self, ports, ssrc=0x1234, sequence=65300, timestamp=2**32 - 44100):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.frames = [f[2][7:] for f in Media(AAC).frames]
        self.ports, self.ssrc, self.sequence, self.timestamp, self.next = ports, ssrc, sequence, timestamp, 0
        self.lose = [set() for _ in ports]
        self.going = True
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        due = time.monotonic()
        while self.going:
            data = self.frames[self.next % len(self.frames)]
            packet = (bytes([0x80, 0x80 | 96]) + (self.sequence & 0xFFFF).to_bytes(2, "big") +
                      (self.timestamp & 0xFFFFFFFF).to_bytes(4, "big") + self.ssrc.to_bytes(4, "big") +
                      b"\0\x10" + (len(data) << 3).to_bytes(2, "big") + data)
            for lose, port in zip(self.lose, self.ports):
                if self.next not in lose:
                    self.socket.sendto(packet, ("127.0.0.1", port))
            self.next += 1
            self.sequence += 1
            self.timestamp += 1024
            due += 1024 / 44100
            time.sleep(max(0, due - time.monotonic()))

    def stop(self):
        self.going = False
        self.thread.join()
        self.socket.close()


def test_two_paths(folder):
    """Two SDP files are two paths of one SSRC: what either brings is heard, over wraps; what neither brings is filled"""
    ports = free_port(), free_port()
    store = os.path.join(folder, "store")
    files = " ".join(write(folder, f"{n}.sdp", aac_sdp(port)) for n, port in enumerate(ports))
    s = start(folder, "segmenter", ini(store, files))
    sender = Sender(ports)
    later(sender.stop)
    sender.lose[0] = {i for i in range(1000) if i % 7 == 3} | {260}
    sender.lose[1] = {i for i in range(1000) if i % 5 == 1 and i % 7 != 3} | {260}
    stored(store, 5)
    sent = [f[2] for f in Media(AAC).frames]
    heard = frames_heard(store)
    first = sent.index(heard[0])
    wrong = [i for i, f in enumerate(heard) if f != sent[(first + i) % len(sent)]]
    ok(wrong == [260 - first], test_two_paths.__doc__, wrong[:10], first, s.tail())
    ok(metric(s, "rtp_copies_total") > 50 and metric(s, "rtp_lost_total") == 1 and metric(s, "rtp_runs_total") == 1,
       "... and counted", s.tail())


def test_new_source(folder):
    """Another SSRC begins a new run; packets of a stranger beside the source are left out"""
    port = free_port()
    store = os.path.join(folder, "store")
    s = start(folder, "segmenter", ini(store, write(folder, "in.sdp", aac_sdp(port))))
    one = Sender([port])
    later(one.stop)
    s.wait("run begins")
    stranger = Sender([port], ssrc=0x99)
    until("a stranger", lambda: metric(s, "rtp_strangers_total") > 20)
    stranger.stop()
    one.stop()
    since = s.mark()
    two = Sender([port], ssrc=0x5678)
    later(two.stop)
    s.wait("run begins", since)
    stored(store, 4)
    ok(metric(s, "rtp_sources_total") == 2 and metric(s, "rtp_runs_total") == 2 and not verify(store), test_new_source.__doc__,
       s.tail())


def test_refused(folder):
    """LATM, and what is no description of audio that we take, is refused at the start, with a reason"""
    latm = ("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 5004 RTP/AVP 96\r\n"
            "a=rtpmap:96 MP4A-LATM/44100/2\r\na=fmtp:96 cpresent=0;config=400024203fc0\r\n")
    for name, sdp, says in (("LATM", latm, r"(?i)latm"), ("not SDP", "hello\n", r"sdp: "), ("no file", None, r"No such file")):
        path = write(folder, "x.sdp", sdp) if sdp else os.path.join(folder, "none.sdp")
        code, _, err = finish("segmenter", "-c", write(folder, "x.ini", ini(os.path.join(folder, "store"), path)))
        ok(code != 0 and re.search(says, err), f"{name} is refused with a reason", err)


if __name__ == "__main__":
    main(test_ffmpeg_aac, test_ffmpeg_mp3, test_gstreamer_aac, test_gstreamer_mp3, test_two_paths, test_new_source, test_refused,
         at_once=True)
