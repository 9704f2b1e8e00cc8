#!/usr/bin/env python3
"""Encoders and servers as they are: ffmpeg, raw sockets and a real icecast2 against the segmenter's source port and pull.

Every client has a mount and a rendition of its own; what it sends must come out as as many whole frames as it holds."""
import base64
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SEGMENTER = os.path.join(ROOT, os.environ.get("BUILD", "build"), "segmenter")
AAC = os.path.join(ROOT, "tests/media/aac_lc_44100_stereo_128k.aac")
MP3 = os.path.join(ROOT, "tests/media/mp3_cbr128_44100_js.mp3")
OGG = os.path.join(ROOT, "tests/media/wrong_opus.ogg")
MOUNTS = "put legacy source chunked shout type title busy garbage".split()
PASSWORD = "hackme-{}"
PATIENCE = 30

failed = count = 0


def check(ok, name, *details):
    global failed, count
    count += 1
    failed += not ok
    print(f"{'ok' if ok else 'not ok'} {count} - {name}", flush=True)
    for line in details if not ok else ():
        for part in str(line).splitlines():
            print("#", part)
    return ok


def until(condition, patience=PATIENCE):
    end = time.monotonic() + patience
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    return condition()


def frames_of(adts):
    frames, at = [], 0
    while at < len(adts):
        length = (adts[at + 3] & 3) << 11 | adts[at + 4] << 3 | adts[at + 5] >> 5
        frames.append(adts[at : at + length])
        at += length
    return frames


def free_port(pair=False):
    """A port that nobody has now; of programs that cannot choose one themselves."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


class Segmenter:
    def __init__(self, directory, pull_url):
        self.path = os.path.join(directory, "hindcast.ini")
        renditions = MOUNTS + ["pull"]
        text = f"[store]\npath = {directory}/store\nmin_free = 1M\n[station s]\nrenditions = {' '.join(renditions)}\n"
        text += "".join(f"[rendition s/{r}]\n" for r in renditions)
        text += "".join(f"[input s/{m} main]\ntype = icecast-source\nmount = /{m}\npassword = {PASSWORD.format(m)}\n"
                        for m in MOUNTS)
        text += f"[input s/pull main]\ntype = icecast-pull\nurl = {pull_url}\n"
        text += "[icecast-listener]\nlisten = 127.0.0.1:0\nhead_timeout = 2s\n[segmenter]\nmetrics = 127.0.0.1:0\n"
        os.mkdir(os.path.join(directory, "store"))
        with open(self.path, "w") as f:
            f.write(text)
        os.chmod(self.path, 0o600)
        self.log_path = os.path.join(directory, "segmenter.log")
        self.run = subprocess.Popen([SEGMENTER, "-c", self.path], stderr=open(self.log_path, "wb"))
        until(lambda: " ready" in self.log() or self.run.poll() is not None)
        ports = dict((s, int(p)) for p, s in re.findall(r"address=127\.0\.0\.1:(\d+) service=(\w+)", self.log()))
        self.port, self.shoutcast = ports.get("icecast"), ports.get("shoutcast")
        found = re.search(r"service=metrics.*port=(\d+)", self.log())
        self.metrics_port = int(found.group(1)) if found else ports.get("metrics")

    def log(self):
        with open(self.log_path, errors="replace") as f:
            return f.read()

    def metric(self, name, rendition=""):
        url = f"http://127.0.0.1:{self.metrics_port}/metrics"
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5) as r:
            text = r.read().decode()
        total = 0.0
        for line in text.splitlines():
            if line.startswith(name) and line[len(name)] in "{ " and (
                    not rendition or f'"{rendition}"' in line or f'"s/{rendition}"' in line):
                total += float(line.rsplit(" ", 1)[1])
        return total

    def frames(self, rendition):
        return self.metric("hindcast_input_frames_total", rendition)

    def stop(self):
        self.run.send_signal(signal.SIGTERM)
        try:
            return self.run.wait(15)
        except subprocess.TimeoutExpired:
            self.run.kill()
            return None


def login(mount, password=None):
    token = f"source:{password or PASSWORD.format(mount)}".encode()
    return "Authorization: Basic " + base64.b64encode(token).decode() + "\r\n"


def talk(port, data, patience=10):
    """Send, then read to the end."""
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.settimeout(patience)
        got = b""
        try:
            s.sendall(data if isinstance(data, bytes) else data.encode())
            while True:
                more = s.recv(4096)
                if not more:
                    return got
                got += more
        except OSError as e:
            return got + f" <{e}>".encode()


def source(port, head, answer):
    """A connection whose head is answered so, or None."""
    s = socket.create_connection(("127.0.0.1", port))
    s.settimeout(10)
    s.sendall(head.encode())
    got = b""
    while len(got) < len(answer):
        more = s.recv(len(answer) - len(got))
        if not more:
            break
        got += more
    if got != answer.encode():
        print("#", head.splitlines()[0], "got", got)
        s.close()
        return None
    return s


def pace(send, frames, seconds=6):
    """A burst of two seconds, the rest as time passes: 44.1 kHz, 1024 samples a frame."""
    begin = time.monotonic()
    upto = min(len(frames), int(seconds * 44100 / 1024))
    for i in range(upto):
        wait = begin + i * 1024 / 44100 - 2 - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        send(frames[i])
    return upto


def ffmpeg(*arguments):
    return subprocess.run(["ffmpeg", "-hide_banner", "-v", "error", "-nostdin", "-re", *arguments],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)


def test_ffmpeg(seg):
    def one(mount, *options):
        url = f"icecast://source:{PASSWORD.format(mount)}@127.0.0.1:{seg.port}/{mount}"
        return ffmpeg("-i", AAC, "-t", "5", "-c", "copy", *options, "-content_type", "audio/aac", "-f", "adts", url)

    results = {}
    threads = [threading.Thread(target=lambda m=m, o=o: results.update({m: one(m, *o)}))
               for m, o in (("put", ()), ("legacy", ("-legacy_icecast", "1")))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for mount, how in (("put", "PUT with Expect"), ("legacy", "SOURCE")):
        ok = until(lambda m=mount: seg.frames(m) >= 215, 10)
        check(ok and seg.frames(mount) <= 217 and results[mount].returncode == 0, f"ffmpeg sends by {how}",
              f"frames {seg.frames(mount)}", results[mount].stdout.decode())


def test_raw(seg):
    with open(AAC, "rb") as f:
        frames = frames_of(f.read())
    welcome = "HTTP/1.0 200 OK\r\n\r\n"
    s = source(seg.port, "SOURCE /source ICE/1.0\r\n" + login("source") + "Content-Type: audio/aac\r\n\r\n", welcome)
    c = source(seg.port, "PUT /chunked HTTP/1.1\r\nHost: x\r\n" + login("chunked") +
               "Content-Type: audio/aac\r\nTransfer-Encoding: chunked\r\n\r\n", welcome)
    sc = source(seg.shoutcast, PASSWORD.format("shout") + "\r\n", "OK2\r\nicy-caps:11\r\n\r\n")
    if not check(s and c and sc, "SOURCE over ICE/1.0, chunked PUT and Shoutcast v1 are welcome", seg.log()):
        return
    sc.sendall(b"icy-name:Fip\r\nicy-genre:x\r\nicy-pub:0\r\nicy-br:128\r\ncontent-type:audio/aacp\r\n\r\n")

    def send(frame):
        s.sendall(frame)
        sc.sendall(frame)
        # chunk borders that do not know of frames
        for part in (frame[:100], frame[100:]):
            if part:
                c.sendall(b"%x\r\n" % len(part) + part + b"\r\n")

    sent = pace(send, frames)
    c.sendall(b"0\r\n\r\n")
    for sock in (s, c, sc):
        sock.close()
    for mount in ("source", "chunked", "shout"):
        until(lambda m=mount: seg.frames(m) >= sent, 10)
        check(seg.frames(mount) == sent, f"every frame of /{mount} arrives", f"{seg.frames(mount)} of {sent}")
        check(seg.metric("hindcast_input_bytes_skipped_total", mount) == 0, f"nothing between the frames of /{mount}")


def test_refusals(seg):
    aac = "Content-Type: audio/aac\r\n"
    bad = talk(seg.port, "PUT /type HTTP/1.1\r\n" + login("type", "wrong") + aac + "\r\n")
    check(bad.startswith(b"HTTP/1.0 401 ") and bad.endswith(b"You need to authenticate\r\n"), "wrong password: 401", bad)
    bad = talk(seg.port, "PUT /nowhere HTTP/1.1\r\n" + login("type") + aac + "\r\n")
    check(bad.startswith(b"HTTP/1.0 404 "), "no such mount: 404", bad)
    bad = talk(seg.port, "PUT /type HTTP/1.1\r\n" + login("type") + "\r\n")
    check(bad.startswith(b"HTTP/1.0 403 ") and bad.endswith(b"No Content-type given"), "PUT without type: 403", bad)
    bad = talk(seg.port, "PUT /type HTTP/1.1\r\n" + login("type") + "Content-Type: audio/ogg\r\n\r\n")
    check(bad.startswith(b"HTTP/1.0 403 ") and bad.endswith(b"Content-type not supported"), "wrong type: 403", bad)
    bad = talk(seg.shoutcast, b"wrong\r\n")
    check(bad == b"invalid password\r\n", "Shoutcast: wrong password", bad)
    run = ffmpeg("-i", AAC, "-t", "1", "-c", "copy", "-f", "adts",
                 f"icecast://source:wrong@127.0.0.1:{seg.port}/type")
    check(run.returncode != 0 and b"401" in run.stdout, "ffmpeg tells its user of the wrong password", run.stdout.decode())
    check("hackme" not in seg.log() and "wrong@" not in seg.log(), "no credential in the log")


def test_wrong_stream(seg):
    """Ogg under the name of AAC: the connection is closed, and the log says what it is."""
    with open(OGG, "rb") as f:
        ogg = f.read()
    talk(seg.port, ("PUT /type HTTP/1.1\r\n" + login("type") + "Content-Type: audio/aac\r\n\r\n").encode() + ogg * 20, 20)
    ok = until(lambda: "Ogg" in seg.log(), 15)
    check(ok, "a stream that is no AAC is refused and named", seg.log()[-2000:])


def test_busy_and_titles(seg):
    aac = "Content-Type: audio/aac\r\n"
    s = source(seg.port, "SOURCE /busy ICE/1.0\r\n" + login("busy") + aac + "\r\n", "HTTP/1.0 200 OK\r\n\r\n")
    second = talk(seg.port, "SOURCE /busy ICE/1.0\r\n" + login("busy") + aac + "\r\n")
    check(s and second.startswith(b"HTTP/1.0 403 Forbidden\r\n") and second.endswith(b"Mountpoint in use"),
          "mount busy: 403", second)
    get = "GET /admin/metadata?mount=/busy&mode=updinfo&song=A+-+B%C3%A9 HTTP/1.0\r\n" + login("busy") + "\r\n"
    answer = talk(seg.port, get)
    check(answer.startswith(b"HTTP/1.0 200 OK\r\n") and answer.endswith(
        b'<?xml version="1.0"?>\n<iceresponse><message>Metadata update successful</message><return>1</return>'
        b"</iceresponse>\n"), "a title by /admin/metadata", answer)
    answer = talk(seg.port, f"GET /admin.cgi?pass={PASSWORD.format('busy')}&mode=updinfo&song=x HTTP/1.0\r\n\r\n")
    check(b"Metadata update successful" in answer, "a title by /admin.cgi", answer)
    check(seg.metric("hindcast_input_titles_total", "busy") == 2, "titles are counted")
    if s:
        s.close()


def test_garbage(seg):
    rng = random.Random(1)
    heads = [b"PUT /garbage HTTP/1.1\r\n", b"SOURCE /garbage ICE/1.0\r\nAuthorization: Basic !!\r\n\r\n", b"GET ", b"\r\n\r\n"]
    for i in range(1000):
        try:
            with socket.create_connection(("127.0.0.1", seg.shoutcast if i % 4 == 0 else seg.port)) as s:
                s.settimeout(5)
                s.sendall(rng.choice(heads) * (i % 3) + rng.randbytes(rng.randrange(1, 3000)))
                if i % 10 == 0:
                    s.recv(100)
        except OSError:
            pass
    check(seg.run.poll() is None, "1000 random heads do not end it")
    lines = seg.log().count("no request peer=")
    check(0 < lines < 500, "and do not flood the log", f"{lines} lines")
    begin = time.monotonic()
    answer = talk(seg.port, "PUT /garbage HTTP/1.1\r\nHost: x\r\n", 10)
    check(answer.startswith(b"HTTP/1.0 408 ") and 1.5 < time.monotonic() - begin < 6, "a slow head: 408 in time", answer)
    s = source(seg.port, "PUT /garbage HTTP/1.1\r\n" + login("garbage") + "Content-Type: audio/mpeg\r\n\r\n",
               "HTTP/1.0 200 OK\r\n\r\n")
    check(s, "an encoder is welcome after it")
    if s:
        with open(MP3, "rb") as f:
            s.sendall(f.read()[:200000])
        check(until(lambda: seg.frames("garbage") > 100, 15), "and is heard", seg.log()[-1500:])
        s.close()


class Icecast:
    """A real server; it does not run as root, so it is told whose rights to take."""

    def __init__(self, directory):
        self.dir = os.path.join(directory, "icecast")
        os.mkdir(self.dir)
        self.port = free_port()
        owner = "<changeowner><user>nobody</user><group>nogroup</group></changeowner>" if os.getuid() == 0 else ""
        if os.getuid() == 0:
            os.chmod(directory, 0o711)
            shutil.chown(self.dir, "nobody", "nogroup")
        with open(os.path.join(self.dir, "icecast.xml"), "w") as f:
            f.write(f"""<icecast><limits><burst-on-connect>1</burst-on-connect><burst-size>65535</burst-size></limits>
<authentication><source-password>up</source-password><admin-user>a</admin-user><admin-password>a</admin-password>
</authentication><hostname>localhost</hostname>
<listen-socket><port>{self.port}</port><bind-address>127.0.0.1</bind-address></listen-socket>
<paths><basedir>{self.dir}</basedir><logdir>{self.dir}</logdir><webroot>/usr/share/icecast2/web</webroot>
<adminroot>/usr/share/icecast2/admin</adminroot></paths>
<logging><accesslog>access.log</accesslog><errorlog>error.log</errorlog><loglevel>3</loglevel></logging>
<security><chroot>0</chroot>{owner}</security></icecast>""")
        self.run = self.source = None

    def url(self):
        return f"http://127.0.0.1:{self.port}/live.aac"

    def start(self):
        self.run = subprocess.Popen(["icecast2", "-c", os.path.join(self.dir, "icecast.xml")],
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def listens():
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return True
            except OSError:
                return False

        return until(listens, 10)

    def feed(self):
        self.source = subprocess.Popen(
            ["ffmpeg", "-v", "error", "-nostdin", "-re", "-stream_loop", "-1", "-i", AAC, "-c", "copy", "-content_type",
             "audio/aac", "-f", "adts", f"icecast://source:up@127.0.0.1:{self.port}/live.aac"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self):
        for p in (self.source, self.run):
            if p:
                p.kill()
                p.wait()


def test_pull(seg, ice):
    check(until(lambda: "cannot pull" in seg.log(), 15), "a server that is not there is told once, and tried again")
    if not check(ice.start(), "icecast2 runs"):
        return
    ice.feed()
    # its burst is 64 KiB of old audio: with the seconds that it collected before, hundreds of frames at once
    if not check(until(lambda: seg.frames("pull") >= 100, 90), "the pull finds it when it comes", seg.log()[-1500:]):
        return
    begin, frames = time.monotonic(), seg.frames("pull")
    time.sleep(8)  # real time is what is measured here
    rate = (seg.frames("pull") - frames) / (time.monotonic() - begin)
    check(38 < rate < 48, "and takes 43 frames a second from it", f"{rate:.1f}")
    check(seg.metric("hindcast_input_jumps_total", "pull") == 0, "the burst is no jump in time")
    check(seg.metric("hindcast_input_bytes_skipped_total", "pull") < 2000, "joined in the middle: at most one frame skipped")
    connects = seg.metric("hindcast_input_connects_total", "pull")
    ice.run.kill()
    ice.run.wait()
    ice.source.wait()
    check(until(lambda: seg.metric("hindcast_input_disconnects_total", "pull") == connects, 15), "its death is seen")
    frames = seg.frames("pull")
    ice.start()
    ice.feed()
    check(until(lambda: seg.frames("pull") > frames + 40, 90), "and its return", seg.log()[-1500:])


def main():
    directory = tempfile.mkdtemp(prefix="hindcast-icecast-")
    ice = Icecast(directory)
    seg = Segmenter(directory, ice.url())
    try:
        if not check(seg.port and seg.shoutcast == seg.port + 1, "it listens on a port and the one after it", seg.log()):
            return 1
        for test in (test_ffmpeg, test_raw, test_refusals, test_wrong_stream, test_busy_and_titles, test_garbage):
            test(seg)
        test_pull(seg, ice)
        check(seg.stop() == 0, "it ends cleanly", seg.log()[-1500:])
    finally:
        if seg.run.poll() is None:
            seg.run.kill()
        ice.stop()
        if failed and os.environ.get("KEEP"):
            print("#", directory)
        else:
            shutil.rmtree(directory, ignore_errors=True)
    print(f"1..{count}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
