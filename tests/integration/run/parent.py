#!/usr/bin/python3
"""What emsa-run owes a command whose parent it stays. parent.py MOUNT COMMAND

Every wait is for a line, for the end of a process, or for a process to be nobody's any more."""
import os
import select
import signal
import subprocess
import sys
import time

mount, command = sys.argv[1], sys.argv[2]
directory = mount + "/prod/web"
PATIENCE = 60
checks = 0


def check(what, expected, found):
    global checks
    checks += 1
    if expected != found:
        sys.exit(f"{what}: expected {expected!r}, found {found!r}")


def emsa(*words, data=None):
    subprocess.run(["emsa", *words], check=True, stdout=subprocess.DEVNULL, input=data)


class Run:
    """emsa-run with a command, its lines and its end."""

    def __init__(self, *options, words=(), first=False, deaf=False):
        before = ["unshare", "--pid", "--fork", "--kill-child"] if first else []
        if deaf:
            before = ["sh", "-c", 'trap "" CHLD; exec "$@"', "sh"]
        self.process = subprocess.Popen([*before, "emsa-run", "--dir", directory, *options, "--", sys.executable,
                                         command, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.is_first = first

    def line(self, stream=None):
        stream = stream or self.process.stdout
        if not select.select([stream], [], [], PATIENCE)[0]:
            sys.exit(f"no line in {PATIENCE} s")
        text = b""
        while not text.endswith(b"\n"):
            byte = os.read(stream.fileno(), 1)
            if not byte:
                break
            text += byte
        return text.decode().rstrip("\n")

    def complaint(self):
        return self.line(self.process.stderr)

    def began(self, what, port):
        words = self.line().split()
        check(what, ["ready", port], words[:2])
        return int(words[2]), int(words[3])

    @property
    def pid(self):
        """emsa-run's, as seen from here."""
        if not self.is_first:
            return self.process.pid
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as children:
            return int(children.read().split()[0])

    def tell(self, number):
        os.kill(self.pid, number)

    def ends(self, what, status):
        check(what, status, self.process.wait(PATIENCE))
        check(what + ": and says no more", b"", self.process.stdout.read())


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
        return [int(word) for word in children.read().split()]


def state(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return None


def wait_gone(what, pid):
    """Until nobody has it, not even as a zombie."""
    deadline = time.monotonic() + PATIENCE
    while state(pid) is not None:
        if time.monotonic() > deadline:
            sys.exit(f"{what}: still there, {state(pid)}")
        os.sched_yield()


def signals(first):
    run = Run("--on-change=HUP", first=first)
    pid, parent = run.began("the first", "1")
    check("the pids are those of process 1", (2, 1) if first else (children_of(run.pid)[0], run.pid), (pid, parent))
    for name in ("SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGHUP", "SIGQUIT", "SIGALRM", "SIGRTMIN"):
        run.tell(getattr(signal, name))
        check("passed on", name, run.line())
    run.tell(signal.SIGTERM)
    check("and the end", "SIGTERM", run.line())
    run.ends("with its exit status", 7)


def ended_by_signal(first):
    run = Run("--on-change=HUP", first=first)
    run.began("again", "1")
    os.kill(children_of(run.pid)[0], signal.SIGKILL)
    run.ends("ended by a signal", 137)


def orphans(first):
    """The orphan ends while the command lives: emsa-run must reap it."""
    run = Run("--on-change=HUP", words=["orphan"], first=first)
    run.began("a command with orphans", "1")
    run.line()
    own = children_of(run.pid)
    check("the orphan is emsa-run's", 2, len(own))
    os.kill(own[1], signal.SIGKILL)
    wait_gone("an orphan", own[1])
    check("the command lives", True, state(own[0]) is not None)
    run.tell(signal.SIGINT)
    check("until it is told", "SIGINT", run.line())
    run.ends("and ends", 7)


def killed():
    run = Run("--on-change=HUP")
    run.began("a parent that is killed", "1")
    child = os.pidfd_open(children_of(run.pid)[0])
    os.kill(run.pid, signal.SIGKILL)
    check("its command does not outlive it", True, bool(select.select([child], [], [], PATIENCE)[0]))
    run.process.wait()


def stopped_and_continued():
    run = Run("--on-change=HUP")
    run.began("a parent that is stopped", "1")
    run.tell(signal.SIGSTOP)
    os.waitid(os.P_PID, run.pid, os.WSTOPPED)
    run.tell(signal.SIGUSR1)
    run.tell(signal.SIGCONT)
    check("goes on", "SIGUSR1", run.line())
    run.tell(signal.SIGTERM)
    run.line()
    run.ends("and ends", 7)


def inherited():
    """Who started it ignored SIGCHLD, and so does what it becomes by exec."""
    run = Run("--on-change=TERM", deaf=True)
    run.began("a parent that was left deaf", "1")
    emsa("set", "prod/web", "PORT=2")
    check("tells it", "SIGTERM", run.line())
    run.began("and starts it again", "2")
    run.tell(signal.SIGTERM)
    run.line()
    run.ends("and ends with it", 7)
    emsa("set", "prod/web", "PORT=1")


def hangs_up(first):
    run = Run("--on-change=HUP", first=first)
    run.began("told of changes", "1")
    for round_ in range(5):
        emsa("set", "prod/web", f"PORT={round_}", f"NAME={round_}", f"OTHER{round_}=x")
        check("a commit of several keys", "SIGHUP", run.line())
    emsa("set", "prod/else", "PORT=5", "--new")
    emsa("rm", "prod/web/OTHER0")
    check("a key that goes", "SIGHUP", run.line())
    run.tell(signal.SIGUSR1)
    check("once each, and not for others", "SIGUSR1", run.line())
    run.tell(signal.SIGTERM)
    run.line()
    run.ends("and ends", 7)
    emsa("set", "prod/web", "PORT=1")


def starts_again(first):
    run = Run("--on-change=TERM", first=first)
    before = run.began("a command to be started again", "1")
    emsa("set", "prod/web", "PORT=2")
    check("is told to end", "SIGTERM", run.line())
    after = run.began("and has the new value", "2")
    check("as another process", True, before[0] != after[0])
    emsa("set", "prod/web/BAD", "-", data=b"a\0b")
    check("what cannot be a variable", True, "cannot be variables" in run.complaint())
    check("is named", "  'BAD' holds a NUL byte, which no variable can", run.complaint())
    check("and changes nothing", "emsa-run: the command keeps what it has", run.complaint())
    run.tell(signal.SIGUSR1)
    check("the command lives", "SIGUSR1", run.line())
    emsa("rm", "prod/web/BAD")
    check("until it can", "SIGTERM", run.line())
    run.began("again", "2")
    run.tell(signal.SIGTERM)
    check("who tells it to end", "SIGTERM", run.line())
    run.ends("means it", 7)
    emsa("set", "prod/web", "PORT=1")


def take_away():
    """emsa-run may be looking just now, which is no fault of its."""
    while subprocess.run(["emsa", "umount", mount], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        pass


def mounts(first):
    """The mount goes and another comes: the command hears of the value that is different by then."""
    run = Run("--on-change=HUP", first=first)
    run.began("before", "1")
    take_away()
    check("gone", True, "no service at" in run.complaint())
    emsa("set", "prod/web", "PORT=3")
    emsa("mount", mount)
    check("back", "SIGHUP", run.line())
    emsa("set", "prod/web", "PORT=1")
    check("and watched", "SIGHUP", run.line())
    take_away()
    check("told again", True, "no service at" in run.complaint())
    emsa("mount", mount)
    run.tell(signal.SIGUSR1)
    check("where nothing is different", "SIGUSR1", run.line())
    run.tell(signal.SIGTERM)
    run.line()
    run.ends("and ends", 7)


def not_started():
    check("no such command", 127, subprocess.run(["emsa-run", "--dir", directory, "--on-change=HUP", "--", "/none"],
                                                 stderr=subprocess.DEVNULL, check=False).returncode)
    check("not to be run", 126, subprocess.run(["emsa-run", "--dir", directory, "--on-change=HUP", "--", "/etc"],
                                               stderr=subprocess.DEVNULL, check=False).returncode)
    check("not mounted", 125, subprocess.run(["emsa-run", "--dir", "/", "--on-change=HUP", "--", "true"],
                                             stderr=subprocess.DEVNULL, check=False).returncode)


for is_first in (False, True):
    signals(is_first)
    ended_by_signal(is_first)
    orphans(is_first)
    hangs_up(is_first)
    starts_again(is_first)
    mounts(is_first)
inherited()
killed()
stopped_and_continued()
not_started()
print(f"{checks} checks of the parent")
