"""A running origin and questions to it, for the scenarios that ask one; ok() and same() print TAP."""
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ORIGIN = (sys.argv[1:] or [os.environ.get("ORIGIN", os.path.join(ROOT, os.environ.get("BUILD", "build"), "origin"))])[0]
results = []
running = []


def ok(good, name, why=""):
    results.append(bool(good))
    print("%sok %d - %s" % ("" if good else "not ", len(results), name), flush=True)
    if not good:
        print("# %s" % str(why)[:600], flush=True)
    return good


def same(got, want, name):
    return ok(got == want, name, "got %r, want %r" % (got, want))


class Origin:
    """A running origin; its log lines are read by a thread."""

    def __init__(self, ini, *addresses, descriptors=None):
        self.ini = ini
        self.lines, self.news = [], threading.Condition()
        limited = ["prlimit", "--nofile=%d" % descriptors] if descriptors else []
        self.process = subprocess.Popen(limited + [ORIGIN, "-c", ini], stderr=subprocess.PIPE, text=True)
        running.append(self)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        self.ports = []
        if self.wait_for(r"listening address=\S+:(\d+)", count=max(1, len(addresses))):
            self.ports = [int(m.group(1)) for m in map(re.compile(r"listening address=\S+:(\d+)").search, self.lines) if m]

    def read(self):
        for line in self.process.stderr:
            with self.news:
                self.lines.append(line)
                self.news.notify_all()
        with self.news:
            self.lines.append("ended\n")
            self.news.notify_all()

    def wait_for(self, pattern, count=1, since=0, seconds=10):
        """Lines that match, once there are `count` of them; None when the process ended or time is up."""
        deadline = time.monotonic() + seconds
        with self.news:
            while True:
                found = [x for x in self.lines[since:] if re.search(pattern, x)]
                if len(found) >= count:
                    return found
                if "ended\n" in self.lines or not self.news.wait(max(0, deadline - time.monotonic())):
                    return None

    @property
    def port(self):
        return self.ports[0]

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            code = self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self.reader.join()
        return code


class Answer:
    def __init__(self, response, body):
        self.status, self.body = response.status, body
        self.fields = {k.lower(): v for k, v in response.getheaders()}

    def __getitem__(self, name):
        return self.fields.get(name.lower())

    def __repr__(self):
        return "%d %r %r" % (self.status, self.fields, self.body[:200])


def ask(port, path, method="GET", body=None, **headers):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        c.putrequest(method, path, skip_host=False, skip_accept_encoding=True)
        for k, v in headers.items():
            c.putheader(k.replace("_", "-"), v)
        if body:
            c.putheader("Content-Length", str(len(body)))
        c.endheaders(body)
        r = c.getresponse()
        return Answer(r, r.read())
    finally:
        c.close()


def raw(port, data, until_close=True, seconds=10):
    """What comes back for these bytes, until the other side closes."""
    s = socket.create_connection(("127.0.0.1", port), timeout=seconds)
    out = b""
    try:
        s.sendall(data)
        while True:
            piece = s.recv(65536)
            out += piece
            if not piece or not until_close:
                return out
    except (ConnectionError, socket.timeout):
        return out
    finally:
        s.close()


def main(perform):
    """Run it in a folder of its own, say how it went, and leave nothing behind."""
    folder = tempfile.mkdtemp(prefix="originate.")
    try:
        perform(folder)
    except Exception:
        ok(False, "the test itself", traceback.format_exc().replace("\n", " | ")[-700:])
    finally:
        for o in running:
            o.stop(signal.SIGKILL)
        shutil.rmtree(folder)
        print("1..%d" % len(results))
    sys.exit(0 if results and all(results) else 1)
