#!/usr/bin/python3
"""kill.py DIRECTORY SOCKET ROUNDS: kills the server ROUNDS times under three readers and one writer. Readers
must never see an error or a wrong value; a commit that was acknowledged must be there. The next kill comes
when every reader has read again and a commit has been acknowledged since the last one."""
import mmap
import os
import random
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
from varlink import Connection, Refused  # noqa: E402

READERS = 3
board = mmap.mmap(-1, 4096)  # slot 0: acknowledged commits; 1..: reads of each reader; 100..: its faults


def put(slot, value):
    board[slot * 8:slot * 8 + 8] = struct.pack("Q", value)


def get(slot):
    return struct.unpack("Q", board[slot * 8:slot * 8 + 8])[0]


def reader(number, directory):
    held = os.open(directory / "web" / "PASSWORD", os.O_RDONLY)
    while True:
        try:
            n = random.randint(1, 20)
            if (directory / "web" / f"KEY{n}").read_bytes() != f"value-{n}".encode():
                raise ValueError(f"KEY{n}")
            if os.pread(held, 100, 0) != b"secret of web":
                raise ValueError("PASSWORD")
            before = get(0)
            counted = (directory / "web" / "COUNTER")
            if before and int(counted.read_text()) < before:
                raise ValueError("COUNTER is older than what was acknowledged")
            if len(os.listdir(directory / "web")) < 21:
                raise ValueError("names are missing")
        except (OSError, ValueError) as fault:
            put(100 + number, get(100 + number) + 1)
            print(f"reader {number}: {fault}", file=sys.stderr, flush=True)
        put(number, get(number) + 1)


def writer(path):
    connection, count = None, 0
    while True:
        count += 1
        while True:
            try:
                connection = connection or Connection(path)
                connection.set({"prod/web/COUNTER": str(count).encode()})
                break
            except Refused as fault:
                put(199, get(199) + 1)
                print(f"writer: {fault}", file=sys.stderr, flush=True)
                break
            except OSError:
                connection = None  # the server was killed: the next one answers
        put(0, count)


def start(function, *arguments):
    child = os.fork()
    if child == 0:
        function(*arguments)
        os._exit(1)
    return child


def server():
    found = subprocess.run(["pgrep", "-f", "--", "--role[ =]server"], capture_output=True, text=True).stdout.split()
    return int(found[0]) if len(found) == 1 else None


def main():
    directory, path, rounds = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    Connection(path).set({"prod/web/COUNTER": b"0"})
    children = [start(reader, n, directory) for n in range(1, READERS + 1)] + [start(writer, path)]
    killed, worst = 0, 0.0
    for _ in range(rounds):
        marks = [get(slot) for slot in range(READERS + 1)]
        started = time.monotonic()
        while any(get(slot) < marks[slot] + 2 for slot in range(READERS + 1)):
            os.sched_yield()
            if time.monotonic() - started > 60:
                print("nothing moves for a minute", file=sys.stderr)
                sys.exit(1)
        worst = max(worst, time.monotonic() - started)
        pid = server()
        if pid:
            os.kill(pid, signal.SIGKILL)
            killed += 1
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    faults = sum(get(100 + n) for n in range(1, READERS + 1)) + get(199)
    print(f"{killed} kills, {sum(get(n) for n in range(1, READERS + 1))} rounds of reading, {get(0)} commits, "
          f"{faults} faults, {worst * 1000:.0f} ms at the most until all moved again")
    sys.exit(1 if faults or killed < rounds // 2 else 0)


if __name__ == "__main__":
    main()
