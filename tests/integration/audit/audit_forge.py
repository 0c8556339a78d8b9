#!/usr/bin/python3
"""Plays who has taken over a machine: the record and its present key, and no other key. FOLDER HOW: what is done
to the record, as cleverly as that can be done."""
import sys
from pathlib import Path

import audit_verify as form


def lines_of(folder):
    path = form.files_of(folder)[-1]
    return path, path.read_bytes().split(b"\n")[:-1]


def texts_of(lines):
    return [line.split(b" chain=")[0] for line in lines]


def close(text, chain, key):
    chain = form.chain_on(chain, text)
    return text + b" chain=" + chain.hex().encode() + b" mac=" + form.mac(key, chain).hex().encode(), chain


def rechain(folder, change):
    """Changes the texts and makes all that follows anew, with the present key: the chain is right again."""
    path, lines = lines_of(folder)
    _, number, key, _ = (folder / "key").read_text().split()
    key, chain, texts, out = bytes.fromhex(key), form.ZEROS, texts_of(lines), []
    changed = change(list(texts))
    for at, text in enumerate(changed):
        if at < len(texts) and text == texts[at] and not any(a != b for a, b in zip(changed[:at], texts)):
            out.append(lines[at])
            chain = form.chain_on(chain, text)
            continue
        line, chain = close(text, chain, key)
        out.append(line)
    path.write_bytes(b"".join(line + b"\n" for line in out))
    (folder / "key").write_text(f"emsa-audit-key-1 {len(out) + 1:020d} {key.hex()} {chain.hex()}\n")
    return number


def plain(folder, change):
    path, lines = lines_of(folder)
    path.write_bytes(b"".join(line + b"\n" for line in change(lines)))


def edit(lines):
    lines[4] = lines[4].replace(b" uid=0 ", b" uid=7 ", 1)
    return lines


def swap(lines):
    lines[3], lines[4] = lines[4], lines[3]
    return lines


def main():
    folder, how = Path(sys.argv[1]), sys.argv[2]
    deeds = {"edited": lambda: plain(folder, edit),
             "cut": lambda: plain(folder, lambda lines: lines[:-2]),
             "taken out": lambda: plain(folder, lambda lines: lines[:3] + lines[4:]),
             "doubled": lambda: plain(folder, lambda lines: lines[:4] + lines[3:]),
             "re-ordered": lambda: plain(folder, swap),
             "re-chained": lambda: rechain(folder, edit),
             "re-chained and shorter": lambda: rechain(folder, lambda texts: texts[:5] + texts[6:]),
             "cut with its key": lambda: rechain(folder, lambda texts: texts[:-2]),
             "without a key": lambda: (folder / "key").unlink(),
             "torn": lambda: plain(folder, lambda lines: lines[:2] + [lines[2][:40]] + lines[3:])}
    deeds[how]()


if __name__ == "__main__":
    main()
