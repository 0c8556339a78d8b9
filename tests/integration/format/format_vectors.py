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
import emsa_resolve
import emsa_settle
import emsa_whole
import lmdb_file


def parse(text):
    """Lines of `identity LINE` (one for each of its file), `pin BYTES`, `record DATABASE KEY BODY`, `value REV PATH BYTES`, numbers in hex where they are bytes;
    "-" stands for no bytes."""
    databases, values, identity, pin = {}, {}, "", b""
    for line in text.splitlines():
        word, *rest = line.split(" ")
        rest = ["" if part == "-" else part for part in rest]
        if word == "identity":
            identity += " ".join(rest) + "\n"
        elif word == "pin":
            pin = bytes.fromhex(rest[0])
        elif word == "record":
            databases.setdefault(rest[0], {})[bytes.fromhex(rest[1])] = bytes.fromhex(rest[2])
        elif word == "value":
            values.setdefault(int(rest[0]), {})[rest[1]] = bytes.fromhex(rest[2])
    return databases, values, identity, pin


def check(databases, values, identity, pin):
    """How many values were as they must be, at every revision that is told of; all that is derived is as it must be."""
    store = emsa_format.Store(databases)
    if pin:
        emsa_whole.check(databases, pin)
    settled = emsa_settle.Settled(store, emsa_format.read_identity(identity))
    found = emsa_settle.differences(store, settled)
    emsa_format.must(not found, "\n".join(found))
    for rev, wanted in values.items():
        found = settled.values(rev)
        emsa_format.must(found == wanted, f"revision {rev}: {differing(found, wanted)}")
    return sum(map(len, values.values()))


def differing(found, wanted):
    return [f"{path}: {found.get(path)} instead of {wanted.get(path)}" for path in sorted(found.keys() | wanted.keys())
            if found.get(path) != wanted.get(path)]


TRUTH = ("meta", "commit", "log", "value", "signed", "leak")
FAULTS = (emsa_format.Wrong, emsa_resolve.BadText, KeyError, UnicodeDecodeError, ValueError)


def edited(name, key, record):
    """One bit of its body flipped and its own hash made right again."""
    body = bytearray(record[:-16])
    body[len(body) * 2 // 3] ^= 4
    return bytes(body) + rehash(name, key, bytes(body))


def edits_are_seen(databases, values, identity, pin):
    """Each of every record by itself, by what the log says; those of the leak guard by the seal."""
    store = emsa_format.Store(databases)
    settled = emsa_settle.Settled(store, emsa_format.read_identity(identity))
    seen = 0
    for name in sorted(databases):
        for key, record in databases[name].items():
            edit = edited(name, key, record)
            if not (truth_edit_is_seen(databases, values, identity, pin, name, key, edit) if name in TRUTH
                    else derived_edit_is_seen(store, settled, name, key, edit)):
                raise emsa_format.Wrong(f"{name}: an edit of {key.hex()} was not seen")
            seen += 1
    return seen


def truth_edit_is_seen(databases, values, identity, pin, name, key, edit):
    try:
        touched = {**databases, name: {**databases[name], key: edit}}
        if name == "leak" or key == b"whole":
            emsa_whole.check(touched, pin)
        else:
            check(touched, values, identity, None)
    except FAULTS:
        return True
    return False


def derived_edit_is_seen(store, settled, name, key, edit):
    body, store.bodies[name][key] = store.bodies[name][key], emsa_format.record_body(name, key, edit)
    found = emsa_settle.differences(store, settled)
    store.bodies[name][key] = body
    return len(found) == 1


def rehash(name, key, body):
    import hashlib
    import struct
    text = bytes([len(name)]) + name.encode() + struct.pack("<H", len(key)) + key + body
    return hashlib.blake2b(text, digest_size=16).digest()


def live(make, folder):
    done = subprocess.run([make, folder], check=True, capture_output=True, text=True)
    _, values, _, _ = parse(done.stdout)
    databases = lmdb_file.File(Path(folder) / "store" / "data.mdb").databases()
    identity = Path(folder + "/store.identity").read_text()
    return databases, values, identity, Path(folder + "/store.pin").read_bytes()


def write(vectors, databases, values, identity, pin):
    lines = ["# A store and what is in it; see tests/integration/format/README.md."]
    lines += [f"identity {line}" for line in identity.splitlines() if not line.startswith("#")]
    lines.append(f"pin {pin.hex()}")
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
