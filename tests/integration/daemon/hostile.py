#!/usr/bin/python3
"""hostile.py SOCKET SERVICE COUNT HELD OTHER [--cache]: somebody reads the folder of SERVICE in the view HELD into memory that is not there
(userfaultfd): the kernel waits for it with the directory locked, and tells that it does. So the notifier cannot have
that view's kernel forget anything. COUNT commits meanwhile: each is answered, OTHER sees and hears all of it,
and HELD reads the new value (with --cache: who opens it anew). Then the memory comes: HELD catches up.

hostile.py SOCKET SERVICE keep HELD PIPE: the same reader, and one commit; says so to PIPE, and ends when its input does."""
import ctypes
import fcntl
import mmap
import os
import pathlib
import select
import struct
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import varlink  # noqa: E402
from views import IN_CREATE, IN_DELETE, IN_MODIFY, PATIENCE, View, checked, libc, stand  # noqa: E402

PAGE = mmap.PAGESIZE
USERFAULTFD_IOC_NEW = 0xAA00
UFFDIO_API, UFFDIO_REGISTER, UFFDIO_ZEROPAGE = 0xC018AA3F, 0xC020AA00, 0xC020AA04
API, MISSING, PAGEFAULT = 0xAA, 1, 0x12
SYS_GETDENTS64 = {"x86_64": 217, "aarch64": 61}[os.uname().machine]


class Hold:
    """A directory that is being read, and locked until release."""

    def __init__(self, folder):
        self.memory = mmap.mmap(-1, PAGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        with open("/dev/userfaultfd", "rb") as device:
            self.faults = checked(fcntl.ioctl(device, USERFAULTFD_IOC_NEW, os.O_CLOEXEC), "userfaultfd")
        fcntl.ioctl(self.faults, UFFDIO_API, struct.pack("QQQ", API, 0, 0))
        fcntl.ioctl(self.faults, UFFDIO_REGISTER, struct.pack("QQQQ", self.address, PAGE, MISSING, 0))
        self.folder = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        self.size = 0
        self.reader = threading.Thread(target=self.read, daemon=True)  # a fault of the test does not wait for it
        self.reader.start()
        if not select.select([self.faults], [], [], PATIENCE)[0]:
            raise TimeoutError("the reader of the directory does not wait")
        if os.read(self.faults, 32)[0] != PAGEFAULT:
            raise ValueError("not a page fault")

    def read(self):
        self.size = libc.syscall(SYS_GETDENTS64, self.folder, ctypes.c_void_p(self.address), PAGE)

    def release(self):
        """What its getdents64 got in the end."""
        fcntl.ioctl(self.faults, UFFDIO_ZEROPAGE, struct.pack("QQQq", self.address, PAGE, 0, 0))
        self.reader.join()
        os.close(self.faults)
        os.close(self.folder)
        return self.size


class Game:
    def __init__(self, socket, service, held, other, is_direct):
        self.is_direct = is_direct  # and not answered by pages that the kernel was to forget
        self.connection, self.service = varlink.Connection(socket), service
        self.held, self.other = View(pathlib.Path(held) / service), View(pathlib.Path(other) / service)
        self.set(SIZE="0", GONE="0")
        stand(self.connection, service, (self.held, self.other))
        self.open = os.open(self.held.folder / "SIZE", os.O_RDONLY)
        self.late, self.faults = 0, []

    def set(self, **values):
        operations = [{"path": f"{self.service}/{key}", "kind": "plain", "value": value} for key, value in values.items()]
        return self.connection.call("Set", operations=operations, reason="a round")["late"]

    def is_so(self, what, expected, found):
        if expected != found:
            self.faults.append(f"{what}: expected {expected!r}, found {found!r}")

    def change(self, number):
        """One more commit, while the directory is held; other sees and hears it."""
        value = "x" * number
        self.late += self.set(SIZE=value, **{f"NEW{number}": value})
        events = self.other.until(f"NEW{number}")
        for wanted in ((IN_CREATE, f"NEW{number}"), (IN_MODIFY, f"NEW{number}"), (IN_MODIFY, "SIZE")):
            self.is_so(f"event {wanted} of commit {number}", True, wanted in events)
        self.is_so("its size in the other view", number, self.other.size("SIZE"))
        self.is_so("its value there", value.encode(), self.other.value(f"NEW{number}"))
        self.is_so("the name there", True, f"NEW{number}" in self.other.names())
        self.is_so("read in the held view", value.encode(), self.held.value("SIZE"))
        if self.is_direct:
            self.is_so("from a descriptor of it", value.encode(), os.pread(self.open, PAGE, 0))

    def remove(self):
        self.late += self.connection.call("Remove", paths=[f"{self.service}/GONE"], reason="its end")["late"]
        self.other.until("GONE", IN_DELETE)
        self.is_so("a removed name", False, "GONE" in self.other.names())

    def catch_up(self, count):
        """All of it is heard where the directory was held, in the order of what is told: END is the last."""
        self.set(END="over")
        events = self.held.until("END")
        wanted = [(IN_CREATE, f"NEW{number}") for number in range(1, count + 1)]
        wanted += [(IN_MODIFY, name) for _, name in wanted] + [(IN_MODIFY, "SIZE"), (IN_DELETE, "GONE")]
        for event in wanted:
            self.is_so(f"event {event} in the held view", 1, min(1, events.count(event)))
        for event in wanted[:count] + wanted[-1:]:
            self.is_so(f"times of {event}", 1, events.count(event))
        self.is_so("its size", count, self.held.size("SIZE"))
        self.is_so("its names", self.other.names(), self.held.names())

    def play(self, count):
        self.is_so("what the kernel keeps of it", 1, self.held.size("SIZE"))
        hold = Hold(self.held.folder)
        for number in range(1, count + 1):
            self.change(number)
        self.remove()
        self.is_so("commits that were late", count + 1, self.late)
        self.is_so("the held view has heard", [], select.select([self.held.fd], [], [], 0)[0])
        self.is_so("it got the directory after all", True, hold.release() > 0)
        self.catch_up(count)
        # it is waited for again
        self.is_so("late afterwards", False, self.set(SIZE="again"))
        self.is_so("and it was told", 5, self.held.size("SIZE"))


def keep(socket, service, folder, pipe):
    connection = varlink.Connection(socket)
    hold = Hold(pathlib.Path(folder) / service)
    connection.set({f"{service}/KEPT": b"x"})
    pathlib.Path(pipe).write_text("held\n")
    sys.stdin.read()
    hold.release()


def main():
    if sys.argv[3] == "keep":
        return keep(sys.argv[1], sys.argv[2], *sys.argv[4:6])
    game, count = Game(sys.argv[1], sys.argv[2], *sys.argv[4:6], "--cache" not in sys.argv), int(sys.argv[3])
    game.play(count)
    print(f"{count} commits, {game.late} answered late, {len(game.faults)} faults")
    print("\n".join(game.faults[:20]))
    sys.exit(bool(game.faults))


if __name__ == "__main__":
    main()
