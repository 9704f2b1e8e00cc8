#!/usr/bin/env python3
"""A stream server that behaves well or badly, by path; for tests of what pulls from it.

Prints "HTTP-PORT HTTPS-PORT CERTIFICATE" once it listens and ends when its standard input does. The certificate is made
for 127.0.0.1 and signed by itself. Byte n of a stream is pattern(n); tests compare with the same formula.
"""
import base64
import os
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time

SIZE = 200000
INTERVAL = 1000
STREAM = "HTTP/1.0 200 OK\r\nContent-Type: audio/aac\r\n\r\n"


def pattern(first, count):
    return bytes(((n * 2654435761 >> 13) ^ (n >> 8)) & 0xFF for n in range(first, first + count))


BODY = pattern(0, SIZE)


def hold(conn):
    """Until the client goes."""
    while conn.recv(4096):
        pass


def reset(conn):
    """Close with a reset in place of an orderly end."""
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def send_icy(conn):
    """Audio with a title after every INTERVAL bytes: two titles, one without change, one in ISO-8859-1."""
    titles = [b"StreamTitle='One';StreamUrl='';", b"", "StreamTitle='It''s \u00e9t\u00e9';".encode(),
              b"StreamTitle='caf\xe9';"]
    for at in range(0, SIZE, INTERVAL):
        meta = titles.pop(0) if titles else b""
        blocks = (len(meta) + 15) // 16
        conn.sendall(BODY[at:at + INTERVAL] + bytes([blocks]) + meta.ljust(blocks * 16, b"\0"))


def stream(conn, head):
    conn.sendall(STREAM.encode() + BODY)
    hold(conn)


def end(conn, head):
    conn.sendall(STREAM.encode() + BODY)


def twice(conn, head):
    conn.sendall(STREAM.encode() + BODY + BODY)
    hold(conn)


def icy(conn, head):
    assert "icy-metadata: 1" in head.lower()
    conn.sendall(f"HTTP/1.0 200 OK\r\nicy-metaint: {INTERVAL}\r\n\r\n".encode())
    send_icy(conn)
    hold(conn)


def icy200(conn, head):
    conn.sendall(f"ICY 200 OK\r\nicy-name:x\r\nIcy-MetaInt:{INTERVAL}\r\ncontent-type:audio/mpeg\r\n\r\n".encode())
    send_icy(conn)
    hold(conn)


def chunked(conn, head):
    conn.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for at in range(0, SIZE, 5000):
        conn.sendall(b"1388\r\n" + BODY[at:at + 5000] + b"\r\n")
    hold(conn)


def redirect(to, interval=""):
    def answer(conn, head):
        conn.sendall(f"HTTP/1.0 302 Found\r\n{interval}Location: {to}\r\nContent-Length: 0\r\n\r\n".encode())
    return answer


def status(line):
    def answer(conn, head):
        conn.sendall(f"HTTP/1.0 {line}\r\nContent-Length: 3\r\n\r\nno\n".encode())
    return answer


def login(conn, head):
    token = base64.b64encode(b"listener:secret").decode()
    if f"Authorization: Basic {token}" in head:
        stream(conn, head)
    else:
        status("401 Unauthorized")(conn, head)


def die(conn, head):
    conn.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 1000000\r\n\r\n" + BODY[:5000])
    # what was sent is on its way before the reset throws it away
    time.sleep(0.3)
    reset(conn)


def short(conn, head):
    conn.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 1000000\r\n\r\n" + BODY[:5000])


def slow(conn, head):
    conn.sendall(STREAM.encode())
    for at in range(SIZE):
        conn.sendall(BODY[at:at + 1])
        time.sleep(0.02)


def silent(conn, head):
    hold(conn)


def empty(conn, head):
    conn.sendall(STREAM.encode())


def garbage(conn, head):
    conn.sendall(os.urandom(4096))


PATHS = {
    "/stream": stream, "/end": end, "/twice": twice, "/icy": icy, "/icy200": icy200, "/chunked": chunked,
    "/redirect": redirect("/stream"), "/redirect-icy": redirect("/stream", "icy-metaint: 77\r\n"),
    "/loop": redirect("/loop"), "/ftp": redirect("ftp://127.0.0.1/x"), "/404": status("404 Not Found"),
    "/503": status("503 Busy"), "/login": login, "/die": die, "/short": short, "/slow": slow, "/silent": silent,
    "/empty": empty, "/garbage": garbage,
}


def serve(conn, context):
    try:
        if context:
            conn = context.wrap_socket(conn, server_side=True)
        head = b""
        while b"\r\n\r\n" not in head:
            more = conn.recv(4096)
            if not more:
                return
            head += more
        text = head.decode("latin-1")
        path = text.split(" ")[1].split("?")[0]
        PATHS.get(path, PATHS["/404"])(conn, text)
    except (OSError, ssl.SSLError, AssertionError):
        pass
    finally:
        conn.close()


def listen(context):
    sock = socket.create_server(("127.0.0.1", 0))

    def loop():
        while True:
            conn, _ = sock.accept()
            threading.Thread(target=serve, args=(conn, context), daemon=True).start()

    threading.Thread(target=loop, daemon=True).start()
    return sock.getsockname()[1]


def certificate(directory):
    cert, key = os.path.join(directory, "cert.pem"), os.path.join(directory, "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1", "-out", cert,
                    "-keyout", key], check=True, stderr=subprocess.DEVNULL)
    return cert, key


def main():
    directory = tempfile.mkdtemp(prefix="hindcast-fixture-")
    try:
        cert, key = certificate(directory)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        print(listen(None), listen(context), cert, flush=True)
        sys.stdin.read()
    finally:
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()
