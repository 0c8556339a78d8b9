"""Several views of one store, and what a program sees and hears in each: for barrier.py and hostile.py."""
import ctypes
import mmap
import os
import select
import struct

IN_MODIFY, IN_CLOSE_WRITE, IN_CREATE, IN_DELETE, IN_Q_OVERFLOW = 0x2, 0x8, 0x100, 0x200, 0x4000
PATIENCE = 60  # seconds: how long an event may take before its absence is a fault; nothing is decided by it

libc = ctypes.CDLL(None, use_errno=True)


def checked(result, what):
    if result < 0:
        raise OSError(ctypes.get_errno(), what)
    return result


class View:
    """One folder of a service in one view, and a watch on it."""

    def __init__(self, folder):
        self.folder = folder
        self.fd = checked(libc.inotify_init1(os.O_CLOEXEC), "inotify_init1")
        mask = IN_MODIFY | IN_CLOSE_WRITE | IN_CREATE | IN_DELETE
        checked(libc.inotify_add_watch(self.fd, str(folder).encode(), mask), f"cannot watch {folder}")

    def events(self):
        """What has come, [(mask, name)]; waits for the first of it."""
        if not select.select([self.fd], [], [], PATIENCE)[0]:
            raise TimeoutError(f"{self.folder}: nothing is heard")
        data, found = os.read(self.fd, 65536), []
        while data:
            _, mask, _, size = struct.unpack_from("iIII", data)
            if mask & IN_Q_OVERFLOW:
                raise OverflowError("too many events: the watch was not read in time")
            found.append((mask, data[16:16 + size].rstrip(b"\0").decode()))
            data = data[16 + size:]
        return found

    def until(self, name, wanted=IN_CLOSE_WRITE):
        """All events up to one of that kind of that name."""
        found = []
        while not any(mask & wanted and heard == name for mask, heard in found):
            found += self.events()
        return found

    def value(self, name):
        return (self.folder / name).read_bytes()

    def size(self, name):
        return (self.folder / name).stat().st_size

    def names(self):
        return set(os.listdir(self.folder))


def stand(connection, service, views):
    """What was told of commits until now is heard, so that it is not taken for what comes."""
    connection.set({f"{service}/STAND": str(os.getpid()).encode()})
    for view in views:
        view.until("STAND")


class Mapping:
    """A file that is held open and mapped: the kernel's own page, until it is told to forget it."""

    def __init__(self, path, size):
        with open(path, "rb") as file:
            self.map = mmap.mmap(file.fileno(), size, mmap.MAP_PRIVATE, mmap.PROT_READ)
        self.size = size

    def text(self):
        return self.map[:self.size]
