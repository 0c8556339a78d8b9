#!/usr/bin/python3
"""read_ways.py FILE SERVED: reads the second every way a program may, and compares with the first."""
import mmap
import os
import sys


def main():
    wanted = open(sys.argv[1], "rb").read()
    fd = os.open(sys.argv[2], os.O_RDONLY)
    faults = []

    def check(what, found, expected):
        if found != expected:
            faults.append(f"{what}: {len(found)} bytes, expected {len(expected)}, or others")

    check("one read", os.read(fd, len(wanted) + 1), wanted)
    check("read at the end", os.read(fd, 1), b"")
    for offset, size in ((0, 1), (1, 7), (4095, 2), (4096, 4096), (12345, 54321), (len(wanted) - 1, 9),
                         (len(wanted), 1), (len(wanted) + 5000, 10)):
        if offset >= 0:
            check(f"pread of {size} at {offset}", os.pread(fd, size, offset), wanted[offset:offset + size])
    small = bytearray()
    os.lseek(fd, 0, os.SEEK_SET)
    step = max(1, len(wanted) // 777)
    while part := os.read(fd, step):
        small += part
    check(f"reads of {step}", bytes(small), wanted)
    check("size by seeking", b"x" * (os.lseek(fd, 0, os.SEEK_END) == len(wanted)), b"x")
    if wanted:
        with mmap.mmap(fd, len(wanted), flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ) as mapped:
            check("mmap", mapped[:], wanted)
    os.close(fd)
    for fault in faults:
        print(fault, file=sys.stderr)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
