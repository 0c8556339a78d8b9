#!/usr/bin/python3
"""The format, checked by an implementation that follows store/FORMAT.md only.

format_vectors.py MAKE VECTORS           the committed vectors, a live store made by the program MAKE, edits
format_vectors.py --write MAKE VECTORS   writes the vectors from a live store (once for each version)
"""
import subprocess
import sys
import tempfile
from pathlib import Path

import emsa_format
import lmdb_file


def parse(text):
    """Lines of `identity LINE`, `record DATABASE KEY BODY`, `value REV PATH BYTES`, numbers in hex where they are bytes;
    "-" stands for no bytes."""
    databases, values, identity = {}, {}, ""
    for line in text.splitlines():
        word, *rest = line.split(" ")
        rest = ["" if part == "-" else part for part in rest]
        if word == "identity":
            identity = " ".join(rest)
        elif word == "record":
            databases.setdefault(rest[0], {})[bytes.fromhex(rest[1])] = bytes.fromhex(rest[2])
        elif word == "value":
            values.setdefault(int(rest[0]), {})[rest[1]] = bytes.fromhex(rest[2])
    return databases, values, identity


def check(databases, values, identity):
    """How many values were as they must be, at every revision that is told of."""
    store = emsa_format.Store(databases)
    keys = emsa_format.read_identity(identity)
    for rev, wanted in values.items():
        found = store.at(rev, keys)
        emsa_format.must(found == wanted, f"revision {rev}: {sorted(found)} instead of {sorted(wanted)}, or other bytes")
    return sum(map(len, values.values()))


def edits_are_seen(databases, values, identity):
    """Every record, one bit of its body flipped and its own hash made right again: derived state that this
    program does not look at is left out."""
    seen = 0
    for name in ("commit", "log", "value", "current", "expiry"):
        for key, record in databases[name].items():
            body = bytearray(record[:-16])
            body[len(body) * 2 // 3] ^= 4
            edited = {other: dict(records) for other, records in databases.items()}
            edited[name][key] = bytes(body) + rehash(name, key, bytes(body))
            try:
                check(edited, values, identity)
            except (emsa_format.Wrong, KeyError, UnicodeDecodeError, ValueError):
                seen += 1
            else:
                raise emsa_format.Wrong(f"{name}: an edit of {key.hex()} was not seen")
    return seen


def rehash(name, key, body):
    import hashlib
    import struct
    text = bytes([len(name)]) + name.encode() + struct.pack("<H", len(key)) + key + body
    return hashlib.blake2b(text, digest_size=16).digest()


def live(make, folder):
    done = subprocess.run([make, folder], check=True, capture_output=True, text=True)
    _, values, _ = parse(done.stdout)
    databases = lmdb_file.File(Path(folder) / "store" / "data.mdb").databases()
    identity = Path(folder + "/store.identity").read_text()
    return databases, values, identity


def write(vectors, databases, values, identity):
    line = [text for text in identity.splitlines() if not text.startswith("#")][0]
    lines = ["# A store of format 1 and what is in it; see tests/integration/format/README.md.", f"identity {line}"]
    lines += [f"record {name} {key.hex()} {record.hex()}" for name, records in sorted(databases.items())
              for key, record in sorted(records.items())]
    lines += [f"value {rev} {path} {value.hex() or '-'}" for rev, paths in sorted(values.items())
              for path, value in sorted(paths.items())]
    Path(vectors).write_text("\n".join(lines) + "\n")


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--write"]
    make, vectors = arguments
    with tempfile.TemporaryDirectory() as folder:
        fresh = live(make, folder)
    if "--write" in sys.argv:
        write(vectors, *fresh)
    for what, given in (("vectors", parse(Path(vectors).read_text())), ("a live store", fresh)):
        print(f"{what}: {check(*given)} values are right, {edits_are_seen(*given)} edits were seen")


if __name__ == "__main__":
    main()
