#!/usr/bin/python3
"""FOLDER READS [FILE]: opens and reads the files of a folder in turn, READS in all (and more, until FILE is there), by
two processes at one time; each must give what it gave first. Prints how many, how long the longest took (ms), and how
many a minute that is."""
import os
import sys
import time


def run(paths, expected, reads, file, out):
    longest, turn = 0.0, 0
    while turn < reads or not (file is None or os.path.exists(file)):
        path = paths[turn % len(paths)]
        turn += 1
        begin = time.monotonic()
        fd = os.open(path, os.O_RDONLY)
        data = os.read(fd, 4096)
        os.close(fd)
        longest = max(longest, time.monotonic() - begin)
        if data != expected[path]:
            os._exit(1)
    os.write(out, b"%d %.1f\n" % (turn, 1000 * longest))
    os._exit(0)


def main():
    folder, reads, file = sys.argv[1], int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else None
    paths = sorted(os.path.join(folder, name) for name in os.listdir(folder) if name.startswith("S"))
    expected = {path: b"secret " + os.path.basename(path).encode() for path in paths}
    done, out = os.pipe()
    begin = time.monotonic()
    children = []
    for _ in range(2):
        child = os.fork()
        if child == 0:
            run(paths, expected, reads // 2, file, out)
        children.append(child)
    if any(os.waitpid(child, 0)[1] for child in children):
        sys.exit("a read failed")
    took = time.monotonic() - begin
    told = [line.split() for line in os.read(done, 4096).decode().splitlines()]
    count = sum(int(count) for count, _ in told)
    print(count, max(float(longest) for _, longest in told), round(60 * count / took))


if __name__ == "__main__":
    main()
