#!/usr/bin/env python3
"""An encoder for the demo: sends a file of ADTS again and again, in real time, to the same mount of several servers.
    encoder.py FILE MOUNT PASSWORD_FILE PORT...
A server that goes away is connected to again; the others notice nothing. All get the frame that the clock says."""
import base64
import socket
import sys
import threading
import time


def frames_of(path):
    with open(path, "rb") as f:
        data = f.read()
    at, out = 0, []
    while at + 7 <= len(data):
        length = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
        out.append(data[at:at + length])
        at += length
    return out


def connect(port, mount, password):
    s = socket.create_connection(("127.0.0.1", port), 5)
    basic = base64.b64encode(b"source:" + password.encode()).decode()
    s.sendall(f"PUT /{mount} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {basic}\r\n"
              "Content-Type: audio/aac\r\n\r\n".encode())
    if b" 200 " not in s.recv(4096).split(b"\r\n")[0]:
        raise OSError("refused")
    return s


def send(frames, port, mount, password, began):
    seconds = 1024 / 48000
    while True:
        try:
            with connect(port, mount, password) as s:
                n = int((time.monotonic() - began) / seconds)
                while True:
                    s.sendall(frames[n % len(frames)])
                    n += 1
                    time.sleep(max(0, began + n * seconds - time.monotonic()))
        except OSError:
            time.sleep(0.5)


def main():
    path, mount, password_file, *ports = sys.argv[1:]
    with open(password_file) as f:
        password = f.readline().strip()
    frames, began = frames_of(path), time.monotonic()
    threads = [threading.Thread(target=send, args=(frames, int(p), mount, password, began), daemon=True) for p in ports]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


if __name__ == "__main__":
    main()
