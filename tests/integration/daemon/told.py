#!/usr/bin/python3
"""told.py commit SOCKET MOUNT COUNT PIPE: COUNT commits to keys of prod/web at random, then K0=over and END; says to the pipe when
to kill. A connection that ends without an answer is made again. At the end every key must hold what it was set to last.

told.py watch HOW PATH READY: watches a directory or a file, by HOW ("inotifywait", or "inotify": the system call), reads at each
CLOSE_WRITE what changed, until END or "over" was read. What was read at the last event of each key must be its last value.
A line goes to READY, a pipe, when the watch stands."""
import ctypes
import os
import pathlib
import random
import struct
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import varlink  # noqa: E402

KEYS = 40
KILLS = 40
IN_CLOSE_WRITE, IN_Q_OVERFLOW = 0x8, 0x4000


def commit(socket, mount, count, pipe):
    seed = int(os.environ.get("EMSA_TEST_SEED", "20261"))
    print(f"seed {seed}")
    chance = random.Random(seed)
    connection = varlink.Connection(socket)
    again, revision, model, faults = 0, 0, {}, []

    def send(key, value):
        nonlocal connection, again, revision
        model[key] = value
        while True:
            try:
                got = connection.set({f"prod/web/{key}": value.encode()})
                break
            except (ConnectionError, BrokenPipeError):
                again += 1
                connection = varlink.Connection(socket)
        if got <= revision:
            faults.append(f"{key}={value}: revision {got} after {revision}")
        revision = got

    with open(pipe, "w", buffering=1) as marks:
        for number in range(1, count + 1):
            # at first each in turn, so that a short run has them all too
            send(f"K{number if number < KEYS else chance.randrange(KEYS)}", str(number))
            if number % max(1, count // KILLS) == 0:
                marks.write(f"{number}\n")
    send("K0", "over")
    send("END", "over")
    for key, value in model.items():
        found = (mount / "prod/web" / key).read_text()
        if found != value:
            faults.append(f"{key} is {found}, and was set to {value}")
    print(f"{count} commits, {again} asked again, {len(faults)} faults")
    return faults


def events_of_inotifywait(path, ready):
    program = subprocess.Popen(["inotifywait", "-m", "-e", "close_write", "--format", "%f", path],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while "established" not in program.stderr.readline():
        if program.poll() is not None:
            sys.exit("inotifywait ended")
    ready.write_text("stands\n")
    try:
        for line in program.stdout:
            yield line.rstrip("\n")
    finally:
        program.kill()
        program.wait()


def events_of_inotify(path, ready):
    libc = ctypes.CDLL(None, use_errno=True)
    fd = libc.inotify_init1(os.O_CLOEXEC)
    if libc.inotify_add_watch(fd, str(path).encode(), IN_CLOSE_WRITE) < 0:
        sys.exit(f"cannot watch {path}: {os.strerror(ctypes.get_errno())}")
    ready.write_text("stands\n")
    while True:
        data = os.read(fd, 65536)
        while data:
            _, mask, _, size = struct.unpack_from("iIII", data)
            if mask & IN_Q_OVERFLOW:
                sys.exit("too many events: the watch was not read in time")
            if mask & IN_CLOSE_WRITE:
                yield data[16:16 + size].rstrip(b"\0").decode()
            data = data[16 + size:]


def watch(how, path, ready):
    is_file = path.is_file()
    seen, count = {}, 0
    events = (events_of_inotifywait if how == "inotifywait" else events_of_inotify)(path, ready)
    for name in events:
        key = "" if is_file else name
        count += 1
        seen[key] = (path / key).read_text()
        if seen[key] == "over" and (is_file or key == "END"):
            break
    events.close()
    faults = [f"{key}: read {value} at its last event, and it is {(path / key).read_text()}"
              for key, value in seen.items() if (path / key).read_text() != value]
    keys = 1 if is_file else KEYS + 1
    if len(seen) != keys:
        faults.append(f"events of {len(seen)} keys, and {keys} were set")
    print(f"{how} {path.name}: {count} events of {len(seen)} keys, {len(faults)} faults")
    return faults


if sys.argv[1] == "commit":
    wrong = commit(sys.argv[2], pathlib.Path(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
else:
    wrong = watch(sys.argv[2], pathlib.Path(sys.argv[3]), pathlib.Path(sys.argv[4]))
for fault in wrong[:20]:
    print(fault)
sys.exit(1 if wrong else 0)
