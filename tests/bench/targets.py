"""The file systems that are measured side by side. Each is a folder of a hundred files of 64 bytes, mounted
below one work folder and ended with the namespace that the run lives in."""
import json
import os
import shutil
import subprocess
from pathlib import Path

FILES = 100
CONTENT = b"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\n"
FILE = "k42"


class LeftOut(Exception):
    """A target that cannot be measured here, with the reason."""


def run(*command, **options):
    """A command that must succeed; its standard output."""
    done = subprocess.run([str(word) for word in command], capture_output=True, **options)
    if done.returncode:
        raise LeftOut(f"{Path(command[0]).name} ended with {done.returncode}: "
                      f"{(done.stderr or done.stdout).decode(errors='replace').strip()[:300]}")
    return done.stdout.decode()


def fill(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(FILES):
        (folder / f"k{number:02}").write_bytes(CONTENT)
    return folder


class Emsa:
    """One store of its own, its daemon, and its mounts."""

    def __init__(self, binaries, folder):
        self.command = binaries / "emsa"
        self.folder = folder
        self.store = folder / "store"
        folder.mkdir(parents=True, exist_ok=True)
        self.environment = dict(os.environ, EMSA_STORE=str(self.store))
        self.environment.pop("EMSA_IDENTITY", None)
        self("init")

    def __call__(self, *words, **options):
        return run(self.command, *words, env=self.environment, **options)

    def fill(self):
        self("env", "add", "e")
        lines = self.folder / "lines"
        with lines.open("w") as out:
            for number in range(FILES):
                out.write(json.dumps({"path": f"e/s/k{number:02}", "value": CONTENT.decode()}) + "\n")
        self("import", "--tree", lines)
        value = self.folder / "value"
        value.write_bytes(CONTENT)
        files = [word for number in range(FILES) for word in ("--secret-file", f"k{number:02}={value}")]
        self("set", "e/x", *files)

    def mount(self, name, *options):
        where = self.folder / name
        where.mkdir()
        self("mount", where, *options)
        return where

    def status(self):
        return json.loads(self("status", "--json"))

    @property
    def socket(self):
        return self.store / "socket"


def tmpfs(_binaries, work):
    run("mount", "-t", "tmpfs", "bench", work)
    return fill(work / "e" / "s")


def null(*options):
    def start(binaries, work):
        server = subprocess.Popen([binaries / "null_fs", "--max-read", "65536", *options, work], stdout=subprocess.PIPE,
                                  start_new_session=True)  # as every daemon: the scheduler groups by it
        if server.stdout.readline() != b"ready\n":
            raise LeftOut("null_fs did not get ready")
        return work / "e" / "s"
    return start


def needs(program):
    if not shutil.which(program):
        raise LeftOut(f"{program} is not installed and could not be")


def gocryptfs(_binaries, work):
    needs("gocryptfs")
    cipher = work.with_name(work.name + "-cipher")
    cipher.mkdir()
    run("gocryptfs", "-q", "-init", "-scryptn", "10", "-extpass", "echo bench", cipher)
    run("gocryptfs", "-q", "-extpass", "echo bench", cipher, work)
    return fill(work / "e" / "s")


def encfs(_binaries, work):
    needs("encfs")
    cipher = work.with_name(work.name + "-cipher")
    cipher.mkdir()
    run("encfs", "--standard", "-S", cipher, work, input=b"bench\n")
    return fill(work / "e" / "s")


def securefs(_binaries, work):
    needs("securefs")
    cipher = work.with_name(work.name + "-cipher")
    cipher.mkdir()
    run("securefs", "create", "--pass", "bench", cipher)
    run("securefs", "mount", "-b", "--pass", "bench", "--log", "/dev/null", cipher, work)
    return fill(work / "e" / "s")


def all_targets(emsa):
    """(name, start): start(binaries, folder) gives the folder of files. emsa's share one store and daemon."""
    def plain(*options):
        return lambda _binaries, work: emsa.mount(work.name + "-m", *options) / "e" / "s"

    def secret(_binaries, work):
        return emsa.mount(work.name + "-m") / "e" / "x"

    return [("tmpfs", tmpfs), ("null direct_io", null()), ("null keep_cache", null("--cache")),
            ("emsa plain", plain()), ("emsa secret", secret), ("emsa --cache plain", plain("--cache")),
            ("gocryptfs", gocryptfs), ("encfs", encfs), ("securefs", securefs)]
