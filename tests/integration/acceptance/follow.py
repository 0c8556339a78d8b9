#!/usr/bin/python3
"""follow.py SOCKET FILE PATH PROGRAM...: runs a program that follows a file, on a terminal of its own, commits ever
longer values of PATH, which FILE shows, and waits until the terminal has each new line. What the program shows
comes when it likes; only that it comes is judged."""
import os
import pathlib
import pty
import select
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import varlink  # noqa: E402

ROUNDS = 4
PATIENCE = 60


def wait_for(terminal, text):
    seen = b""
    while text not in seen:
        if not select.select([terminal], [], [], PATIENCE)[0]:
            sys.exit(f"'{text.decode()}' was never shown; what was: {seen!r}")
        try:
            seen += os.read(terminal, 65536)
        except OSError:
            sys.exit(f"the program ended; what it showed: {seen!r}")


socket, file, path, *program = sys.argv[1:]
connection = varlink.Connection(socket)
value = b"line 0\n"
connection.set({path: value})
pid, terminal = pty.fork()
if pid == 0:
    os.environ["TERM"] = "xterm"
    os.execvp(program[0], [*program, file])
wait_for(terminal, b"line 0")
for number in range(1, ROUNDS):
    value += f"line {number}\n".encode()
    connection.set({path: value})
    wait_for(terminal, f"line {number}".encode())
print(f"{program[0]} showed {ROUNDS} lines")
os.kill(pid, 9)
