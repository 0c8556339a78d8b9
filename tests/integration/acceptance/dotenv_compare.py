#!/usr/bin/python3
"""dotenv_compare.py HOW FILE OTHER: whether OTHER holds every key of a dotenv file with equal bytes, the file
being read by python-dotenv without interpolation. HOW: directory (of files), file (dotenv), json, environment
(as env -0 prints it), lines (the same, for non-empty single-line values without outer blanks only)."""
import json
import sys
from pathlib import Path

import dotenv


def parsed(path):
    values = dotenv.dotenv_values(path, interpolate=False, encoding="utf-8")
    return {key: value.encode() for key, value in values.items() if value is not None}


def environment(path):
    pairs = (line.split(b"=", 1) for line in Path(path).read_bytes().split(b"\0") if b"=" in line)
    return {key.decode(): value for key, value in pairs}


def main():
    how, file, other = sys.argv[1:]
    wanted = parsed(file)
    exact = how in ("directory", "file", "json")
    if how == "directory":
        found = {path.name: path.read_bytes() for path in Path(other).iterdir()}
    elif how == "file":
        found = parsed(other)
    elif how == "json":
        found = {key: value.encode() for key, value in json.loads(Path(other).read_text()).items()}
    else:
        found = environment(other)
    if how == "lines":
        wanted = {k: v for k, v in wanted.items() if v and b"\n" not in v and v == v.strip()}
    problems = [f"{key}: {value!r} is {found.get(key)!r}" for key, value in wanted.items() if found.get(key) != value]
    if exact:
        problems += [f"{key} is too many" for key in found if key not in wanted]
    if len(wanted) < 100:
        problems.append(f"only {len(wanted)} keys in {file}")
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{len(wanted)} keys compared")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
