#!/usr/bin/python3
"""snapshot.py MOUNT ROUNDS: readers of prod/web while one commit after the other gives all 50 keys another value."""
import json
import mmap
import os
import subprocess
import sys
import threading

KEYS = [f"K{number:02}" for number in range(50)]
COMMITS_LEAST = 30  # so many must have been seen
COMMITS_MOST = 2000
FAULTS_MOST = 20


def value(turn):
    """Of another length each time, so that what is cut is seen."""
    return f"{turn}-" + "x" * (turn * 37 % 211) + "-end"


def commit(turn):
    subprocess.run(["emsa", "set", "prod/web", *[f"{key}={value(turn)}" for key in KEYS], "--new"], check=True, capture_output=True)


class Committer(threading.Thread):
    def __init__(self):
        super().__init__(daemon=True)  # it ends with the test, however that does
        self.turn, self.ended, self.failure = 1, threading.Event(), None

    def run(self):
        try:
            while not self.ended.is_set():
                self.turn += 1
                commit(self.turn)
        except subprocess.CalledProcessError as failure:
            self.failure = failure.stderr


# --- ways to read: the 50 values

def head(service):
    """What a program does that wants one snapshot of many files."""
    folder = os.open(f"{service}/.emsa/head/", os.O_RDONLY | os.O_DIRECTORY)
    try:
        found = []
        for key in KEYS:
            fd = os.open(key, os.O_RDONLY, dir_fd=folder)
            found.append(os.read(fd, 4096).decode())
            os.close(fd)
        return found
    finally:
        os.close(folder)


def lines(text):
    found = dict(line.split("=", 1) for line in text.splitlines())
    return [found[key] for key in KEYS] if sorted(found) == KEYS else [f"the names are {sorted(found)}"]


def env_by_size(service):
    """As bash reads a file: as many bytes as fstat says."""
    fd = os.open(f"{service}/.emsa/env", os.O_RDONLY)
    try:
        return lines(os.read(fd, os.fstat(fd).st_size).decode())
    finally:
        os.close(fd)


def env_in_pieces(service):
    """From the end that a seek finds back to the start, then in small pieces."""
    with open(f"{service}/.emsa/env", "rb", buffering=0) as file:
        size, pieces = file.seek(0, os.SEEK_END), []
        file.seek(0)
        while piece := file.read(777):
            pieces.append(piece)
    text = b"".join(pieces)
    return lines(text.decode()) if len(text) == size else [f"{len(text)} of {size} bytes"]


def env_mapped(service):
    with open(f"{service}/.emsa/env", "rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapped:
        return lines(mapped[:].decode())


def env_by_bash(service):
    names = " ".join(f'"${key}"' for key in KEYS)
    done = subprocess.run(["bash", "-c", f'. "$0" && printf "%s\\n" {names}', f"{service}/.emsa/env"], capture_output=True, check=True)
    return done.stdout.decode().splitlines()


def members(service):
    with open(f"{service}/.emsa/json", encoding="utf-8") as file:
        found = json.load(file)
    return [found[key] for key in KEYS] if sorted(found) == KEYS else [f"the names are {sorted(found)}"]


WAYS = [head, env_by_size, env_in_pieces, env_mapped, members]


def is_whole(found):
    if len(found) != len(KEYS) or len(set(found)) != 1:
        return False
    turn = found[0].split("-")[0]
    return turn.isdigit() and found[0] == value(int(turn))


def main():
    mount, rounds = sys.argv[1], int(sys.argv[2])
    service, faults, turns, done = f"{mount}/prod/web", [], set(), 0
    commit(1)
    committer = Committer()
    committer.start()
    while (done < rounds or len(turns) < COMMITS_LEAST and committer.turn < COMMITS_MOST) and not committer.failure and len(faults) < FAULTS_MOST:
        for way in WAYS + ([env_by_bash] if done % 20 == 0 else []):
            try:
                found = way(service)
            except (ValueError, KeyError, OSError, subprocess.CalledProcessError) as failure:
                found = [f"{type(failure).__name__}: {failure}"]
            if not is_whole(found):
                faults.append(f"round {done}, {way.__name__}: {sorted(set(found))[:4]}")
            else:
                turns.add(found[0].split("-")[0])
        done += 1
    committer.ended.set()
    committer.join()
    if len(turns) < COMMITS_LEAST:
        faults.append(f"only {len(turns)} of {committer.turn} commits were seen")
    if committer.failure:
        faults.append(f"a commit failed: {committer.failure}")
    for fault in faults[:20]:
        print("FAULT:", fault, file=sys.stderr)
    print(f"{done} rounds by {len(WAYS) + 1} ways during {committer.turn} commits, {len(turns)} of them seen: {len(faults)} faults")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
