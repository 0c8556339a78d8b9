#!/usr/bin/python3
"""slow_call.py SOCKET PIPE: makes a call whose values do not come, says "begun" to the pipe when the server waits for
them, and prints how it ends."""
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import varlink  # noqa: E402

connection = varlink.Connection(sys.argv[1])
connection.call("Status")
reader, writer = os.pipe()
os.write(writer, b"1")  # and of the rest nothing


def wait_until_read():
    """The server has taken what there is: it is in the middle of the call."""
    import fcntl
    import struct
    import termios

    while struct.unpack("i", fcntl.ioctl(reader, termios.FIONREAD, b"\0" * 4))[0] > 0:
        os.sched_yield()
    with open(sys.argv[2], "w") as pipe:
        pipe.write("begun\n")


pid = os.fork()
if pid == 0:
    wait_until_read()
    os._exit(0)
try:
    connection.call("Set", [reader], operations=[{"path": "prod/web/SLOW", "kind": "plain", "size": 5}], values=0,
                    reason="slow", allow_new=True)
    print("answered")
except (ConnectionError, varlink.Refused) as failure:
    print(failure)
