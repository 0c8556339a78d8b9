#!/usr/bin/python3
"""Commits set all keys of a service to one number, all the while; every command that emsa-run starts must
see one number in all of them, and none older than the one before. revisions.py DIRECTORY RUNS"""
import os
import subprocess
import sys
import threading

KEYS = [f"K{number}" for number in range(40)]
directory, runs = sys.argv[1], int(sys.argv[2])
over = threading.Event()


def commit(number):
    lines = "".join(f"{key}={number}\n" for key in KEYS)
    subprocess.run(["emsa", "import", "prod/pair", "--format", "dotenv", "-"], input=lines.encode(), check=True,
                   stdout=subprocess.DEVNULL)


def keep_committing():
    number = 1
    while not over.is_set():
        number += 1
        commit(number)


commit(1)
committer = threading.Thread(target=keep_committing)
committer.start()
seen, last = set(), 0
try:
    for _ in range(runs):
        found = subprocess.run(["emsa-run", "--dir", directory, "--", sys.executable, "-c",
                                f"import os; print(*(os.environ[k] for k in {KEYS!r}))"],
                               capture_output=True, check=True)
        numbers = {int(text) for text in found.stdout.split()}
        if len(numbers) != 1:
            sys.exit(f"values of several revisions: {sorted(numbers)}")
        number = numbers.pop()
        if number < last:
            sys.exit(f"{number} after {last}")
        last = number
        seen.add(number)
finally:
    over.set()
    committer.join()
if len(seen) < 3:
    sys.exit(f"only {len(seen)} revisions were seen in {runs} runs: nothing is shown")
