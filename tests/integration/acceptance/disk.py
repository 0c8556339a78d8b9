#!/usr/bin/python3
"""disk.py DIRECTORY STORE DISK SECONDS: stops the process DISK, on which the store lies, under readers and
writers; then freezes the file system, as a snapshot of it would. Meanwhile no commit is answered, and readers of
what is in memory go on; afterwards every commit is answered, once, and nothing was restarted. It stands still
until every reader has come round ROUNDS times, and for SECONDS at least."""
import mmap
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
from varlink import Connection  # noqa: E402

directory, store, disk, seconds = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
ROUNDS = 300
READERS = 3
KEYS = 20
faults = []
worst = 0.0
rounds = [0] * READERS
progress = threading.Condition()
is_over = threading.Event()


def fault(text):
    faults.append(text)
    print(text, file=sys.stderr, flush=True)


def state(path):
    """The letter that the kernel shows for a thread: T stopped, D waiting uninterruptibly."""
    return path.read_text().rsplit(")", 1)[1].split()[0]


def call(method, **parameters):
    return Connection(str(store / "socket")).call(method, **parameters)


def read_all(held, mapped):
    """Every way of reading what was read before, so that it is in memory."""
    for n in range(1, KEYS + 1):
        if (directory / f"KEY{n}").read_bytes() != f"value-{n}".encode():
            fault(f"KEY{n} is wrong")
    if (directory / "PASSWORD").read_bytes() != b"secret of web" or os.pread(held, 99, 0) != b"secret of web":
        fault("PASSWORD is wrong")
    if mapped[:7] != b"value-1":
        fault("the mapping of KEY1 is wrong")
    if len(os.listdir(directory)) != KEYS + 3 or (directory / "MISSING").exists():
        fault("the names are wrong")


def reader(number):
    global worst
    held = os.open(directory / "PASSWORD", os.O_RDONLY)
    key = os.open(directory / "KEY1", os.O_RDONLY)
    mapped = mmap.mmap(key, 7, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ)
    last = 0
    while not is_over.is_set():
        started = time.monotonic()
        try:
            read_all(held, mapped)
            count = int((directory / "COUNTER").read_text())
            if count < last:
                fault(f"COUNTER went back from {last} to {count}")
            last = count
        except OSError as error:
            fault(f"reader {number}: {error}")
        worst = max(worst, time.monotonic() - started)
        with progress:
            rounds[number] += 1
            progress.notify_all()


def all_come_round(times, what):
    with progress:
        goal = [count + times for count in rounds]
        if not progress.wait_for(lambda: all(a >= b for a, b in zip(rounds, goal)), timeout=60):
            fault(f"readers stand still {what}: {[b - a for a, b in zip(rounds, goal)]} rounds are missing")


class Writer(threading.Thread):
    """One commit of one key, on a connection of its own."""

    def __init__(self, key, value, request_id):
        super().__init__(daemon=True)
        self.operations = [{"path": f"prod/web/{key}", "kind": "plain", "value": value}]
        self.request_id = request_id
        self.answer = None
        self.start()

    def run(self):
        try:
            self.answer = call("Set", operations=self.operations, request_id=self.request_id)
        except Exception as error:  # whatever it is, it is what the test is about
            fault(f"a commit failed: {error!r}")


def stop_disk():
    os.kill(disk, signal.SIGSTOP)
    while state(Path(f"/proc/{disk}/stat")) != "T":
        os.sched_yield()


def freeze():
    # Everything in memory is clean now, and whoever writes to any page of it has to wait.
    subprocess.run(["fsfreeze", "--freeze", str(store.parent)], check=True)


def wait_for_hang(server):
    """Until a thread of the server waits for the disk."""
    until = time.monotonic() + 60
    while not any(state(task / "stat") == "D" for task in Path(f"/proc/{server}/task").iterdir()):
        os.sched_yield()
        if time.monotonic() > until:
            fault("no thread of the server waits for the disk")
            return


def hang(server, begin, end):
    """Three callers while the disk stands still, two of them with the same request."""
    before = call("Status")["rev"]
    count = int((directory / "COUNTER").read_text())
    again = os.urandom(16).hex()
    begin()
    try:
        writers = [Writer("COUNTER", str(count + 1), again), Writer("COUNTER", str(count + 1), again),
                   Writer("OTHER", str(count + 1), os.urandom(16).hex())]
        wait_for_hang(server)
        until = time.monotonic() + seconds
        while True:
            all_come_round(ROUNDS, "while the disk does")
            if faults:
                break
            done = subprocess.run(["emsa", "get", "prod/web/KEY1"], capture_output=True, timeout=60)
            if done.stdout != b"value-1":
                fault(f"a command's answer is wrong: {done}")
            if time.monotonic() >= until:
                break
        for writer in writers:
            if writer.answer is not None:
                fault("a commit was answered that cannot be on the disk")
    finally:
        end()
    for writer in writers:
        writer.join(timeout=60)
        if writer.answer is None:
            fault("a commit was never answered")
    if call("Status")["rev"] != before + 2:
        fault(f"two different changes came to {call('Status')['rev'] - before} revisions")
    if int((directory / "COUNTER").read_text()) != count + 1:
        fault("what was committed is not shown")


def main():
    threads = [threading.Thread(target=reader, args=(number,), daemon=True) for number in range(READERS)]
    for thread in threads:
        thread.start()
    all_come_round(10, "at first")
    server = call("Status")["processes"]["server"]
    hang(server, stop_disk, lambda: os.kill(disk, signal.SIGCONT))
    hang(server, freeze, lambda: subprocess.run(["fsfreeze", "--unfreeze", str(store.parent)], check=True))
    all_come_round(10, "after it")
    is_over.set()
    for thread in threads:
        thread.join(timeout=60)
    status = call("Status")
    if status["processes"]["server"] != server:
        fault("the server was replaced for waiting for its disk")
    print(f"{sum(rounds)} rounds of reading, the longest {worst * 1000:.0f} ms, {len(faults)} faults")
    sys.stdout.flush()
    os._exit(1 if faults else 0)  # a reader that hangs in the kernel must not keep us


if __name__ == "__main__":
    main()
