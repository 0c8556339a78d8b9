#!/usr/bin/python3
"""broken.py SOCKET TIMES: a server that ends the connection TIMES times without an answer, then answers with
revision 7. Prints 'ready', then the request ids it was asked with."""
import json
import os
import socket
import sys


def main():
    path, times = sys.argv[1], int(sys.argv[2])
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    listener.listen()
    print("ready", flush=True)
    for attempt in range(times + 1):
        connection, _ = listener.accept()
        data = b""
        while b"\0" not in data:
            data, fds, _, _ = (lambda got: (data + got[0], got[1], got[2], got[3]))(socket.recv_fds(connection, 65536, 4))
            for fd in fds:
                os.close(fd)
        print(json.loads(data.rstrip(b"\0"))["parameters"].get("request_id", "none"), flush=True)
        if attempt == times:
            reply = {"rev": 7, "committed": True, "repeated": True, "dry_run": False, "late": False, "lines": []}
            connection.sendall(json.dumps({"parameters": reply}).encode() + b"\0")
        connection.close()


if __name__ == "__main__":
    main()
