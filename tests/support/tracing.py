"""Counts the FUSE requests that an operation makes, by the kernel's own tracepoint, in a tracing instance of
our own that is removed again."""
import collections
import os
import re
import subprocess
from pathlib import Path

NAMES = {1: "LOOKUP", 3: "GETATTR", 14: "OPEN", 15: "READ", 18: "RELEASE", 22: "GETXATTR", 25: "FLUSH",
         27: "OPENDIR", 28: "READDIR", 29: "RELEASEDIR", 34: "ACCESS", 44: "READDIRPLUS"}


class Counter:
    def __init__(self, work):
        self.where = work / "tracefs"
        self.where.mkdir()
        subprocess.run(["mount", "-t", "tracefs", "bench", str(self.where)], check=True, capture_output=True)
        # Instances are the kernel's, not the namespace's: a name of our own each time.
        self.instance = self.where / "instances" / f"emsa-{os.urandom(6).hex()}"
        self.event = self.instance / "events" / "fuse" / "fuse_request_send"
        try:
            self.instance.mkdir()
            if not self.event.is_dir():
                raise OSError("the kernel does not trace FUSE requests")
        except OSError:
            self.close()
            raise

    def count(self, device, command, divisor):
        """Requests of one mount (its st_dev) while a command runs, divided: {name: how many}."""
        connection = (device >> 8 & 0xfff) << 20 | (device & 0xff) | (device >> 12 & 0xfff00)
        (self.event / "filter").write_text(f"connection == {connection}\n")
        (self.instance / "trace").write_text("")
        (self.event / "enable").write_text("1\n")
        try:
            subprocess.run(command, check=True, capture_output=True)
        finally:
            (self.event / "enable").write_text("0\n")
        codes = re.findall(r"fuse_request_send: .* opcode (\d+)", (self.instance / "trace").read_text())
        counts = collections.Counter(NAMES.get(int(code), code) for code in codes)
        return {name: round(hits / divisor, 1) for name, hits in sorted(counts.items()) if hits / divisor >= 0.05}

    def close(self):
        if self.instance.is_dir():
            self.instance.rmdir()
        subprocess.run(["umount", str(self.where)], check=False)


def counter(work):
    """A Counter, or None where the kernel offers none."""
    try:
        return Counter(Path(work))
    except (OSError, subprocess.CalledProcessError):
        return None
