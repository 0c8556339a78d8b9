"""many.py SOCKET FOLDER COUNT: views by the verb, attached below a folder in 1/10 of the cases and detached in
the others; prints how many there are then, and how long one took (nothing depends on that)."""
import ctypes
import os
import pathlib
import socket
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import varlink  # noqa: E402

path, folder, count = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3])
libc = ctypes.CDLL(None, use_errno=True)
SYS_MOVE_MOUNT, F_EMPTY_PATH = 429, 4


class Taking:
    """A socket whose messages may bring a descriptor."""

    def __init__(self, raw):
        self.raw, self.sendall, self.taken = raw, raw.sendall, []

    def recv(self, size):
        data, fds, _, _ = socket.recv_fds(self.raw, size, 1)
        self.taken += fds
        return data


held = []
begun = time.monotonic()
connection = varlink.Connection(path)
connection.socket = Taking(connection.socket)
for n in range(count):
    connection.call("Mount", path=f"prod/s{n % 10}", layout="flat")
    mount = connection.socket.taken.pop()
    if n % 10 == 0:
        place = folder / str(n)
        place.mkdir()
        if libc.syscall(SYS_MOVE_MOUNT, mount, b"", -100, str(place).encode(), F_EMPTY_PATH) < 0:
            raise OSError(ctypes.get_errno(), f"cannot mount on {place}")
        os.close(mount)
    else:
        held.append((n, mount))
took = time.monotonic() - begun
print(f"{count} views, {1000 * took / count:.2f} ms each", file=sys.stderr)
print("made", flush=True)
for line in sys.stdin:  # look at all of them, each time somebody asks
    wrong = 0
    for n, fd in held:
        reader = os.open("KEY", os.O_RDONLY, dir_fd=fd)
        wrong += os.read(reader, 100) != f"{line.strip()}".encode()
        os.close(reader)
    for n in range(0, count, 10):
        wrong += (folder / str(n) / "KEY").read_text() != line.strip()
    print(f"{len(held) + count // 10} looked at, {wrong} wrong", flush=True)
