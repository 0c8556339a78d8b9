"""What a large store with a history costs: loading it, starting on it, reading from it, and how soon a server that
was killed answers again."""
import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import readers
import targets

SERVICE_KEYS = 100


def path_of(number):
    return f"e/s{number // SERVICE_KEYS:05}/k{number:07}"


def load(binaries, folder, keys, log):
    emsa = targets.Emsa(binaries, folder)
    emsa("env", "add", "e")
    lines = folder / "lines"
    value = targets.CONTENT.decode()
    with lines.open("w") as out:
        for number in range(keys):
            out.write(json.dumps({"path": path_of(number), "value": value}) + "\n")
    started = time.monotonic()
    emsa("import", "--tree", lines)
    took = time.monotonic() - started
    lines.unlink()
    log(f"loaded {keys} keys in {took:.1f} s")
    return emsa, took


def timed(function, *words):
    started = time.perf_counter()
    result = function(*words)
    return (time.perf_counter() - started) * 1000, result


def memory(pid):
    wanted = ("VmRSS", "RssAnon", "RssFile", "RssShmem", "VmLck")
    lines = (line.split(":") for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return {name: int(rest.split()[0]) for name, rest in lines if name in wanted}


def restart(emsa, tree, times):
    """Milliseconds from kill -9 of the server to an answered read on the same mount: least, median, most."""
    found = []
    path = tree / path_of(0)
    for _ in range(times):
        os.kill(emsa.status()["processes"]["server"], signal.SIGKILL)
        took, data = timed(path.read_bytes)
        assert data == targets.CONTENT
        found.append(took)
    found.sort()
    return {"least": found[0], "median": found[len(found) // 2], "most": found[-1]}


def history(binaries, emsa, keys, revisions):
    """Commits of one key each, all over the store."""
    chosen = random.Random(2)
    lines = "\n".join(json.dumps({"method": "io.emsa.Set", "parameters": {
        "operations": [{"path": path_of(chosen.randrange(1, keys)), "kind": "plain", "value": targets.CONTENT.decode()}],
        "reason": "bench"}}) for _ in range(revisions * 2))
    readers.measure(binaries, "calls", emsa.socket, revisions, input=lines)


def reads(binaries, emsa, tree, keys, folder):
    paths = folder / "paths"
    chosen = random.Random(1).sample(range(keys), min(1000, keys))
    paths.write_text("".join(f"{tree / path_of(number)}\n" for number in chosen))
    for line in paths.read_text().splitlines():
        Path(line).read_bytes()
    core = min(os.sched_getaffinity(0))
    readers.place(readers.servers("emsa", tree, emsa), [core])
    one = [readers.measure(binaries, "orc", tree / path_of(keys // 2), 3000, core)["p50"] for _ in range(5)]
    spread = [readers.measure(binaries, "spread", paths, 5000, core)["p50"] for _ in range(5)]
    return {"orc": sorted(one)[2], "spread": sorted(spread)[2]}


def start(emsa):
    """Milliseconds until the first read is answered, with nothing running before; and the mount."""
    begun = time.perf_counter()
    tree = emsa.mount("m")
    mounted = time.perf_counter()
    data = (tree / path_of(0)).read_bytes()
    done = time.perf_counter()
    assert data == targets.CONTENT
    return {"start_and_mount_ms": (mounted - begun) * 1000, "first_read_ms": (done - begun) * 1000}, tree


def one_size(binaries, folder, keys, revisions, log):
    emsa, took = load(binaries, folder, keys, log)
    figures, tree = start(emsa)
    # The daemon runs already, as it does on a host: this is the mount alone.
    mount, _ = timed(emsa.mount, "again")
    figures |= {"keys": keys, "revisions": revisions, "load_seconds": took, "mount_ms": mount}
    if revisions > 1:
        history(binaries, emsa, keys, revisions)
    figures |= reads(binaries, emsa, tree, keys, folder)
    figures["memory_kb"] = memory(emsa.status()["processes"]["server"])
    figures["restart_ms"] = restart(emsa, tree, 9)
    listing, names = timed(lambda: subprocess.run(["ls", "-U", tree / "e"], capture_output=True, check=True).stdout)
    figures["ls_ms"], figures["services"] = listing, len(names.splitlines())
    figures["store_bytes"] = emsa.status()["used_bytes"]
    return figures


def scale(binaries, work, keys, revisions, log):
    return [one_size(binaries, work / "small", 1000, 1, log),
            one_size(binaries, work / "large", keys, revisions, log)]
