#!/usr/bin/python3
"""poison.py SERVICE-DIRECTORY SOCKET LOG: makes requests that kill the server (poison.c), while others read. Each of them gets
EIO, after two servers died of it; the others never notice. Prints how long each took."""
import errno
import os
import pathlib
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import varlink  # noqa: E402

directory, path, log = pathlib.Path(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3])
TOLD = "answered with an error: two servers died of it"
READERS = 4
faults, turns = [], [0] * READERS
is_over = threading.Event()


def read(number):
    held = os.open(directory / "PASSWORD", os.O_RDONLY)
    while not is_over.is_set():
        try:
            if (directory / "PORT").read_bytes() != b"8080" or os.pread(held, 100, 0) != b"hidden words":
                faults.append("a wrong value")
            os.stat(directory / "PORT")
            if (directory / f"MISSING{turns[number]}").exists():
                faults.append("MISSING exists")
            os.listdir(directory)
        except OSError as error:
            faults.append(str(error))
        turns[number] += 1


def restarts(name):
    while True:
        try:
            return varlink.Connection(path).call("Status")["restarts"][name]
        except ConnectionError:
            continue


def expect(what, expected, found):
    if expected != found:
        faults.append(f"{what}: expected {expected}, found {found}")


def look_up(how):
    try:
        os.stat(directory / f"DIES.{how}")
        return "nothing"
    except OSError as error:
        return errno.errorcode[error.errno]


def read_magic(_):
    program = "import os, sys\nfd = os.open(sys.argv[1], os.O_RDONLY)\ntry: os.read(fd, 10)\nexcept OSError as e: print(e.errno)"
    done = subprocess.run(["setpriv", "--regid", "4243", "--clear-groups", "/usr/bin/python3", "-c", program,
                           str(directory / "PORT")], capture_output=True, text=True, check=True)
    return errno.errorcode[int(done.stdout or 0)] if done.stdout else "nothing"


threads = [threading.Thread(target=read, args=(number,), daemon=True) for number in range(READERS)]
for thread in threads:
    thread.start()
for count, (what, poison) in enumerate([("SEGV", look_up), ("ABORT", look_up), ("SYS", look_up), ("EXIT", look_up),
                                        ("READ", read_magic)], 1):
    marks = list(turns)
    started = time.monotonic()
    expect(what, "EIO", poison(what))
    took = time.monotonic() - started
    expect(f"{what}: requests refused", count, restarts("requests_refused"))
    expect(f"{what}: servers crashed", 2 * count, restarts("servers_crashed"))
    # the line is written a little later than the answer is given, and is lost with its server
    while any(now < mark + 3 for now, mark in zip(turns, marks)) or log.read_text().count(TOLD) < count:
        if time.monotonic() - started > 60:
            faults.append("readers stand still, or it is not told")
            break
        os.sched_yield()
    print(f"{what}: EIO after {took * 1000:.0f} ms")
is_over.set()
for thread in threads:
    thread.join(timeout=60)
print(f"{sum(turns)} turns of reading, {len(faults)} faults")
for found in faults[:20]:
    print(found)
sys.stdout.flush()
os._exit(1 if faults else 0)
