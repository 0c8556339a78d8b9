#!/usr/bin/python3
"""compare.py CONFIG DIRECTORY NOTES: whether the directory of an environment holds, service by service, exactly the
keys and bytes that docker-compose's config (CONFIG, its output) sets, and whether NOTES (what emsa printed) name
every key that it leaves unset. Beside the services there may be 'shared' and 'compose'."""
import re
import sys
from pathlib import Path

import yaml


def wanted(config):
    """Services to their environments; config doubles every dollar, so that it can be read again."""
    for name, service in yaml.safe_load(config)["services"].items():
        environment = service.get("environment") or {}
        yield name, {key: None if value is None else str(value).replace("$$", "$").encode()
                     for key, value in environment.items()}


def main():
    config, directory, notes = (Path(path) for path in sys.argv[1:])
    listed = set(re.findall(r"[^\s,:]+/[^\s,]+", "\n".join(
        line for line in notes.read_text().splitlines() if "left unset" in line)))
    problems, keys, services, unset = [], 0, set(), set()
    for name, environment in wanted(config.read_text()):
        services.add(name)
        found = {path.name: path.read_bytes() for path in (directory / name).iterdir()}
        expected = {key: value for key, value in environment.items() if value is not None}
        unset |= {f"{name}/{key}" for key, value in environment.items() if value is None}
        keys += len(expected)
        problems += [f"{name}/{key}: {value!r} is {found.get(key)!r}" for key, value in expected.items()
                     if found.get(key) != value]
        problems += [f"{name}/{key} is too many" for key in found.keys() - expected.keys()]
    problems += [f"{path.name} is too many" for path in directory.iterdir()
                 if path.name not in services | {"shared", "compose"}]
    if unset != listed:
        problems.append(f"unset {sorted(unset)}, but told of {sorted(listed)}")
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{len(services)} services, {keys} keys compared, {len(unset)} unset")
    sys.exit(1 if problems or not services else 0)


if __name__ == "__main__":
    main()
