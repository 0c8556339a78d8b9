#!/usr/bin/python3
"""What the filters of templates make, against Python's own encoders: every byte and pair of bytes, every three and
many four of those at the borders of UTF-8, and random ones. Usage: encode_truth.py ENCODE_PIPE; the seed is
printed and taken from EMSA_SEED."""
import base64
import itertools
import json
import os
import random
import struct
import subprocess
import sys
import urllib.parse

BORDERS = bytes.fromhex("00 1f 22 41 5c 7f 80 8f 90 9f a0 bf c0 c1 c2 df e0 e1 ec ed ee ef f0 f1 f3 f4 f5 ff")
LEADS = bytes.fromhex("e0 ed f0 f3 f4 f5")
FILTERS = {  # the number of each filter, and what it must make
    0: lambda data: data,
    1: lambda data: urllib.parse.quote(data, safe="").encode(),
    2: lambda data: json.dumps(data.decode("utf-8", "replace"), ensure_ascii=False).encode(),
    3: base64.b64encode,
}


def mixed(dice):
    """Random bytes, text of all planes, and each cut into the other."""
    data = b""
    for _ in range(dice.randrange(12)):
        sort = dice.randrange(3)
        if sort == 0:
            data += dice.randbytes(dice.randrange(9))
        elif sort == 1:
            data += bytes(dice.choice(BORDERS) for _ in range(dice.randrange(9)))
        else:
            points = [dice.choice((0x20, 0x80, 0x800, 0xe000, 0x10000, 0x100000)) + dice.randrange(0x60)
                      for _ in range(dice.randrange(9))]
            data += "".join(map(chr, points)).encode()[:dice.randrange(1, 40)]
    return data


def samples(dice):
    yield b""
    for length in (1, 2):
        yield from map(bytes, itertools.product(range(256), repeat=length))
    yield from map(bytes, itertools.product(BORDERS, repeat=3))
    yield from map(bytes, itertools.product(LEADS, BORDERS, BORDERS, BORDERS[6:12] + b"A\xff"))
    for _ in range(20000):
        yield mixed(dice)
    yield dice.randbytes(1 << 20)
    yield b"\0" * (1 << 20)


def check(pipe, number, truth, data):
    asked = b"".join(struct.pack("<BI", number, len(one)) + one for one in data)
    given = subprocess.run([pipe], input=asked, stdout=subprocess.PIPE, check=True).stdout
    at = 0
    for one in data:
        (size,) = struct.unpack_from("<I", given, at)
        made, must = given[at + 4:at + 4 + size], truth(one)
        if made != must:
            sys.exit(f"filter {number} of {one[:80]!r}: {made[:200]!r}, must be {must[:200]!r}")
        at += 4 + size
    if at != len(given):
        sys.exit(f"filter {number}: {len(given) - at} bytes too many")


def main():
    seed = int(os.environ.get("EMSA_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"seed {seed} (EMSA_SEED)")
    data = list(samples(random.Random(seed)))
    for number, truth in FILTERS.items():
        check(sys.argv[1], number, truth, data)
    print(f"{len(data)} values, {len(FILTERS)} filters")


main()
