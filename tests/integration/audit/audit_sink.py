#!/usr/bin/python3
"""SOCKET LINES [OUT]: journald, or syslog, of a test: takes datagrams at a socket until so many came, and prints each as
one line of JSON (journald's fields, or {"syslog": text}). With 0 LINES: binds it, and reads nothing until it is ended."""
import json
import signal
import socket
import struct
import sys


def fields_of(datagram):
    """The native protocol: NAME=VALUE lines, or NAME, a 64 bit length and the value."""
    fields = {}
    while datagram:
        line, _, rest = datagram.partition(b"\n")
        if b"=" in line:
            name, _, value = line.partition(b"=")
        else:
            size = struct.unpack("<Q", rest[:8])[0]
            name, value, rest = line, rest[8 : 8 + size], rest[8 + size + 1 :]
        fields[name.decode()] = value.decode("utf-8", "replace")
        datagram = rest
    return fields


def main():
    path, wanted = sys.argv[1], int(sys.argv[2])
    taker = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    taker.bind(path)
    print("bound", flush=True)
    if wanted == 0:
        signal.pause()
    for _ in range(wanted):
        datagram = taker.recv(1 << 18)
        shown = {"syslog": datagram.decode()} if datagram.startswith(b"<") else fields_of(datagram)
        print(json.dumps(shown), flush=True)


if __name__ == "__main__":
    main()
