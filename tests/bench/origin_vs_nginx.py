#!/usr/bin/env python3
"""The origin with one thread beside nginx with one worker: requests per second by wrk, and memory with idle clients.

One run: both serve the same store at the same time and are asked in turn, the median of three counts. nginx is shown as
it comes (sendfile) and as it is fastest here (no sendfile, two large buffers). Only the ratios travel to other machines.
Arguments: the origin's path, seconds of each measurement."""
import os
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "tools"))
import mkstore  # noqa: E402

ORIGIN = sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "build", "origin")
SECONDS = sys.argv[2] if len(sys.argv) > 2 else "3"
CLIENTS = 1000

NGINX = """
daemon off; worker_processes 1; pid %(folder)s/nginx.pid; error_log %(folder)s/nginx.log;
worker_rlimit_nofile 4096;
events { worker_connections 4000; }
http {
	access_log off; keepalive_requests 1000000000; keepalive_timeout 600s; tcp_nopush on;
	client_body_temp_path %(folder)s/1; proxy_temp_path %(folder)s/2; fastcgi_temp_path %(folder)s/3;
	uwsgi_temp_path %(folder)s/4; scgi_temp_path %(folder)s/5;
	types { application/vnd.apple.mpegurl m3u8; video/mp2t ts; }
	root %(store)s;
	add_header Access-Control-Allow-Origin * always;
	add_header Access-Control-Expose-Headers "Age, Date, Content-Length, Content-Range, ETag, X-Clamped-From" always;
	add_header X-Content-Type-Options nosniff always;
	add_header Cache-Control "public, max-age=20, stale-while-revalidate=20";
	server { listen 127.0.0.1:%(port)d backlog=4096; sendfile on; }
	server { listen 127.0.0.1:%(tuned)d backlog=4096; sendfile off; output_buffers 2 256k; }
}
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(port):
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit("nothing listens on port %d" % port)


def lay_store(root):
    r = mkstore.Rendition(root, "fip", "hifi", 60, 100000)
    newest = int(time.time()) // 60 * 60 - 60
    for t in range(newest - 9 * 60, newest + 60, 60):
        r.segment(t)
    r.write_live()
    r.write_hour(newest // 3600, part=True)
    return "/fip/hifi/index.m3u8", "/fip/hifi/" + mkstore.segment_name(newest)


def start_origin(folder, store, port):
    ini = os.path.join(folder, "origin.ini")
    with open(ini, "w") as f:
        f.write("[store]\npath = %s\n[station fip]\nsegment = 60\nwindow = 600\nrenditions = hifi\n[rendition fip/hifi]\n"
                "[origin]\nlisten = 127.0.0.1:%d\nthreads = 1\nstale = serve\nidle_timeout = 600s\nplayer = %s\n"
                % (store, port, folder))
    return subprocess.Popen([ORIGIN, "-c", ini], stderr=subprocess.DEVNULL)


def start_nginx(folder, store, port, tuned):
    conf = os.path.join(folder, "nginx.conf")
    with open(conf, "w") as f:
        f.write(NGINX % {"folder": folder, "store": store, "port": port, "tuned": tuned})
    if os.geteuid() == 0:  # else its worker would be nobody, who cannot read the store
        with open(conf, "r+") as f:
            text = f.read()
            f.seek(0)
            f.write("user root;\n" + text)
    return subprocess.Popen(["nginx", "-c", conf, "-p", folder], stderr=subprocess.DEVNULL)


def wrk(port, path, connections=32):
    out = subprocess.run(["wrk", "-t1", "-c%d" % connections, "-d%ss" % SECONDS, "http://127.0.0.1:%d%s" % (port, path)],
                         capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        sys.exit(out)
    return float(next(x.split(":")[1] for x in out.splitlines() if x.startswith("Requests/sec")))


def cpu_seconds(pid):
    with open("/proc/%d/stat" % pid) as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_kb(pids):
    total = 0
    for pid in pids:
        with open("/proc/%d/smaps_rollup" % pid) as f:
            total += sum(int(x.split()[1]) for x in f if x.startswith(("Private_Clean:", "Private_Dirty:")))
    return total


def idle_memory(port, path, pids):
    """Private memory in KiB that a thousand clients add, each with one answer behind it."""
    before = memory_kb(pids)
    sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(CLIENTS)]
    for s in sockets:
        s.sendall(("GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path).encode())
    for s in sockets:
        s.recv(65536)
    after = memory_kb(pids)
    for s in sockets:
        s.close()
    return before, after - before


def children(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
        return [int(x) for x in f.read().split()]


def main():
    for program in ("nginx", "wrk"):
        if not shutil.which(program):
            print("origin against nginx: left out, no %s" % program)
            return
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
    folder = tempfile.mkdtemp(prefix="origin_bench.")
    os.chmod(folder, 0o755)
    started = []
    try:
        store = os.path.join(folder, "store")
        playlist, segment = lay_store(store)
        ports = {"origin": free_port(), "nginx": free_port(), "nginx, tuned": free_port()}
        started = [start_origin(folder, store, ports["origin"]),
                   start_nginx(folder, store, ports["nginx"], ports["nginx, tuned"])]
        for port in ports.values():
            wait_for(port)
        worker = children(started[1].pid)[0]
        pids = {"origin": started[0].pid, "nginx": worker, "nginx, tuned": worker}
        for what, path in (("live list, 1 KB", playlist), ("segment, 100 KB", segment)):
            rates, costs = {name: [] for name in ports}, {name: [] for name in ports}
            for _ in range(3):
                for name, port in ports.items():
                    before = cpu_seconds(pids[name])
                    rates[name].append(wrk(port, path))
                    costs[name].append((cpu_seconds(pids[name]) - before) / (rates[name][-1] * float(SECONDS)))
            middle = {name: statistics.median(x) for name, x in rates.items()}
            cost = {name: statistics.median(x) * 1e6 for name, x in costs.items()}
            for name in ports:
                print("%-16s %-13s %8.0f requests/s, origin %.2f times; %5.1f us of CPU each, %.2f of it" % (
                    what, name, middle[name], middle["origin"] / middle[name], cost[name], cost["origin"] / cost[name]))
        for name in ("origin", "nginx"):
            base, more = idle_memory(ports[name], playlist, [pids[name]])
            print("%-16s %-13s %8d KiB more than %d KiB" % ("1,000 idle", name, more, base))
    finally:
        for p in started:
            p.send_signal(signal.SIGTERM)
        for p in started:
            p.wait(10)
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
