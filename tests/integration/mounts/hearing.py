#!/usr/bin/python3
"""hearing.py DIRECTORY: prints what inotify tells of its names, a line each, from when it has said
"ready" on; ends at the name END."""
import ctypes
import os
import struct
import sys

KINDS = {0x100: "CREATE", 0x200: "DELETE", 0x8: "CLOSE_WRITE"}
libc = ctypes.CDLL(None, use_errno=True)
fd = libc.inotify_init1(0)
if fd < 0 or libc.inotify_add_watch(fd, sys.argv[1].encode(), sum(KINDS)) < 0:
    sys.exit(os.strerror(ctypes.get_errno()))
print("ready", flush=True)
while True:
    data = os.read(fd, 65536)
    while data:
        _, mask, _, size = struct.unpack("iIII", data[:16])
        name = data[16 : 16 + size].rstrip(b"\0").decode()
        data = data[16 + size :]
        if name == "END":
            sys.exit(0)
        print(KINDS.get(mask & sum(KINDS), hex(mask)), name, flush=True)
