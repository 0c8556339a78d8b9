#!/usr/bin/python3
"""tree_make.py KEYS FILE: JSON lines of path and value, a hundred keys a service, for emsa import --tree.
tree_make.py --check KEYS DIRECTORY: reads a thousand of them, spread over all, from a mounted tree."""
import json
import sys
from pathlib import Path


def entry(number):
    value = f"value of {number}: ".ljust(64, "x")
    return f"prod/s{number // 100:05}/k{number:08}", value


def main():
    if sys.argv[1] == "--check":
        keys, tree = int(sys.argv[2]), Path(sys.argv[3])
        wrong = 0
        for number in [*range(0, keys, max(1, keys // 1000)), keys - 1]:
            path, value = entry(number)
            if (tree / path).read_text() != value:
                print(f"{path} is wrong", file=sys.stderr)
                wrong += 1
        sys.exit(1 if wrong else 0)
    with open(sys.argv[2], "w") as out:
        for number in range(int(sys.argv[1])):
            path, value = entry(number)
            out.write(json.dumps({"path": path, "value": value}) + "\n")


if __name__ == "__main__":
    main()
