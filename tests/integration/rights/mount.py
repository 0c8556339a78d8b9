#!/usr/bin/python3
"""mount.py SOCKET DIRECTORY GROUP: a view of everything, for a group to read, attached there."""
import ctypes
import json
import os
import socket
import sys

MOVE_MOUNT, EMPTY_PATH = 429, 4

link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
link.connect(sys.argv[1])
link.sendall(json.dumps({"method": "io.emsa.Mount", "parameters": {
    "uid": 0, "gid": int(sys.argv[3]), "directory_mode": 0o750, "file_mode": 0o440}}).encode() + b"\0")
text, descriptors, _, _ = socket.recv_fds(link, 1 << 16, 4)
if not descriptors:
    sys.exit(text.decode())
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(MOVE_MOUNT, descriptors[0], b"", -100, sys.argv[2].encode(), EMPTY_PATH) < 0:
    sys.exit(os.strerror(ctypes.get_errno()))
