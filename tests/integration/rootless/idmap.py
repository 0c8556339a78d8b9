"""idmap.py FROM PID TO: a bind of FROM at TO, whose owners are mapped to the user namespace of the process: what
runtimes do that have idmapped mounts."""
import ctypes
import os
import sys

libc = ctypes.CDLL(None, use_errno=True)
OPEN_TREE, MOVE_MOUNT, MOUNT_SETATTR = 428, 429, 442
CLONE, EMPTY_PATH, MOVE_EMPTY_PATH, IDMAP = 1, 0x1000, 4, 0x100000


class Attributes(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "users")]


def call(number, *arguments):
    result = libc.syscall(number, *arguments)
    if result < 0:
        sys.exit(f"idmap.py: {os.strerror(ctypes.get_errno())}")
    return result


source, pid, target = sys.argv[1:]
os.makedirs(target, exist_ok=True)
users = os.open(f"/proc/{pid}/ns/user", os.O_RDONLY)
tree = call(OPEN_TREE, -100, source.encode(), CLONE)
attributes = Attributes(set=IDMAP, users=users)
call(MOUNT_SETATTR, tree, b"", EMPTY_PATH, ctypes.byref(attributes), ctypes.sizeof(attributes))
call(MOVE_MOUNT, tree, b"", -100, target.encode(), MOVE_EMPTY_PATH)
