#!/usr/bin/python3
"""memory.py DIRECTORY SOCKET GROUP HOW: takes the server's memory away under readers, who must neither see an
error nor stand still. HOW is 'kill' (its control group, GROUP, may have nothing more: the kernel kills it), 'hang'
(the same where the kernel lets it wait instead, so that it lives and does not answer) or 'space' (no address
space more than it has: whatever asks for some is refused). With 'kill' another server must follow, with 'space' it
must be the same; with 'hang' its other threads may serve, or another server."""
import os
import pathlib
import resource
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import varlink  # noqa: E402

directory, path, group, how = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3]), sys.argv[4]
PATIENCE = 60
faults = []
turns = [0, 0, 0]
is_over = threading.Event()
progress = threading.Condition()
worst = 0.0
first = {}


def turn():
    global worst
    for key in os.listdir(directory):
        started = time.monotonic()
        with open(os.path.join(directory, key), "rb") as file:
            value = file.read()
        if first.setdefault(key, value) != value:
            faults.append(f"{key} has changed")
        worst = max(worst, time.monotonic() - started)


def read(number):
    while not is_over.is_set():
        try:
            turn()
        except OSError as error:
            faults.append(str(error))
        with progress:
            turns[number] += 1
            progress.notify_all()


def go_on(what):
    with progress:
        goal = [count + 2 for count in turns]
        if not progress.wait_for(lambda: all(a >= b for a, b in zip(turns, goal)), timeout=PATIENCE):
            faults.append(f"readers stand still {what}")


def pid_of_server():
    while True:
        try:
            return varlink.Connection(path).call("Status")["processes"]["server"]
        except ConnectionError:
            continue


def starve(server):
    """Leaves the server alone in the group, which may have no page more than it has now."""
    for pid in (group / "cgroup.procs").read_text().split():
        if int(pid) != server:
            (group.parent / "cgroup.procs").write_text(pid)
    if how == "hang":
        (group / "memory.oom_control").write_text("1")
    # What can be given back is, then less is not taken; what it needs next it cannot have.
    until = time.monotonic() + PATIENCE
    enough = sum(turns) + 10 * len(turns) if how == "hang" else float("inf")
    while server_lives(server) and time.monotonic() < until and sum(turns) < enough:
        try:
            (group / "memory.force_empty").write_text("0")
            (group / "memory.limit_in_bytes").write_text((group / "memory.usage_in_bytes").read_text())
        except OSError:
            pass  # it grew in between
        with progress:
            progress.wait(timeout=1)
    if server_lives(server) and sum(turns) < enough:
        faults.append("the starved server was not replaced")


def server_lives(server):
    """Whether it is that one still, as its supervisor sees it: a process that waits to be reaped is none."""
    try:
        return pathlib.Path(f"/proc/{server}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def tighten(server):
    pages = int(pathlib.Path(f"/proc/{server}/statm").read_text().split()[0])
    size = pages * os.sysconf("SC_PAGE_SIZE")
    resource.prlimit(server, resource.RLIMIT_AS, (size, resource.RLIM_INFINITY))


threads = [threading.Thread(target=read, args=(number,), daemon=True) for number in range(len(turns))]
for thread in threads:
    thread.start()
go_on("at first")
before = pid_of_server()
worst = 0.0
if how == "space":
    tighten(before)
else:
    starve(before)
go_on("without memory")
while True:
    try:
        first["ADDED"] = b"1"
        varlink.Connection(path).set({"prod/web/ADDED": b"1"})
        break
    except ConnectionError:
        continue  # this server was replaced while it was asked
    except varlink.Refused as refused:  # a commit may be refused where there is no memory for it
        if how != "space":
            faults.append(f"a commit was refused: {refused}")
        break
go_on("after a commit")
if how != "hang" and (pid_of_server() == before) != (how == "space"):
    faults.append("it was the same server before and after" if how != "space" else "the server was replaced")
is_over.set()
for thread in threads:
    thread.join(timeout=60)
print(f"{how}: {sum(turns)} turns, the longest read {worst * 1000:.0f} ms, {len(faults)} faults")
for fault in faults[:20]:
    print(fault)
sys.stdout.flush()
os._exit(1 if faults else 0)  # a reader that hangs in the kernel must not keep us
