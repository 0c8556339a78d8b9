#!/usr/bin/python3
"""rotation.py SOCKET DIRECTORY PATH ROUNDS: a value is changed in every way there is: to one of the same length, a
longer one, a shorter one, none at all; removed and made again. After each commit was answered, every way of
looking sees it: a new open, a descriptor from before, a mapping from before, stat, a child that is forked now,
and sendfile; and the inode number is the same for ever. DIRECTORY is a mounted service, PATH its path in the
store. As on any other file system, what was removed stays as it was for who has it open."""
import ctypes
import mmap
import os
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
from varlink import Connection  # noqa: E402

PAGE = 4096
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long)


class Mapping:
    """Three pages, privately, looked at where they are mapped: Python's own mmap asks for the size and would not
    take an empty file. Through /proc/self/mem what would be SIGBUS, as behind the end of any file, is EIO."""

    memory = os.open("/proc/self/mem", os.O_RDONLY)

    def __init__(self, fd):
        self.at = libc.mmap(None, 3 * PAGE, mmap.PROT_READ, mmap.MAP_PRIVATE, fd, 0)
        assert self.at not in (None, ctypes.c_void_p(-1).value), os.strerror(ctypes.get_errno())

    def shows(self, value):
        """Whether it shows the value and zeroes to the end of the value's last page, or of no value, nothing."""
        size = min(len(value) + -len(value) % PAGE, 3 * PAGE)
        try:
            return os.pread(self.memory, size or 1, self.at) == value[:size] + bytes(max(0, size - len(value))) != b""
        except OSError:
            return size == 0


class File:
    """One served file, with what was opened and mapped at the beginning."""

    def __init__(self, connection, path, directory, name, kind):
        self.connection, self.kind = connection, kind
        self.path, self.file = f"{path}/{name}", directory / name
        self.value = b"first value"
        self.write(self.value)
        self.held = os.open(self.file, os.O_RDONLY)
        self.inode = os.fstat(self.held).st_ino
        self.mapping = Mapping(self.held)
        self.size = len(self.value)  # as it was asked for last

    def write(self, value):
        self.connection.set({self.path: value}, kind=self.kind)
        self.value = value

    def remove(self):
        self.connection.call("Remove", paths=[self.path], reason="rotation")

    def newly(self):
        with open(self.file, "rb", buffering=0) as file:
            return file.readall()

    def by_child(self):
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            at = 0
            while sent := os.sendfile(writer, self.held, at, 60000):
                at += sent
            os._exit(0)
        os.close(writer)
        with open(reader, "rb") as pipe:
            got = pipe.read()
        os.waitpid(child, 0)
        return got

    def faults(self):
        """What does not show the value, of a key that is there."""
        value = self.value
        ways = {
            # the mapping first: nothing else may have helped it
            "mapping": lambda: self.mapping.shows(value),
            "held descriptor": lambda: os.pread(self.held, 65536, 0) == value,
            "size of it": lambda: os.fstat(self.held).st_size == len(value),
            "sendfile by a child": lambda: self.by_child() == value,
            "new open": lambda: self.newly() == value,
            "size by name": lambda: os.stat(self.file).st_size == len(value),
            "inode": lambda: os.stat(self.file).st_ino == os.fstat(self.held).st_ino == self.inode,
            "link": lambda: os.fstat(self.held).st_nlink == 1,
        }
        order = list(ways)
        if random.random() < 0.5:
            random.shuffle(order)
        grown, same = len(value) > self.size, len(value) == self.size
        if grown:
            # Through the page cache (a mapping, sendfile) a file ends where the kernel knows that it does, until
            # anybody asks for the size.
            order.sort(key=lambda what: what != "size of it")
        self.size = len(value)
        return [what for what in order if not self.holds(what, ways, patient=not same)]

    def holds(self, what, ways, patient):
        """Of a secret the kernel may be asked to drop the page that was just read, as is promised; and that makes it
        ignore the size that it is told at that moment. So that is asked for again."""
        if ways[what]():
            return True
        patient = patient and self.kind == "secret" and what in ("mapping", "sendfile by a child")
        end = time.monotonic() + 20
        while patient and time.monotonic() < end:
            os.fstat(self.held)
            if ways[what]():
                return True
        return False

    def faults_removed(self):
        value = self.value
        self.size = len(value)
        gone = not self.file.exists() and self.file.name not in os.listdir(self.file.parent)
        ways = {
            "name": gone,
            "held descriptor": os.pread(self.held, 65536, 0) == value,
            "size of it": os.fstat(self.held).st_size == len(value),
            "inode": os.fstat(self.held).st_ino == self.inode,
            "links": os.fstat(self.held).st_nlink == 0,
            "mapping": self.mapping.shows(value),
        }
        return [what for what, right in ways.items() if not right]


def made(size):
    return random.randbytes(size) if size < 4 else b"%3d" % (size % 1000) + random.randbytes(size - 3)


def other(value, sizes):
    new = value
    while new == value:
        new = made(random.choice(sizes))
    return new


CHANGES = {
    "same length": lambda value: other(value, [max(1, len(value))]),
    "longer": lambda value: made(len(value) + random.choice([1, 2, 100, PAGE])),
    "shorter": lambda value: made(random.randrange(len(value))) if len(value) > 1 else b"",
    "emptied": lambda value: b"",
    "length of a page and about": lambda value: other(value, [PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, 3 * PAGE]),
    "short again": lambda value: other(value, [1, 8, 32]),
}


def main():
    socket, directory, path, rounds = sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    seed = int(os.environ.get("EMSA_TEST_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"seed {seed}")
    random.seed(seed)
    connection, faults, changes = Connection(socket), 0, 0
    files = [File(connection, path, directory, "PLAIN", "plain"), File(connection, path, directory, "SECRET", "secret")]

    def report(file, what, found):
        nonlocal faults, changes
        changes += 1
        if found:
            faults += 1
            print(f"{file.path}, {what}, now {len(file.value)} bytes: {', '.join(found)}", file=sys.stderr)

    for number in range(rounds):
        for file in files:
            names = list(CHANGES)
            for what in names if number == 0 else random.sample(names, len(names)):
                file.write(CHANGES[what](file.value))
                report(file, what, file.faults())
            if number % 3 == 0:
                file.write(b"")  # removed while it is empty, too
            file.remove()
            report(file, "removed", file.faults_removed())
            file.write(made(random.choice([0, 7, 5000])))
            report(file, "made again", file.faults())
    print(f"{changes} changes, {faults} faults")
    sys.exit(faults != 0)


if __name__ == "__main__":
    main()
