"""Reading, side by side: every operation on every file system, in turns and rounds. On one core with the server
(where what is measured is what both do, and the clock is steady), and opening, reading and closing also where the
scheduler puts them: on two cores each answer costs an interrupt to the reader's, which on a virtual machine is most
of it."""
import json
import os
import statistics
import subprocess
from pathlib import Path

import targets

COUNTS = {"orc": 3000, "cat": 1000, "stat": 20000, "pread": 3000, "ls": 200}
ANYWHERE = "orc anywhere"
OPS = (*COUNTS, ANYWHERE)


def measure(binaries, op, path, count, core=None, **options):
    command = [binaries / "measure", op, path, str(count)]
    if core is not None:
        command = ["taskset", "-c", str(core), *command]
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode:
        raise targets.LeftOut(done.stderr.strip())
    return json.loads(done.stdout)


def servers(name, folder, emsa):
    """The processes that answer for a file system."""
    if name.startswith("emsa"):
        return [emsa.status()["processes"]["server"]]
    mount = str(folder.parent.parent)  # .../e/s
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if mount in words and int(process.name) != os.getpid():
            found.append(int(process.name))
    return found


def place(pids, cores):
    for pid in pids:
        subprocess.run(["taskset", "-a", "-p", "-c", ",".join(map(str, cores)), str(pid)], capture_output=True)


def one(binaries, op, folder, core, quick):
    kind = "orc" if op == ANYWHERE else op
    path = folder if kind == "ls" else folder / targets.FILE
    return measure(binaries, kind, path, COUNTS[kind] // (20 if quick else 1), core)


def rounds(binaries, folders, emsa, times, quick, log):
    """{target: {op: {"p50": ns, "p99": ns, "rounds": [...]}}}, medians over the rounds."""
    cores = sorted(os.sched_getaffinity(0))
    answering = {name: servers(name, folder, emsa) for name, folder in folders.items()}
    samples = {name: {op: [] for op in OPS} for name in folders}
    for turn in range(times):
        for op in OPS:
            alone = op != ANYWHERE
            for name, folder in folders.items():
                place(answering[name], cores[:1] if alone else cores)
                samples[name][op].append(one(binaries, op, folder, cores[0] if alone else None, quick))
        log(f"round {turn + 1} of {times}")
    return {name: {op: {"p50": statistics.median(sample["p50"] for sample in taken),
                        "p99": statistics.median(sample["p99"] for sample in taken),
                        "rounds": [sample["p50"] for sample in taken]}
                   for op, taken in of_one.items()} for name, of_one in samples.items()}


def profile(binaries, folder, pid, work, count):
    """Where a server is while one reader opens, reads and closes: [(share in percent, where)], without the waiting."""
    data = work / "perf.data"
    core = min(os.sched_getaffinity(0))
    place([pid], [core])
    command = ["taskset", "-c", str(core), binaries / "measure", "orc", folder / targets.FILE, str(count)]
    try:
        subprocess.run(["perf", "record", "-q", "-e", "cpu-clock", "-F", "4000", "-o", data, "-p", str(pid), "--", *command],
                       capture_output=True, check=True)
    finally:
        place([pid], sorted(os.sched_getaffinity(0)))
    done = subprocess.run(["perf", "report", "-i", data, "--no-children", "--sort", "dso,sym", "--stdio",
                           "-F", "overhead,dso,sym"], capture_output=True, text=True)
    lines = [line.split(None, 1) for line in done.stdout.splitlines() if line.strip() and not line.startswith("#")]
    shares = [(float(share.rstrip("%")), " ".join(where.split())) for share, where in lines
              if "finish_task_switch" not in where]
    return sorted(shares, reverse=True)[:16]
