"""What tests of relays share: RTP packets made and read without the project's own code, publishers, readers."""
import http.client
import re
import socket
import struct
import threading
import time

from failing import PATIENT, Program, get, later, write

NTP = 2208988800
NS = 10**9


def packet(ssrc, index, wall, mid="fip.hifi", intro=None, payload=b"frame", sequence=None, extended=True):
    """One RTP packet with our header extensions; `wall` in ns. An intro names run and format; by default each 25th is one."""
    elements = b""
    if extended:
        elements += bytes([1, 8]) + struct.pack(">II", wall // NS + NTP, ((wall % NS << 32) + NS // 2) // NS)
        elements += bytes([2, 16]) + struct.pack(">QQ", index, index * 1024)
        if index % 25 == 0 if intro is None else intro:
            elements += bytes([3, len(mid)]) + mid.encode() + bytes([4, 4]) + b"main"
            elements += bytes([5, 16]) + struct.pack(">QQ", ssrc, ssrc) + bytes([6, 4]) + b"\xff\xf1\x50\x80"
        elements += b"\0" * (-len(elements) % 4)
    head = struct.pack(">BBHII", 0x90 if elements else 0x80, 96, (index if sequence is None else sequence) & 0xFFFF, 0, ssrc)
    return head + (struct.pack(">HH", 0x1000, len(elements) // 4) + elements if elements else b"") + payload


def run(ssrc, indices, start, **how):
    """Packets of a run that began at `start` (ns), 20 ms each."""
    return [packet(ssrc, i, start + i * 20_000_000, payload=b"%d" % i, **how) for i in indices]


def framed(packets):
    return b"".join(struct.pack(">H", len(p)) + p for p in packets)


def index_of(p):
    return struct.unpack(">Q", p[28:36])[0] if p[12:14] == b"\x10\0" else None


def ssrc_of(p):
    return struct.unpack(">I", p[8:12])[0]


def relay(folder, *lines, name="relay", host="127.0.0.1", **how):
    """A relay that has said that it is ready; `udp` and `http` are free ports unless the lines say otherwise."""
    text = "\n".join(lines)
    for key, at in (("udp", host), ("http", host)):
        if not re.search(rf"^{key} *=", text, re.M):
            text += f"\n{key} = {f'[{at}]' if ':' in at else at}:0"
    p = Program("relay", "-c", write(folder, f"{name}.ini", f"[relay]\n{text}\n"), **how)
    p.wait(r" ready\b")
    p.host = host
    p.ports = {}
    for line in p.said(r"listening "):
        service, port = re.search(r"service=(\w+) address=\S+:(\d+)", line).groups()
        p.ports.setdefault(service, int(port))
    p.ports["metrics"] = p.ports.get("http")
    return p


def values(p, name):
    """{labels: value} of a metric."""
    text = get(p.ports["http"], "/metrics", f"[{p.host}]" if ":" in p.host else p.host)[1]
    return {m[1] or "": float(m[2]) for m in re.finditer(rf"^hindcast_relay_{name}(?:{{(.*)}})? (\S+)$", text, re.M)}


def value(p, name, labels=""):
    return values(p, name).get(labels, 0.0)


def dropped(p, reason):
    return value(p, "dropped_total", f'reason="{reason}"')


class Udp:
    """A sender of datagrams from an address of its own."""

    def __init__(self, p, source="127.0.0.1"):
        self.to = (p.host, p.ports["udp"])
        self.socket = socket.socket(socket.AF_INET6 if ":" in p.host else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((source if ":" not in p.host else p.host, 0))
        later(self.socket.close)

    def send(self, packets):
        for p in packets:
            self.socket.sendto(p, self.to)


class Put:
    """A publisher by HTTP."""

    def __init__(self, p, path="/rtp"):
        self.socket = socket.create_connection((p.host, p.ports["http"]), PATIENT)
        later(self.socket.close)
        self.socket.sendall(f"PUT {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode())

    def send(self, packets):
        self.send_bytes(framed(packets))

    def send_bytes(self, data):
        self.socket.sendall(b"%x\r\n" % len(data) + data + b"\r\n")

    def answer(self):
        """All that the relay says until it closes or the answer is whole."""
        self.socket.settimeout(PATIENT)
        data = b""
        while not re.search(rb"\r\n\r\n.+", data, re.S):
            try:
                piece = self.socket.recv(4096)
            except ConnectionError:
                return data
            if not piece:
                return data
            data += piece
        return data

    def end(self):
        self.socket.sendall(b"0\r\n\r\n")
        return self.answer()


class Reader:
    """GET /rtp, read in a thread into `packets`; signs of life are counted apart."""

    def __init__(self, p, query="", read=True):
        self.packets, self.signs, self.changed = [], 0, threading.Condition()
        self.connection = http.client.HTTPConnection(p.host, p.ports["http"], timeout=PATIENT)
        self.connection.request("GET", f"/rtp{query}")
        self.answer = self.connection.getresponse()
        self.status, self.headers, self.over = self.answer.status, self.answer.headers, False
        self.thread = threading.Thread(target=self._read, daemon=True)
        if read:
            self.thread.start()
        later(self.stop)

    def _read(self):
        data = b""
        try:
            while piece := self.answer.read1(65536):
                data += piece
                while len(data) >= 2 and len(data) >= 2 + (data[0] << 8 | data[1]):
                    n = data[0] << 8 | data[1]
                    with self.changed:
                        if n:
                            self.packets.append(data[2:2 + n])
                        else:
                            self.signs += 1
                        self.changed.notify_all()
                    data = data[2 + n:]
        except (OSError, http.client.HTTPException, ValueError, AttributeError):
            pass
        with self.changed:
            self.over = True
            self.changed.notify_all()

    def read_now(self):
        self.thread.start()

    def wait(self, what, condition, seconds=PATIENT):
        """Until the condition holds of this reader."""
        end = time.monotonic() + seconds
        with self.changed:
            while not condition(self):
                left = end - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"a reader never saw: {what}; it has {len(self.packets)} packets, over: {self.over}")
                self.changed.wait(left)

    def wait_index(self, ssrc, index):
        self.wait(f"packet {index} of {ssrc:x}", lambda r: any(ssrc_of(p) == ssrc and index_of(p) == index for p in r.packets))

    def indices(self, ssrc):
        with self.changed:
            return [index_of(p) for p in self.packets if ssrc_of(p) == ssrc]

    def stop(self):
        if self.connection.sock:
            try:
                self.connection.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        if self.thread.ident:
            self.thread.join(PATIENT)
        self.connection.close()
