#!/usr/bin/python3
"""idle.py SECONDS PID...: how much these processes ran in that time, once they have come to rest, by the kernel's
own account of each of their threads: nanoseconds on a processor, and how often they were put on one. Nobody asks
them for anything, so it must be nothing at all, and no clock decides about it."""
import select
import sys
from pathlib import Path

seconds, pids = float(sys.argv[1]), sys.argv[2:]


def account():
    """{thread: (nanoseconds, turns)}"""
    return {task.name: tuple(int(word) for word in (task / "schedstat").read_text().split())[::2]
            for pid in pids for task in Path(f"/proc/{pid}/task").iterdir()}


def let_pass(seconds):
    """There is no event to wait for: that there is none is what we are here to see."""
    select.select([], [], [], seconds)


before = account()
for _ in range(60):
    let_pass(0.7)
    now = account()
    if now == before:
        break
    before = now
else:
    sys.exit("they do not come to rest")
let_pass(seconds)
after = account()
ran = {thread: (after.get(thread, (0, 0))[0] - spent, after.get(thread, (0, 0))[1] - turns)
       for thread, (spent, turns) in before.items() if after.get(thread) != (spent, turns)}
if set(after) != set(before):
    sys.exit(f"other threads than before: {sorted(before)}, {sorted(after)}")
for thread, (spent, turns) in ran.items():
    name = Path(f"/proc/{thread}/comm").read_text().strip()
    print(f"thread {thread} of {name} ran {turns} times, {spent} ns", file=sys.stderr)
print(f"{len(before)} threads of {len(pids)} processes: {sum(s for s, _ in ran.values())} ns in {seconds:.0f} s")
sys.exit(1 if ran else 0)
