#!/usr/bin/python3
"""FOLDER EVENT [FIELD=VALUE]...: how many events of a kind the record in that folder has, all lines with their counts,
and of how many different things (names or paths)."""
import sys
from pathlib import Path

import audit_verify as form


def main():
    folder, event, wanted = Path(sys.argv[1]), sys.argv[2], dict(word.split("=", 1) for word in sys.argv[3:])
    total, things = 0, set()
    for path in form.files_of(folder):
        for line in path.read_bytes().split(b"\n")[:-1]:
            fields = form.fields_of(line)
            if fields.get("event") != event or any(fields.get(name) != value for name, value in wanted.items()):
                continue
            total += int(fields.get("count", 1))
            things.add(fields.get("name") or fields.get("path"))
    print(total, len(things))


if __name__ == "__main__":
    main()
