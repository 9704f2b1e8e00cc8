#!/usr/bin/env python3
"""The relay with real sockets: UDP and PUT in, history and live out, chains, restarts, floods, multicast, limits."""
import ctypes
import contextlib
import os
import random
import socket
import subprocess
import time

from failing import finish, get, later, main, ok, until, write
from relaying import NS, Put, Reader, Udp, dropped, framed, index_of, packet, relay, run, ssrc_of, value

A, B = 0xAAAA0001, 0xBBBB0002


def taken(p, count):
    return until(f"{count} packets taken", lambda: value(p, "packets_total") >= count)


def start():
    return time.time_ns() - 10 * NS


def history_and_live(folder):
    """By UDP in; out come the wanted part of the history, then live, nothing twice but the intro"""
    for host in ("127.0.0.1", "::1"):
        p = relay(folder, host=host)
        began = start()
        u = Udp(p)
        u.send(run(A, range(200), began) + run(B, range(100), began, mid="fip.lofi"))
        taken(p, 300)
        every = Reader(p, "?since=0")
        some = Reader(p, f"?since={began + 60 * 20_000_000}&mid=fip.hifi")
        live = Reader(p, "?mid=fip.lofi")
        u.send(run(A, range(200, 260), began) + run(B, range(100, 130), began, mid="fip.lofi"))
        every.wait_index(B, 129), some.wait_index(A, 259), live.wait_index(B, 129)
        ok(every.indices(A)[-260:] == list(range(260)) and every.indices(B)[-130:] == list(range(130)),
           f"{host}: everything in order", every.indices(A), every.indices(B))
        ok(some.indices(A) == [175] + list(range(60, 260)) and not some.indices(B),
           f"{host}: one rendition since an instant, the intro first", some.indices(A), some.indices(B))
        ok([i for i in live.indices(B) if i >= 100] == list(range(100, 130)) and not live.indices(A) and min(live.indices(B)) >= 75,
           f"{host}: live only", live.indices(B), live.indices(A))
        ok(every.packets[-1] in run(A, [259], began) + run(B, [129], began, mid="fip.lofi"), f"{host}: bytes are as they were")
        ok(every.headers["Content-Type"] == "application/octet-stream" and every.headers["X-History-From"], f"{host}: headers",
           every.headers)
        every.wait("a sign of life", lambda r: r.signs > 0)
        p.end()


def put_and_copies(folder):
    """By PUT in; what comes over two paths is passed on once; the answer comes at the end"""
    p = relay(folder)
    began = start()
    live, u, put = Reader(p), Udp(p), Put(p)
    packets = run(A, range(100), began)
    put.send_bytes(framed(packets[:50])[:777])
    put.send_bytes(framed(packets[:50])[777:] + b"\0\0")
    taken(p, 50)
    u.send(packets[20:])
    taken(p, 100)
    put.send(packets[50:])
    until("all copies counted", lambda: value(p, "copies_total") == 80)
    live.wait_index(A, 99)
    ok(live.indices(A) == list(range(100)), "each packet once, in order", live.indices(A))
    ok(value(p, "publishers") == 1, "the publisher is counted")
    answer = put.end()
    ok(answer.startswith(b"HTTP/1.1 200 ") and b"taken" in answer, "PUT is answered when it ends", answer)
    until("the publisher to be gone", lambda: value(p, "publishers") == 0)
    ok(p.end() == 0, "it ends well with a reader connected")


def third_party(folder):
    """RTP without extensions: known by sequence numbers, over the wrap"""
    p = relay(folder)
    u, live = Udp(p), Reader(p, "?since=0")
    packets = [packet(A, 0, 0, extended=False, sequence=65500 + i, payload=b"%d" % i) for i in range(100)]
    for first in range(0, 100, 10):
        u.send(packets[first:first + 10] + packets[first:first + 10])
    taken(p, 100)
    live.wait("all", lambda r: len(r.packets) >= 100)
    ok(live.packets == packets and value(p, "copies_total") == 100, third_party.__doc__, len(live.packets))


def chain(folder):
    """A relay behind a relay has everything, also after either was away"""
    first = relay(folder, name="first")
    second = relay(folder, f"from = http://127.0.0.1:{first.ports['http']}", name="second")
    began, u = start(), Udp(first)
    reader = Reader(second)
    u.send(run(A, range(100), began))
    reader.wait_index(A, 99)
    ok(reader.indices(A) == list(range(100)), "live through two relays", reader.indices(A))
    # the second is away while packets come
    ports = f"udp = 127.0.0.1:{second.ports['udp']}\nhttp = 127.0.0.1:{second.ports['http']}"
    second.end()
    u.send(run(A, range(100, 200), began))
    taken(first, 200)
    second = relay(folder, ports, f"from = http://127.0.0.1:{first.ports['http']}/rtp", name="second")
    late = Reader(second, "?since=0")
    late.wait_index(A, 199)
    ok(sorted(set(late.indices(A))) == list(range(200)), "it fills its history from the other", late.indices(A))
    # the first is away: the second takes up the connection again
    ports = f"udp = 127.0.0.1:{first.ports['udp']}\nhttp = 127.0.0.1:{first.ports['http']}"
    first.end()
    second.wait("relay left url=http://127.0.0.1")
    first = relay(folder, ports, name="first")
    u.send(run(A, range(190, 300), began))
    late.wait_index(A, 299)
    again = late.indices(A)[-100:]
    ok(sorted(set(late.indices(A))) == list(range(300)) and len(set(again)) >= 99, "and goes on by itself when the other is back", again)
    ok(value(second, "upstreams") == 1 and value(second, "upstream_connects_total") == 2, "connections are counted")
    third = relay(folder, f"from = http://127.0.0.1:{second.ports['http']} http://127.0.0.1:{first.ports['http']}", name="third")
    until("both connected", lambda: value(third, "upstreams") == 2)
    u.send(run(B, range(100), began))
    taken(third, 400)
    ok(value(third, "copies_total") >= 100, "a relay that gets it twice passes it on once", value(third, "copies_total"))


def circle(folder):
    """Two relays that take from each other have everything once, and nothing goes round"""
    one = relay(folder, name="one")
    ports = f"udp = 127.0.0.1:{one.ports['udp']}\nhttp = 127.0.0.1:{one.ports['http']}"
    two = relay(folder, f"from = http://127.0.0.1:{one.ports['http']}", name="two")
    one.end()
    one = relay(folder, ports, f"from = http://127.0.0.1:{two.ports['http']}", name="one")
    until("both connected", lambda: value(one, "upstreams") == value(two, "upstreams") == 1)
    began = start()
    Udp(one).send(run(A, range(100), began))
    Udp(two).send(run(B, range(100), began))
    taken(one, 200), taken(two, 200)
    until("what came back", lambda: value(one, "copies_total") == value(two, "copies_total") == 100)
    Udp(one).send(run(A, range(100, 101), began))
    taken(two, 201)
    until("that, too", lambda: value(one, "copies_total") == 101)
    ok(value(one, "packets_total") == value(two, "packets_total") == 201 and value(two, "copies_total") == 100, circle.__doc__)


def slow_reader(folder):
    """A reader that does not read is dropped and counted, the others go on; it may come back"""
    p = relay(folder, "reader_queue = 128K", "max_rate = 1000000")
    began = start()
    slow, quick, u = Reader(p, read=False), Reader(p), Udp(p)
    big = b"x" * 1200

    def more():
        first = more.sent
        more.sent += 20
        u.send([packet(A, i, began + i * 1000, payload=big) for i in range(first, first + 20)])
        quick.wait_index(A, more.sent - 1)
        return value(p, "readers_slow_total") == 1

    more.sent = 0
    until("the slow one dropped", more)
    p.wait("reader dropped, it was too slow")
    slow.read_now()
    slow.wait("the end", lambda r: r.over)
    ok(len(slow.packets) < more.sent, "it is hung up on", len(slow.packets))
    until("it to be gone", lambda: value(p, "readers") == 1)
    ok(quick.indices(A) == list(range(more.sent)), "another loses nothing")
    last = index_of(slow.packets[-1]) if slow.packets else -1
    again = Reader(p, f"?since={began + (last + 1) * 1000}")
    again.wait_index(A, more.sent - 1)
    ok(set(range(last + 1, more.sent)) <= set(again.indices(A)), "it comes back with `since` and has all")


def hostile(folder):
    """What is no RTP, too long, or not allowed is counted by its reason, and harmless"""
    p = relay(folder)
    u = Udp(p)
    good = packet(A, 0, start())
    for cut in range(12, 50):
        u.send([good[:cut]])
    u.send([b"", b"x", b"\xff" * 300, b"\x80" * 11, b"\x80" + b"x" * 4000, good[:13] + b"\xff" * 60])
    u.send([b"\x80\xc8" + b"\0" * 26] * 3)
    u.send([good])
    taken(p, 1)
    ok(dropped(p, "rtcp") == 3 and dropped(p, "oversized") == 1 and dropped(p, "malformed") >= 35, "drops by reason",
       get(p.ports["http"], "/metrics")[1])
    rng = random.Random(7)
    for _ in range(3000):
        flipped = bytearray(packet(rng.randrange(40), rng.randrange(100), start()))
        for _ in range(rng.randrange(4)):
            flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
        u.send([bytes(flipped)])
    u.send(run(B, range(30), start()))
    until("the last to be there", lambda: value(p, "packets_total") > 30)
    broken = Put(p)
    broken.send([b"\0" * 40] * 64)
    ok(broken.answer() == b"" and value(p, "publishers_broken_total") == 1, "a publisher of garbage is hung up on")
    broken = Put(p)
    broken.send_bytes(b"\xff\xff" + b"x" * 5000)
    ok(broken.answer() == b"" and value(p, "publishers_broken_total") == 2, "one of packets too long, too")
    ok(p.end() == 0, "it ends well")
    p = relay(folder, "allow = 192.0.2.0/24", "readers = 192.0.2.0/24")
    Udp(p).send([good] * 5)
    until("drops", lambda: dropped(p, "network") == 5)
    ok(Put(p).answer().startswith(b"HTTP/1.1 403 ") and dropped(p, "network") == 6 and value(p, "packets_total") == 0,
       "other networks may not send")
    ok(Reader(p).status == 403 and value(p, "readers_refused_total") == 1, "nor read")


def parameters(folder):
    """Unreadable parameters are answered 400, and say which; other paths 404; other methods 405"""
    p = relay(folder, "max_readers = 1")
    for query, name in (("since=yesterday", "since"), ("since=1&since=2", "since"), ("mid=../x", "mid"), ("from=9am", "from"),
                        ("mid=%zz", "mid")):
        status, body = get(p.ports["http"], f"/rtp?{query}")
        ok(status == 400 and body.startswith(name), f"{query} is 400", status, body)
    ok(get(p.ports["http"], "/x")[0] == 404, "404")
    with socket.create_connection(("127.0.0.1", p.ports["http"])) as s:
        s.sendall(b"POST /rtp HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        ok(s.recv(100).startswith(b"HTTP/1.1 405 "), "405")
    ok(get(p.ports["http"], "/healthz") == (503, "no source sends\n"), "without sources it is not healthy")
    put, n = Put(p), [0]

    def live():
        n[0] += 1
        put.send(run(A, [n[0]], start(), intro=True))
        return value(p, "sources_live") == 1
    until("a live source", live)
    ok(get(p.ports["http"], "/healthz") == (200, "ok\n"), "with one it is")
    p.wait(r"source began ssrc=aaaa0001 mid=fip\.hifi sender=put-127\.0\.0\.1")
    Reader(p)
    ok(Reader(p).status == 503 and get(p.ports["http"], "/healthz")[0] == 503, "max_readers: 503, also of its health")
    ok(value(p, "source_packets_total", 'mid="fip.hifi",ssrc="aaaa0001",sender="put-127.0.0.1"') >= 16, "sources are told by name")


def restart(folder):
    """Publishers by UDP need nothing when a relay is started again; it says how far back its history goes"""
    p = relay(folder)
    ports = f"udp = 127.0.0.1:{p.ports['udp']}\nhttp = 127.0.0.1:{p.ports['http']}"
    began, u = start(), Udp(p)
    u.send(run(A, range(100), began))
    taken(p, 100)
    before = Reader(p, "?since=0").headers["X-History-From"]
    p.end(9)
    u.send(run(A, range(100, 150), began))
    p = relay(folder, ports)
    u.send(run(A, range(150, 200), began))
    taken(p, 50)
    reader = Reader(p, f"?since={began}")
    reader.wait_index(A, 199)
    ok(sorted(set(reader.indices(A))) == list(range(150, 200)), restart.__doc__, reader.indices(A))
    ok(before < reader.headers["X-History-From"], "history begins later", before, reader.headers["X-History-From"])


def flood(folder):
    """A flood of forged sources stays in its bounds of memory and takes nothing of a real one"""
    p = relay(folder, "memory = 3M", "max_rate = 1000000", "max_sources = 500", "max_sources_per_sender = 300")
    began, real, forger = start(), Udp(p), Udp(p, "127.0.0.2")
    rng, sent, forged = random.Random(3), 0, 0

    def real_ones():
        nonlocal sent
        real.send(run(A, range(sent, sent + 4), began))
        sent += 4
        return value(p, "sources_live") == 1
    until("the real one established", real_ones)
    first = sent
    while forged < 60000:
        forger.send(packet(rng.getrandbits(32), rng.getrandbits(16), began, mid=f"f{rng.randrange(99)}.x", payload=b"y" * 1000)
                    for _ in range(500))
        forged += 500
        real_ones()
        taken(p, sent + forged)
    real.send(run(A, range(sent, sent + 1), began))
    taken(p, sent + forged + 1)
    reader = Reader(p, "?since=0&mid=fip.hifi")
    reader.wait_index(A, sent)
    ok(set(range(first, sent + 1)) <= set(reader.indices(A)), "all of the real one since it was established is there",
       first, sent, len(set(reader.indices(A))))
    with open(f"/proc/{p.process.pid}/status") as f:
        memory = next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))
    ok(value(p, "ring_bytes") <= 3 << 20 and memory < (24 << 10) * (8 if "asan" in os.environ.get("BUILD", "") else 1),
       f"memory is bounded: {memory} KiB in all", value(p, "ring_bytes"))
    ok(value(p, "sources") <= 500 and value(p, "sources_pushed_out_total") > 10000 and value(p, "ring_evicted_total") > 10000,
       "what made room is counted", value(p, "sources"), value(p, "sources_pushed_out_total"), value(p, "ring_evicted_total"))


# --- multicast


CLONE_NEWNET = 0x40000000


@contextlib.contextmanager
def inside(name):
    """This thread, and what it starts, in a network namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net") as home, open(f"/run/netns/{name}") as away:
        if libc.setns(away.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
        try:
            yield
        finally:
            libc.setns(home.fileno(), CLONE_NEWNET)


def multicast(folder):
    """Groups of both IP versions are joined on the interface that is named, and on no other"""
    name = f"hc-relay-{os.getpid()}"
    if os.getuid() != 0 or subprocess.run(["ip", "netns", "add", name], capture_output=True).returncode != 0:
        print(f"ok - {multicast.__doc__} # SKIP needs root", flush=True)
        return
    later(lambda: subprocess.run(["ip", "netns", "del", name], check=True))
    for line in ("link set lo up", "link add one type veth peer name one0", "link add two type veth peer name two0", "addr add 10.9.1.1/24 dev one",
                 "addr add 10.9.2.1/24 dev two", "addr add fd00:9::1/64 dev one nodad", *(f"link set {each} up" for each in ("one", "one0", "two", "two0"))):
        subprocess.run(["ip", "-n", name, *line.split()], check=True)
    with inside(name):
        p = relay(folder, "udp = 127.0.0.1:9001", "join = 239.9.9.1%one:9001 [ff15::9%one]:9001")
        began, reader = start(), Reader(p, "?since=0")
        for i, interface in ((A, "10.9.1.1"), (B, "10.9.2.1")):
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))
            for each in run(i, range(10), began):
                s.sendto(each, ("239.9.9.1", 9001))
            s.close()
        s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, socket.if_nametoindex("one"))
        for each in run(A, range(10, 20), began):
            s.sendto(each, ("ff15::9", 9001))
        s.close()
        u = Udp(p)
        u.send(run(A, range(20, 30), began))
        reader.wait_index(A, 29), reader.wait_index(A, 19)
        ok(sorted(reader.indices(A)) == list(range(30)), "both groups, and unicast on the same port", reader.indices(A))
        ok(not reader.indices(B), "nothing from the other interface", reader.indices(B))
        code, _, err = finish("relay", "-c", write(folder, "bad.ini", "[relay]\nudp =\nhttp = 127.0.0.1:0\njoin = 239.9.9.1%gone:9001\n"))
        ok(code == 1 and "239.9.9.1%gone:9001: No such device" in err, "an interface that is not there is an error", err)
        p.end()


# --- configuration


def configuration(folder):
    """-n prints what is in force; errors are told with line and key; a port that is taken is refused"""
    code, out, err = finish("relay", "-n", "-c", write(folder, "good.ini", "[station x]\nanything = y\n[relay]\nhistory = 90s\n"))
    ok(code == 0 and "history = 90s" in out and "allow = loopback private" in out, "-n", out, err)
    for line, want in (("udp = nowhere", "udp"), ("join = 10.0.0.1:9001", "join"), ("allow = 10.0.0.1/8", "allow"),
                       ("http = x", "http"), ("from = relay-b", "from"), ("history = 0", "history"), ("readers = y", "readers"),
                       ("max_sources = 5", "max_sources_per_sender"), ("colour = red", "colour"), ("memory = 1K", "memory")):
        code, _, err = finish("relay", "-n", "-c", write(folder, "bad.ini", f"[relay]\n{line}\n"))
        ok(code == 2 and "bad.ini:" in err and want in err, f"{line} is an error", err)
    p = relay(folder)
    for key, service in (("udp", "udp"), ("http", "http")):
        other = "http = 127.0.0.1:0" if key == "udp" else "udp = 127.0.0.1:0"
        code, _, err = finish("relay", "-c", write(folder, "taken.ini", f"[relay]\n{other}\n{key} = 127.0.0.1:{p.ports[service]}\n"))
        ok(code == 1 and f"[relay] {key}: 127.0.0.1:{p.ports[service]}" in err, f"{key}: the port is taken", err)
    both = relay(folder, "http = [::]:0", name="both")
    ok(Reader(both).status == 200 and get(both.ports["http"], "/healthz", "[::1]")[0] == 503, "http = [::] takes IPv4 too")
    before = p.mark()
    p.send(1)
    p.wait("restart to put it in force", before)
    ok(p.end(15) == 0, "TERM ends it")


main(history_and_live, put_and_copies, third_party, chain, circle, slow_reader, hostile, parameters, restart, flood, multicast, configuration)
