"""Changes: a durable commit against what it does to the disk, bare; how soon another mount namespace sees it; and
what a thousand views cost."""
import json
import statistics
import subprocess

import readers
import targets


def commits(binaries, emsa, work, times, quick):
    """One durable key a commit, against what such a commit does to the disk, bare; taken in turns."""
    count = 50 if quick else 500
    bare, real = [], []
    for turn in range(times):
        bare.append(readers.measure(binaries, "sync", work / "bare", count))
        lines = "\n".join(json.dumps({"method": "io.emsa.Set", "parameters": {
            "operations": [{"path": "e/s/k00", "kind": "plain", "value": f"{turn}-{number}".ljust(64, "x")}],
            "reason": "bench"}}) for number in range(count * 2))
        real.append(readers.measure(binaries, "calls", emsa.socket, count, input=lines))
    return {name: {part: statistics.median(one[part] for one in rounds) for part in ("p50", "p99")}
            for name, rounds in (("bare", bare), ("commit", real))}


def seen(binaries, emsa, tree, work, times, quick):
    """{"value": ..., "event": ...}: from the call to when another mount namespace reads the value, or has the word."""
    place = work / "elsewhere"
    place.mkdir()
    found = {}
    for how in ("value", "event"):
        rounds = [json.loads(targets.run(binaries / "changes", how, emsa.socket, "e/s/k01", tree / "e" / "s", place,
                                         50 if quick else 1000)) for _ in range(1 if quick else min(times, 3))]
        found[how] = {"missed": sum(one["missed"] for one in rounds)}
        for what in ("acknowledged", "seen"):
            found[how][what] = {part: statistics.median(one[what][part] for one in rounds)
                                for part in ("p50", "p99", "max")}
    return found


def views(binaries, work, quick):
    done = subprocess.run([binaries / "views", work / "views", "50" if quick else "1000", "2" if quick else "20"],
                          capture_output=True, text=True)
    if done.returncode:
        raise targets.LeftOut(done.stderr.strip())
    return json.loads(done.stdout)
