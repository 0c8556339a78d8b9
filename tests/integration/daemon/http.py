#!/usr/bin/python3
"""http.py PLACE get [METHOD [PATH]] | crowd | noise: what a client of the metrics may do. PLACE is ADDRESS:PORT,
[ADDRESS]:PORT or unix:PATH. 'get' prints the status and what came; the others say what went wrong."""
import fcntl
import os
import random
import re
import socket
import struct
import sys


def connected(place):
    if place.startswith("unix:"):
        client = socket.socket(socket.AF_UNIX)
        client.connect(place[5:])
        return client
    address, port = place.rsplit(":", 1)
    return socket.create_connection((address.strip("[]"), int(port)))


def everything(client):
    found = b""
    while True:
        try:
            got = client.recv(65536)
        except ConnectionResetError:
            return found
        if not got:
            return found
        found += got


def get(place, method="GET", path="/metrics"):
    """Status, headers and body."""
    client = connected(place)
    client.sendall(f"{method} {path} HTTP/1.1\r\nHost: here\r\n\r\n".encode())
    head, _, body = everything(client).partition(b"\r\n\r\n")
    status = int(re.match(rb"HTTP/1.1 (\d+) ", head).group(1))
    return status, head.decode().split("\r\n")[1:], body.decode()


def show(place, *words):
    status, headers, body = get(place, *words)
    length = [h for h in headers if h.startswith("Content-Length: ")]
    allowed = [h for h in headers if h.startswith(("Allow: ", "Retry-After: "))]
    assert "Connection: close" in headers, headers
    if words[:1] != ("HEAD",):
        assert length == [f"Content-Length: {len(body.encode())}"], (length, len(body))
    print(status, *allowed)
    sys.stdout.write(body)


def crowd(place):
    """Many who begin and say no more: the others are answered, and each of these comes to an end."""
    slow = []
    for number in range(300):
        client = connected(place)
        try:
            client.sendall(b"GET /metrics HTTP/1.1\r\nHost: " + b"a" * (number % 50))
        except (BrokenPipeError, ConnectionResetError):
            pass
        slow.append(client)
        if number % 50 == 49:
            status, _, body = get(place)
            assert status == 200 and body.startswith("# HELP"), (number, status)
    for client in slow[:200]:  # long since ended, to make room
        everything(client)


def noise(place):
    seed = int(os.environ.get("EMSA_TEST_SEED") or random.randrange(1 << 32))
    print("seed", seed)
    dice = random.Random(seed)
    requests = [b"GET /metrics HTTP/1.1\r\n\r\n", b"POST /metrics HTTP/1.1\r\nContent-Length: 99\r\n\r\nabc",
                b"GET /" + b"x" * 100000 + b" HTTP/1.1\r\n\r\n", b"GET /metrics HTTP/9.9\r\n\r\n", b"\0" * 5000,
                b"GET /metrics HTTP/1.1\r\n" + b"A: b\r\n" * 20000 + b"\r\n", b"GET http://x/metrics HTTP/1.0\r\n\r\n"]
    for _ in range(200):
        request = bytearray(dice.choice(requests))
        for _ in range(dice.randrange(4)):
            request[dice.randrange(len(request))] = dice.randrange(256)
        client = connected(place)
        try:
            client.sendall(request)
        except OSError:
            pass
        client.close()
    status, _, _ = get(place)
    assert status == 200, status


def loopback():
    """In a network namespace of its own: the loopback is there and down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH14s", b"lo", 0x1 | 0x40, b"")  # IFF_UP, IFF_RUNNING
        fcntl.ioctl(any_socket, 0x8914, request)  # SIOCSIFFLAGS


if __name__ == "__main__":
    if sys.argv[1] == "loopback":
        loopback()
    elif sys.argv[2] == "get":
        show(sys.argv[1], *sys.argv[3:])
    else:
        globals()[sys.argv[2]](sys.argv[1])
