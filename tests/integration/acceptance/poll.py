#!/usr/bin/python3
"""poll.py SOCKET DIRECTORY PATH ROUNDS: python's select module on open files of the mounted service DIRECTORY,
which is PATH in the store. Each round all its ways sleep on one file, then nobody, the server, the notifier or
both are killed, and the next commit must wake them all, with the new value there to be read."""
import os
import select
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
from varlink import Connection  # noqa: E402

PATIENCE = 60  # nobody waits so long where things work
NEWS = select.POLLPRI | select.POLLERR


class Ways:
    """Every way to sleep on a file, each on a descriptor of its own."""

    def __init__(self, path):
        self.files = [open(path, "rb", buffering=0) for _ in range(4)]
        for file in self.files:
            file.read()
        self.poll = select.poll()
        self.poll.register(self.files[0], select.POLLPRI)
        self.level = select.epoll()
        self.level.register(self.files[1], select.EPOLLPRI)
        self.edge = select.epoll()
        self.edge.register(self.files[2], select.EPOLLPRI | select.EPOLLET)

    def found(self, patience):
        """What each says: of select, whether the file is an exception."""
        yield "poll", self.poll.poll(patience * 1000) == [(self.files[0].fileno(), NEWS)]
        yield "epoll", self.level.poll(patience) == [(self.files[1].fileno(), NEWS)]
        yield "epoll by edges", self.edge.poll(patience) == [(self.files[2].fileno(), NEWS)]
        yield "select", select.select([], [], [self.files[3]], patience)[2] == [self.files[3]]

    def read(self):
        for file in self.files:
            file.seek(0)
            yield file.read()

    def close(self):
        self.level.close()
        self.edge.close()
        for file in self.files:
            file.close()


def asleep(pid):
    """Waits until a process sleeps in the kernel's poll or select, and not for an answer."""
    while True:
        where = Path(f"/proc/{pid}/wchan").read_text()
        if "poll" in where or "select" in where:
            return
        os.sched_yield()


def sleeper(ways):
    """A child that sleeps in poll on all four files at once."""
    child = os.fork()
    if child == 0:
        everything = select.poll()
        for file in ways.files:
            everything.register(file, select.POLLPRI)
        os._exit(0 if everything.poll(PATIENCE * 1000) else 1)
    asleep(child)
    return child


def main():
    socket, directory, path, rounds = sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    faults = 0

    def check(what, held):
        nonlocal faults
        if not held:
            faults += 1
            print(f"round {number}: {what}", file=sys.stderr)

    for number in range(rounds):
        name, victims = ("PLAIN", "SECRET")[number % 2], (number // 2) % 4
        ways = Ways(directory / name)
        for way, news in ways.found(0):
            check(f"{way} has news before there is any", not news)
        child = sleeper(ways)
        processes = Connection(socket).call("Status")["processes"]
        for bit, victim in enumerate(("server", "notifier")):
            if victims & 1 << bit:
                os.kill(processes[victim], signal.SIGKILL)
        value = f"value {number}".encode()
        Connection(socket).set({f"{path}/OTHER": value})  # not theirs
        for way, news in ways.found(0):
            check(f"{way} has news of another key", not news)
        Connection(socket).set({f"{path}/{name}": value}, kind="secret" if name == "SECRET" else "plain")
        check("who slept in poll was not woken", os.waitpid(child, 0)[1] == 0)
        for way, news in ways.found(PATIENCE):
            check(f"{way} has no news (killed: {victims})", news)
        check("the new value was not read", list(ways.read()) == [value] * 4)
        for way, news in ways.found(0):
            check(f"{way} has news after it was read", not news)
        ways.close()
    print(f"{rounds} rounds, {faults} faults")
    sys.exit(faults != 0)


if __name__ == "__main__":
    main()
