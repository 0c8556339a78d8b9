#!/usr/bin/python3
"""requests.py MEASURE HOW FILE: counts the FUSE requests that a warm operation makes on one file, and on the
folder that it stands in. HOW is default or cache. Round trips are the currency: one more than these is a
mistake."""
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
import tracing  # noqa: E402

# GETATTR after a READ is the price of a superblock that the notifier can write to; it is paid by the next
# operation that asks for attributes, and by no open, read or close.
AT_MOST = {
    "default": {"orc": {"OPEN": 1, "READ": 1, "RELEASE": 1}, "stat": {}, "pread": {"READ": 1},
                "cat": {"OPEN": 1, "GETATTR": 1, "READ": 2, "RELEASE": 1}, "ls": {"OPENDIR": 1, "RELEASEDIR": 1}},
    "cache": {"orc": {"OPEN": 1, "RELEASE": 1}, "stat": {}, "pread": {},
              "cat": {"OPEN": 1, "RELEASE": 1}, "ls": {"OPENDIR": 1, "RELEASEDIR": 1}},
}


def main():
    measure, how, path = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    with tempfile.TemporaryDirectory() as work:
        counter = tracing.counter(work)
        if counter is None:
            print("this kernel does not trace FUSE requests", file=sys.stderr)
            sys.exit(77)
        faults = 0
        try:
            for op, most in AT_MOST[how].items():
                where = path.parent if op == "ls" else path
                counts = counter.count(os.stat(path).st_dev, [measure, op, where, "200"], 220)
                print(f"{how} {op}: {counts or 'none'}")
                for name, often in counts.items():
                    if often > most.get(name, 0) + 0.2:
                        print(f"{how} {op}: {often} {name}, {most.get(name, 0)} at the most", file=sys.stderr)
                        faults += 1
        finally:
            counter.close()
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
