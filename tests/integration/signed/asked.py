#!/usr/bin/python3
"""asked.py LINE COMMAND...: runs a command on a terminal of its own, types that line when a passphrase is asked for, the first time
alone, and prints what it showed; ends as the command does."""
import os
import pty
import sys

line, command = sys.argv[1], sys.argv[2:]
child, fd = pty.fork()
if child == 0:
    os.execvp(command[0], command)
shown, is_typed = b"", False
while True:
    try:
        got = os.read(fd, 4096)
    except OSError:
        break
    if not got:
        break
    shown += got
    if not is_typed and b"passphrase for" in shown:
        os.write(fd, line.encode() + b"\n")
        is_typed = True
sys.stdout.buffer.write(shown)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
