#!/usr/bin/python3
"""opens.py STORE IDENTITY REV: how many secrets that were set up to a revision, and how many after it, the identity opens, of how
many; by the implementation that follows store/FORMAT.md only. The store must not be owned meanwhile."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "format"))
import emsa_format as form  # noqa: E402
import lmdb_file  # noqa: E402


def main():
    path, identity, until = sys.argv[1], form.read_identity(Path(sys.argv[2]).read_text()), int(sys.argv[3])
    store = form.Store(lmdb_file.File(Path(path) / "data.mdb").databases())
    opened, there = [0, 0], [0, 0]
    for (rev, op), operation in store.log.items():
        if operation["kind"] != form.SET_SECRET:
            continue
        there[rev > until] += 1
        try:
            store.open(identity, rev, op, store.content(rev, op))
            opened[rev > until] += 1
        except form.NoKey:
            pass
    print(f"{opened[0]} of {there[0]}, {opened[1]} of {there[1]}")


if __name__ == "__main__":
    main()
