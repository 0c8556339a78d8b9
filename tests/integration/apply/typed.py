"""typed.py COMMAND...: runs it on a terminal of its own, prints what it printed there, ends as it ended."""
import os
import pty
import sys

status = pty.spawn(sys.argv[1:], stdin_read=lambda fd: b"")
sys.exit(os.waitstatus_to_exitcode(status))
