#!/usr/bin/python3
"""prompt.py FIRST SECOND COMMAND...: runs a command on a terminal of its own and types two lines, each when it is
asked for. Prints what the terminal showed; ends as the command does."""
import os
import pty
import sys


def read_until(fd, word, shown):
    while word not in shown:
        try:
            got = os.read(fd, 4096)
        except OSError:
            break
        if not got:
            break
        shown += got
    return shown


def main():
    first, second, command = sys.argv[1], sys.argv[2], sys.argv[3:]
    child, fd = pty.fork()
    if child == 0:
        os.execvp(command[0], command)
    shown = read_until(fd, b"secret for", b"")
    os.write(fd, first.encode() + b"\n")
    shown = read_until(fd, b"once more", shown)
    os.write(fd, second.encode() + b"\n")
    shown = read_until(fd, b"\0never", shown)
    sys.stdout.buffer.write(shown)
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


if __name__ == "__main__":
    main()
