#!/usr/bin/python3
"""A copied store, read with nothing but store/FORMAT.md: its chain proved, its values given.

emsa_reader.py STORE [--identity FILE] [--at REV] [PATH...]   STORE is a folder, or a data.mdb

Without PATH: what was proved. With paths: each one's value, a line each (--raw: the bytes of one and nothing more).
Exits 3 where a path has no value, 4 where the identity opens nothing here, 6 where the store is not what was written.
"""
import argparse
import struct
import sys
from pathlib import Path

import emsa_format as form
import emsa_resolve
import emsa_settle
import lmdb_file

NOT_FOUND, REFUSED, DAMAGED = 3, 4, 6
FAULTS = (form.Wrong, emsa_resolve.BadText, lmdb_file.Damaged, KeyError, UnicodeDecodeError, ValueError, IndexError, struct.error)


def give_up(code, text):
    sys.exit(print(f"emsa_reader: {text}", file=sys.stderr) or code)


def said():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path)
    parser.add_argument("--identity", type=Path)
    parser.add_argument("--at", type=int)
    parser.add_argument("--raw", action="store_true")
    parser.add_argument("paths", nargs="*")
    return parser.parse_intermixed_args()


def proved(file, identity):
    """The store, and all that its log comes to: every hash, parent, sum, leaf and digest was right."""
    store = form.Store(lmdb_file.File(file).databases())
    if identity:
        known = {operation["fields"][1] for operation in store.log.values() if operation["kind"] == form.IDENTITY}
        if identity[1] not in known:
            give_up(REFUSED, "this identity is not in the store's log: it was made for another one")
    settled = emsa_settle.Settled(store, identity)
    found = emsa_settle.differences(store, settled)
    if found:
        raise form.Wrong("\n".join(found))
    return store, settled


def main():
    asked = said()
    file = asked.store / "data.mdb" if asked.store.is_dir() else asked.store
    try:
        identity = form.read_identity(asked.identity.read_text()) if asked.identity else None
    except (form.Wrong, ValueError) as error:
        give_up(REFUSED, f"no identity: {error}")
    try:
        store, settled = proved(file, identity)
        values = settled.values(asked.at or store.rev) if asked.paths else {}
    except FAULTS as error:
        give_up(DAMAGED, f"{type(error).__name__}: {error}")
    if not asked.paths:
        print(f"{store.rev} commits, {len(store.log)} operations: the head is {store.head.hex()}")
    for path in asked.paths:
        if path not in values:
            give_up(NOT_FOUND, f"no value at '{path}'")
        if asked.raw:
            sys.stdout.buffer.write(values[path])
        else:
            print(f"{path}={values[path].decode(errors='replace')}")


if __name__ == "__main__":
    main()
