#!/usr/bin/python3
"""free.py STORE: makes a page that is in use a free one, in the place of one that is, so that the next transaction
takes it. No record is another, and no hash is wrong."""
import struct
import sys
from pathlib import Path

PAGE = 4096


def main():
    path = Path(sys.argv[1]) / "data.mdb"
    data = bytearray(path.read_bytes())
    meta = max((0, PAGE), key=lambda at: struct.unpack_from("<Q", data, at + 144))
    root = struct.unpack_from("<Q", data, meta + 80)[0] * PAGE
    lists = []
    for i in range((struct.unpack_from("<H", data, root + 12)[0] - 16) // 2):
        node = root + struct.unpack_from("<H", data, root + 16 + 2 * i)[0]
        flags, size = struct.unpack_from("<HH", data, node + 4)
        begin = node + 8 + size
        if not flags & 1:
            count = struct.unpack_from("<Q", data, begin)[0]
            lists.append((begin + 8, struct.unpack_from(f"<{count}Q", data, begin + 8)))
    free = {number for _, numbers in lists for number in numbers}
    for begin, numbers in lists:
        for i, number in enumerate(numbers):  # the greatest first: the list stays in order
            if number - 1 not in free and number > 2:
                struct.pack_into("<Q", data, begin + 8 * i, number - 1)
                path.write_bytes(data)
                return
    sys.exit("free.py: no page was made free")


if __name__ == "__main__":
    main()
