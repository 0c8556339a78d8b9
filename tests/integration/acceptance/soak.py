#!/usr/bin/python3
"""soak.py WORK STORE SEED STEPS SECONDS: whatever happens to a store in a day, in short and at random: commits, reads in
every way, deaths of every process, servers that are stopped, keys that expire, views that come and go. Each answer is
compared with a model of our own. STEPS steps, or as many as SECONDS take if that is not 0; the same seed takes the
same steps (what they meet is the machine's). All the while two readers read, who know nothing of the model and check
that each value is whole, and a watcher reads each key again when it gets an event: it must come to have the last
value of every key."""
import ctypes
import fcntl
import hashlib
import mmap
import os
import random
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
from varlink import Connection, Refused  # noqa: E402

work, store, seed = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
STEPS, SECONDS = int(sys.argv[4]), float(sys.argv[5])
HAS_EVENTS = os.environ.get("EMSA_TEST_EVENTS", "yes") == "yes"
PATIENCE = 60
PLACES = [f"{environment}/{service}" for environment in ("dev", "prod") for service in ("api", "web")]
KEYS = [f"KEY{n}" for n in range(12)]
LENGTHS = (0, 1, 30, 4000, 4096, 5000, 70000)
VIEWS_MAX = 6
IN_CLOSE_WRITE, IN_CREATE, IN_DELETE, IN_Q_OVERFLOW = 0x8, 0x100, 0x200, 0x4000

dice = random.Random(seed)
model = {}      # path: value
ending = {}     # path: when it expires at the earliest
generation = {}  # path: counts its removals
reasons = []    # of the commits that were acknowledged
counts = {}
steps_done = []
is_over = threading.Event()


class Wrong(Exception):
    """What was found is not what the model says."""


def note(what):
    counts[what] = counts.get(what, 0) + 1


def value_of(length):
    """Its own checksum and so much of anything: whoever reads it alone can tell whether it is whole."""
    body = dice.randbytes((length + 1) // 2).hex()[:length].encode()
    return hashlib.sha256(body).hexdigest()[:16].encode() + body


def is_whole(value):
    return hashlib.sha256(value[16:]).hexdigest()[:16].encode() == value[:16]


def sealed(data):
    """A descriptor of these bytes, as values may travel."""
    fd = os.memfd_create("values", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    with os.fdopen(os.dup(fd), "wb") as out:
        out.write(data)
    os.lseek(fd, 0, os.SEEK_SET)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL)
    return fd


def call(method, values=None, **parameters):
    """A call that is answered by whichever server there is; a change bears the same id each time."""
    until = time.monotonic() + PATIENCE
    while True:
        descriptors = [sealed(values)] if values is not None else []
        try:
            connection = Connection(str(store / "socket"))
            return connection.call(method, descriptors, **parameters, **({"values": 0} if descriptors else {}))
        except OSError:
            if time.monotonic() > until:
                raise
        finally:
            for fd in descriptors:
                os.close(fd)


def describe(where):
    """What helps who looks into a name that was not there."""
    view = work / where.relative_to(work).parts[0]
    is_mounted, names = os.path.ismount(view), os.listdir(where.parent) if where.parent.is_dir() else None
    until, tries = time.monotonic() + 5, 0
    while not where.exists() and time.monotonic() < until:
        tries += 1
    return f"mounted: {is_mounted}, names beside: {names}, there after {tries} more tries: {where.exists()}"


def whole_log():
    """Every commit: the log is given in pieces, newest first."""
    commits, place = [], {}
    while True:
        piece = call("Log", **place)
        commits += piece["commits"]
        if not piece["more"]:
            return commits
        place = {"before": commits[-1]["rev"]}


def processes():
    """All that are there: one may just be being started, and its id is 0 then."""
    until = time.monotonic() + PATIENCE
    while True:
        found = call("Status")["processes"]
        if all(found[name] for name in ("server", "notifier")):
            return found
        if time.monotonic() > until:
            raise Wrong(f"not all processes are there: {found}")


def process(name):
    return processes()[name]


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # the one before it took it along


# The watcher.

class Watcher:
    """The service directories of the first view: what each key was read to be at its last event."""

    def __init__(self, directory):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.fd = self.libc.inotify_init1(os.O_CLOEXEC)
        self.directory, self.places, self.read = directory, {}, {}
        for place in PLACES:
            watch = self.libc.inotify_add_watch(self.fd, str(directory / place).encode(),
                                                IN_CLOSE_WRITE | IN_CREATE | IN_DELETE)
            self.places[watch] = place
            for name in os.listdir(directory / place):
                self.look(f"{place}/{name}")

    def look(self, path):
        try:
            self.read[path] = (self.directory / path).read_bytes()
        except FileNotFoundError:
            self.read.pop(path, None)

    def take(self, patience):
        """One batch of events; False if none came."""
        if not select.select([self.fd], [], [], patience)[0]:
            return False
        data, at = os.read(self.fd, 1 << 20), 0
        while at < len(data):
            watch, mask, _, size = struct.unpack_from("iIII", data, at)
            name = data[at + 16:at + 16 + size].split(b"\0")[0].decode()
            at += 16 + size
            if mask & IN_Q_OVERFLOW:
                raise Wrong("events overflowed")
            if watch in self.places and name:
                note("events")
                self.look(f"{self.places[watch]}/{name}")
        return True

    def catch_up(self):
        """Until it has what the model has, by nothing but events."""
        while self.take(0):
            pass
        until = time.monotonic() + PATIENCE
        while True:
            wrong = [path for path in set(model) | set(self.read)
                     if path not in ending and self.read.get(path) != model.get(path)]
            if not wrong:
                return
            if not self.take(max(0, until - time.monotonic())):
                path = wrong[0]
                there = "there" if (self.directory / path).exists() else "not there"
                raise Wrong(f"no event told of the last value of {wrong[:5]}: {path} is {there}, {bool(path in model)} in the "
                            f"model, {bool(path in self.read)} at its last event, removed {generation.get(path, 0)} times")


# Readers who know nothing of the model.

def read_on(directory, number):
    own = random.Random(seed + number)
    while not is_over.is_set():
        path = directory / own.choice(PLACES) / own.choice(KEYS)
        try:
            if not is_whole(path.read_bytes()):
                steps_done.append(f"reader {number}: '{path}' is torn")
                is_over.set()
            note("reads beside")
        except FileNotFoundError:
            pass
        except OSError as error:
            steps_done.append(f"reader {number}: {error}")
            is_over.set()


# Steps.

class Soak:
    def __init__(self):
        self.views = [work / "view0"]
        self.held = []  # (path, generation, descriptor)
        self.number = 0
        self.supervisor = None

    def expected(self, path):
        """(value or None, whether it may have gone already)"""
        if path in ending:
            return model.get(path), time.time() >= ending[path]
        return model.get(path), False

    def forget(self, path):
        model.pop(path, None)
        ending.pop(path, None)
        generation[path] = generation.get(path, 0) + 1

    def settle(self, reply):
        """A commit may be answered before every view was told, and says so then: the notifier was just killed, and this
        machine is busy. It must not stay so."""
        if not reply.get("late"):
            return
        note("late commits")
        until = time.monotonic() + PATIENCE
        while call("Status")["published"] < reply["rev"]:
            if time.monotonic() > until:
                raise Wrong(f"revision {reply['rev']} is never told")

    def commit(self):
        operations, values, paths = [], [], dice.sample([f"{p}/{k}" for p in PLACES for k in KEYS], dice.randint(1, 6))
        self.number += 1
        reason = f"{seed}-{self.number}"
        begun = time.time()
        for path in paths:
            value = value_of(dice.choice(LENGTHS))
            operation = {"path": path, "kind": "secret" if int(path[-1]) % 3 == 0 else "plain", "size": len(value)}
            values.append(value)
            if dice.random() < 0.1:
                operation["ttl"] = dice.randint(1, 3)
            operations.append(operation)
        reply = call("Set", b"".join(values), operations=operations, reason=reason, request_id=dice.randbytes(16).hex(),
                     allow_equal=True)
        self.settle(reply)
        if reply["committed"]:  # what is set to what it is makes no commit
            reasons.append(reason)
        for operation, value in zip(operations, values):
            path = operation["path"]
            model[path] = value
            ending.pop(path, None)
            if "ttl" in operation:
                ending[path] = begun + operation["ttl"]
        self.check(dice.choice(paths))

    def remove(self):
        there = sorted(path for path in model if path not in ending)
        if not there:
            return
        paths = dice.sample(there, min(len(there), dice.randint(1, 3)))
        self.number += 1
        reason = f"{seed}-{self.number}"
        reply = call("Remove", paths=paths, reason=reason, request_id=dice.randbytes(16).hex())
        reasons.append(reason)
        self.settle(reply)
        for path in paths:
            self.forget(path)
        self.check(paths[0])

    def check(self, path=None):
        path = path or f"{dice.choice(PLACES)}/{dice.choice(KEYS)}"
        where = dice.choice(self.views) / path
        how = dice.choice(("read", "mmap", "stat", "small", "held"))
        value, _ = self.expected(path)
        try:
            fd = os.open(where, os.O_RDONLY)
        except FileNotFoundError:
            # asked again: it may have ended while the answer was waited for
            value, may_be_gone = self.expected(path)
            if value is None or may_be_gone:
                if may_be_gone:
                    self.forget(path)
                return
            raise Wrong(f"'{where}' is not there; {describe(where)}")
        if value is None:
            raise Wrong(f"'{where}' is there, and was removed")
        keep = False
        try:
            if how == "stat":
                found = value if os.fstat(fd).st_size == len(value) else b"wrong size"
            elif how == "mmap" and value:
                with mmap.mmap(fd, len(value), flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ) as mapped:
                    found = mapped[:]
            elif how == "small":
                found = b"".join(iter(lambda: os.read(fd, 1111), b""))
            else:
                found = os.read(fd, len(value) + 1) if len(value) < 60000 else b"".join(iter(lambda: os.read(fd, 65536), b""))
                keep = how == "held" and path not in ending
        finally:
            if keep:
                self.held.append((path, generation.get(path, 0), fd))
            else:
                os.close(fd)
        if found != value and not (path in ending and time.time() >= ending[path]):
            raise Wrong(f"'{where}' by {how}: {found[:40]!r} ({len(found)}), and not {value[:40]!r} ({len(value)})")
        note(f"checked by {how}")

    def held_again(self):
        if not self.held:
            return
        path, born, fd = self.held.pop(dice.randrange(len(self.held)))
        try:
            if path in model and path not in ending and generation.get(path, 0) == born:
                value = model[path]
                found = b""
                while part := os.pread(fd, 65536, len(found)):
                    found += part
                if found != value:
                    raise Wrong(f"a held descriptor of '{path}' has {found[:40]!r}, and not {value[:40]!r}")
                note("checked by a held descriptor")
        finally:
            os.close(fd)

    def names(self):
        place = dice.choice(PLACES)
        found = set(os.listdir(dice.choice(self.views) / place))
        for name in KEYS:
            path = f"{place}/{name}"
            value, may_be_gone = self.expected(path)
            if not may_be_gone and (name in found) != (value is not None):
                raise Wrong(f"'{path}' is {'' if name in found else 'not '}among the names")
        note("names checked")

    def kill_server(self):
        kill(process("server"))

    def kill_notifier(self):
        kill(process("notifier"))

    def kill_both(self):
        both = processes()
        kill(both["server"])
        kill(both["notifier"])

    def kill_supervisor(self):
        """The server goes on alone, and another takes over. Not with its notifier gone too: then nobody tells the
        kernel of new names until another supervisor is there."""
        self.commit()
        old = process("supervisor")
        os.kill(old, signal.SIGKILL)
        if self.supervisor and self.supervisor.pid == old:
            self.supervisor.wait()
        for _ in range(3):
            self.check()
            self.commit()
        self.supervisor = subprocess.Popen(["emsad", "--on-demand"], stderr=subprocess.DEVNULL)
        until = time.monotonic() + PATIENCE
        while process("supervisor") != self.supervisor.pid:
            if time.monotonic() > until or self.supervisor.poll() is not None:
                raise Wrong("no supervisor takes over")

    def stop_server(self):
        """It lives and does not answer: it is replaced."""
        os.kill(process("server"), signal.SIGSTOP)
        self.check()

    def mount(self):
        if len(self.views) < VIEWS_MAX:
            self.number += 1
            where = work / f"view-{self.number}"
            where.mkdir()
            subprocess.run(["emsa", "mount", where], check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE)
            self.views.append(where)

    def umount(self):
        if len(self.views) > 1:
            where = self.views.pop(dice.randrange(1, len(self.views)))
            for _, _, fd in self.held:
                os.close(fd)
            self.held.clear()
            subprocess.run(["emsa", "umount", where], check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE)

    def all(self):
        """Everything, in every view, and the log."""
        for view in self.views:
            for place in PLACES:
                for name in KEYS:
                    path = f"{place}/{name}"
                    try:
                        found = (view / path).read_bytes()
                    except FileNotFoundError:
                        found = None
                    value, may_be_gone = self.expected(path)
                    if found != value and not may_be_gone:
                        raise Wrong(f"'{view / path}' has {found and found[:40]!r}, and not {value and value[:40]!r}")
        note("everything checked")


# How often of a thousand steps.
STEPS_OF = (("commit", 330), ("check", 350), ("held_again", 80), ("names", 80), ("remove", 50), ("kill_server", 30),
            ("kill_notifier", 15), ("kill_both", 8), ("kill_supervisor", 6), ("stop_server", 1), ("mount", 15),
            ("umount", 12), ("watcher", 20), ("all", 3))


def run():
    soak = Soak()
    for place in PLACES:
        soak.number += 1
        call("Set", operations=[{"path": f"{place}/ALWAYS", "kind": "plain", "value": value_of(9).decode()}], reason=str(seed))
    watcher = Watcher(soak.views[0])
    for path, value in watcher.read.items():
        model[path] = value
    for number in (1, 2):
        threading.Thread(target=read_on, args=(soak.views[0], number), daemon=True).start()
    names, weights = zip(*STEPS_OF)
    until = time.monotonic() + SECONDS
    done = 0
    while not is_over.is_set() and (time.monotonic() < until if SECONDS else done < STEPS):
        name = dice.choices(names, weights)[0]
        steps_done.append(name)
        note(name)
        if name == "watcher":
            if HAS_EVENTS:
                watcher.catch_up()
        else:
            getattr(soak, name)()
        done += 1
    if is_over.is_set():
        raise Wrong("a reader saw what must not be")
    soak.all()
    if HAS_EVENTS:
        watcher.catch_up()
    found = [commit["reason"] for commit in whole_log() if commit["reason"].startswith(f"{seed}-")]
    if sorted(found) != sorted(reasons):
        raise Wrong(f"{len(reasons)} commits were acknowledged, {len(found)} are in the log, {len(set(found))} of them different")
    return done


def on_term(*_):
    raise Wrong("it takes too long")


def main():
    code, done = 0, 0
    signal.signal(signal.SIGTERM, on_term)
    try:
        done = run()
    except (Wrong, OSError, Refused, subprocess.SubprocessError) as fault:
        code = 1
        print(f"FAULT after {len(steps_done)} steps, with seed {seed}: {fault!r}; the last steps: {steps_done[-12:]}")
    print(f"seed {seed}: {done} steps, " + ", ".join(f"{count} {what}" for what, count in sorted(counts.items())))
    sys.stdout.flush()
    os._exit(code)  # a reader that hangs in the kernel must not keep us


if __name__ == "__main__":
    main()
