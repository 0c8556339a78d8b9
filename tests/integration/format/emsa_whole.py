#!/usr/bin/python3
"""The seal of the whole, from store/FORMAT.md ("Pin", "Meta"): emsa_whole.py STORE PIN says whether all records of a
copied store are what the owner of the pin wrote. Exits 6 where they are not, or there is no seal."""
import struct
import sys
from pathlib import Path

import lmdb_file
from emsa_format import H, Wrong, derive, must

PLACE = 128
MASK64 = (1 << 64) - 1


def siphash128(key, data):
    """SipHash-2-4 with 128 bits, as an integer."""
    k0, k1 = struct.unpack("<QQ", key)
    v = [k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d ^ 0xee, k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573]

    def rotate(x, by):
        return (x << by | x >> (64 - by)) & MASK64

    def rounds(count):
        a, b, c, d = v
        for _ in range(count):
            a = (a + b) & MASK64
            b = rotate(b, 13) ^ a
            a = rotate(a, 32)
            c = (c + d) & MASK64
            d = rotate(d, 16) ^ c
            a = (a + d) & MASK64
            d = rotate(d, 21) ^ a
            c = (c + b) & MASK64
            b = rotate(b, 17) ^ c
            c = rotate(c, 32)
        v[:] = a, b, c, d

    padded = data + bytes(-(len(data) + 1) % 8) + bytes([len(data) & 255])
    for (word,) in struct.iter_unpack("<Q", padded):
        v[3] ^= word
        rounds(2)
        v[0] ^= word
    v[2] ^= 0xee
    rounds(4)
    low = v[0] ^ v[1] ^ v[2] ^ v[3]
    v[1] ^= 0xdd
    rounds(4)
    return low | (v[0] ^ v[1] ^ v[2] ^ v[3]) << 64


def read_pin(data):
    """The newest whole place: store id, rev, commit hash, flags, key."""
    best = None
    for at in (0, PLACE):
        place = data[at:at + PLACE]
        if len(place) < PLACE or place[0] != 2 or H("emsa-pin-1", place[:90]) != place[90:122]:
            continue
        must(not any(place[122:]) and place[57] < 2, "the pin: what must be zero")
        found = place[1:17], struct.unpack("<Q", place[17:25])[0], place[25:57], place[57], place[58:90]
        if best is None or found[1] > best[1]:
            best = found
    must(best is not None, "the pin is damaged")
    return best


def sums(key, databases):
    names, records = (derive(key, f"emsa-whole-{what}-1")[:16] for what in ("names", "records"))
    total = [0, 0]
    for name, found in databases.items():
        for at, record in found.items():
            if (name, at) != ("meta", b"whole"):
                total[0] += siphash128(names, bytes([len(name)]) + name.encode() + at)
                total[1] += siphash128(records, record[-16:])
    return [one % (1 << 128) for one in total]


def check(databases, pin):
    """All records are what the pin's owner wrote; else Wrong. Their own hashes are looked at elsewhere."""
    store, rev, commit, flags, key = read_pin(pin)
    meta = databases["meta"]
    must(b"whole" in meta, "there is no seal")
    body = meta[b"whole"][:-16]
    must(len(body) == 66 and body[0] == 1 and body[1] in (1, 2), "the seal: its form")
    kind, nonce, owner, masked = body[1], body[2:18], body[18:34], body[34:]
    must(owner == derive(key, "emsa-whole-id-1")[:16], "the seal is of another pin")
    mask = derive(derive(key, "emsa-whole-mask-1"), "emsa-whole-sums-1", bytes([kind]) + nonce + meta[b"head"][-16:])
    found = [(int.from_bytes(masked[at:at + 16], "little") - int.from_bytes(mask[at:at + 16], "little")) % (1 << 128) for at in (0, 16)]
    must(kind == 1, "the seal is unsure")
    wanted = sums(key, databases)
    must(found[0] == wanted[0], "records are missing, or too many")
    must(found[1] == wanted[1], "a record is not what was written")
    must(store == meta[b"store"][5:21] and flags == 1, "the pin is of another store, or tells of no seal")
    head = meta[b"head"]
    must(struct.unpack("<Q", head[1:9])[0] == rev and head[9:41] == commit, "the pin is of another head")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    path, pin = map(Path, sys.argv[1:])
    try:
        databases = lmdb_file.File(path / "data.mdb").databases()
        check(databases, pin.read_bytes())
    except (Wrong, lmdb_file.Damaged, KeyError, IndexError, struct.error) as error:
        sys.exit(print(f"emsa_whole: {error}", file=sys.stderr) or 6)
    print(f"{sum(map(len, databases.values()))} records: all as they were written")


if __name__ == "__main__":
    main()
