#!/usr/bin/python3
"""A command that says what it is told: a line for its beginning (with PORT), and one for each signal. TERM
and INT end it, with status 7. With the word "orphan" it leaves one behind, and says so."""
import os
import signal
import sys

CAUGHT = [signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM, signal.SIGINT, signal.SIGWINCH,
          signal.SIGQUIT, signal.SIGALRM, signal.SIGRTMIN]


def say(*words):
    print(*words, flush=True)


def leave_orphan():
    """A grandchild whose parent ends at once: it is left to process 1, or to whoever stands in for it."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        if os.fork() == 0:
            os.close(write)
            os.read(read, 1)  # until the command is gone
        os._exit(0)
    os.waitpid(child, 0)
    say("an orphan is left")


signal.pthread_sigmask(signal.SIG_BLOCK, CAUGHT)
say("ready", os.environ["PORT"], os.getpid(), os.getppid())
if len(sys.argv) > 1 and sys.argv[1] == "orphan":
    leave_orphan()
while True:
    number = signal.sigwait(CAUGHT)
    say(signal.Signals(number).name)
    if number in (signal.SIGTERM, signal.SIGINT):
        sys.exit(7)
