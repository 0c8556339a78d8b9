#!/usr/bin/python3
"""crash.py MOUNT BEFORE AFTER KILLS: what is held of the past, while servers are killed."""
import json
import os
import signal
import subprocess
import sys
import threading

ROUNDS_LEAST = 5
faults = []


def check(what, expected, found):
    if expected != found:
        faults.append(f"{what}: expected {expected!r}, found {found!r}")


def server():
    done = subprocess.run(["emsa", "status", "--json"], check=True, capture_output=True)
    return json.loads(done.stdout)["processes"]["server"]


class Killer(threading.Thread):
    def __init__(self, least):
        super().__init__(daemon=True)  # it ends with the test, however that does
        self.kills, self.least, self.ended = 0, least, threading.Event()

    def run(self):
        while self.kills < self.least or not self.ended.is_set():
            os.kill(server(), signal.SIGKILL)
            self.kills += 1


def diff(top, before, after):
    done = subprocess.run(["diff", "-r", f"{top}/{before}", f"{top}/{after}"], capture_output=True, check=False)
    return done.returncode, done.stdout, done.stderr


class Held:
    """What a program has open when its server dies."""

    def __init__(self, mount, before):
        self.top = f"{mount}/.emsa/at/{before}"
        self.inside = f"{self.top}/prod/b"
        os.chdir(self.inside)
        self.folder = os.open(f"{mount}/prod/a/.emsa/head/", os.O_RDONLY | os.O_DIRECTORY)
        self.names = os.listdir(self.folder)
        self.env = os.open(f"{mount}/prod/a/.emsa/env", os.O_RDONLY)
        self.text = os.read(self.env, 100)
        self.file = os.open(f"{self.top}/prod/c/SECRET", os.O_RDONLY)
        self.first = os.read(self.file, 3)
        self.inode = os.stat(self.inside).st_ino

    def look(self, wanted):
        check("the working directory", self.inside, os.getcwd())
        check("its inode", self.inode, os.stat(".").st_ino)
        check("a file in it", b"old-b-7", open("K7", "rb").read())
        check("a file beside it", b"old-d-7", open("../d/K7", "rb").read())
        check("names in what is held", self.names, os.listdir(self.folder))
        fd = os.open("K3", os.O_RDONLY, dir_fd=self.folder)
        check("a file in what is held", b"new-a-3", os.read(fd, 100))
        os.close(fd)
        check("a text from where it was", wanted, self.text + os.pread(self.env, len(wanted), 100))
        check("its size", len(wanted), os.fstat(self.env).st_size)
        check("a secret from where it was", b"old secret", self.first + os.pread(self.file, 100, 3))


def main():
    mount, before, after, kills = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    expected = diff(f"{mount}/.emsa/at", before, after)
    check("diff -r ends with", (1, b""), (expected[0], expected[2]))
    check("files that differ", 6 * 41, expected[1].count(b"\n> "))
    wanted = open(f"{mount}/prod/a/.emsa/env", "rb").read()
    held = Held(mount, before)
    # what is held stays what it was, whatever is said meanwhile
    subprocess.run(["emsa", "set", "prod/a", "K3=newest", "K1=" + "x" * 500], check=True, capture_output=True)
    killer = Killer(kills)
    killer.start()
    rounds = 0
    while killer.kills < kills or rounds < ROUNDS_LEAST:
        check("diff -r", expected, diff(f"{mount}/.emsa/at", before, after))
        check("diff -r by the environment", expected[1].count(b"\n> "),
              diff(f"{mount}/prod/.emsa/at", before, after)[1].count(b"\n> "))
        held.look(wanted)
        rounds += 1
    killer.ended.set()
    killer.join()
    held.look(wanted)
    for fault in faults[:20]:
        print("FAULT:", fault[:600], file=sys.stderr)
    print(f"{rounds} rounds through {killer.kills} kills, {len(faults)} faults")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
