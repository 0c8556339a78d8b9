#!/usr/bin/python3
"""Revisions as files against a model of them.

past.py model STORE FILE EVERY    what tests/integration/format makes of a store that nobody owns: every EVERYth revision
past.py compare FILE MOUNT        reads them below MOUNT/.emsa/at, and by the at/ of environments and services, and compares
"""
import errno
import os
import pickle
import sys
from pathlib import Path


def model(path, out, every):
    import emsa_settle
    store, settled = emsa_settle.open_store(path, path + ".identity")
    found = {}
    for rev in [*range(1, store.rev, every), store.rev]:
        view = settled.views[rev]
        places = {(settled.environments[id].name, service) for id, service in presences(store, rev)
                  for service in [settled.services[service]] if id in view.layers}
        found[rev] = {"values": settled.values(rev), "destroyed": settled.destroyed(rev), "services": places,
                      "environments": {settled.environments[id].name for id in view.layers}}
    Path(out).write_bytes(pickle.dumps(found))
    print(f"{len(found)} revisions, {sum(len(it['values']) for it in found.values())} values")


def presences(store, rev):
    """(environment, service) of the services that were there, from the operations."""
    import emsa_format as form
    there = set()
    for (at, _), operation in sorted(store.log.items()):
        place = (operation["environment"], operation["service"])
        if at <= rev and operation["kind"] == form.SERVICE_ADD:
            there.add(place)
        elif at <= rev and operation["kind"] == form.SERVICE_REMOVE:
            there.discard(place)
    return there


def read(path):
    """None: it was destroyed since. A file of the past is its effective rev's, and what was set since then to what it
    was, or shows from beneath as what it was, may be there when that is not, and the other way round."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        if error.errno == errno.ENODATA:
            return None
        raise


def read_tree(top):
    """({path: bytes}, directories)"""
    values, directories = {}, set()
    for folder, names, files in os.walk(top):
        inside = os.path.relpath(folder, top)
        directories.update(os.path.normpath(os.path.join(inside, name)) for name in names)
        for name in files:
            path = os.path.join(folder, name)
            content = read(path)
            if content is None:
                continue
            if os.stat(path).st_size != len(content):
                raise AssertionError(f"{path} says {os.stat(path).st_size} bytes and has {len(content)}")
            values[os.path.normpath(os.path.join(inside, name))] = content
    return values, directories


def read_names(top, wanted):
    """The same of names that nobody has listed, so that each is looked up; and of some that are not there."""
    found = {}
    for path in wanted:
        for name in (path, path + "x", path.rsplit("/", 1)[0] + "x/none"):
            try:
                found[name] = read(f"{top}/{name}")
            except FileNotFoundError:
                pass
    return {name: value for name, value in found.items() if value is not None}


def differing(what, found, wanted, destroyed=frozenset()):
    return [f"{what}: {path}: {found.get(path)!r} instead of {wanted.get(path)!r}" for path in sorted((found.keys() | wanted.keys()) - destroyed)
            if found.get(path) != wanted.get(path)]


def beneath(prefix, values):
    return {path[len(prefix) + 1:]: value for path, value in values.items() if path.startswith(prefix + "/")}


def compare(path, mount):
    faults, count, others = [], 0, 0
    told = pickle.loads(Path(path).read_bytes())
    for number, (rev, it) in enumerate(told.items()):
        if number % 2:
            faults += differing(f"revision {rev}, by name", read_names(f"{mount}/.emsa/at/{rev}", it["values"]), it["values"], it["destroyed"])
        values, directories = read_tree(f"{mount}/.emsa/at/{rev}")
        faults += differing(f"revision {rev}", values, it["values"], it["destroyed"])
        wanted = it["environments"] | {"/".join(place) for place in it["services"]}
        if directories != wanted:
            faults.append(f"revision {rev}: the directories {sorted(directories ^ wanted)}")
        count += len(values)
        # by the other ways, where the place is there today
        for top in it["environments"] | {"/".join(place) for place in it["services"]}:
            if not os.path.isdir(f"{mount}/{top}"):
                continue
            way = f"{mount}/{top}/.emsa/at/{rev}"
            if not os.path.isdir(way):
                if not is_another_life(mount, top, rev):
                    faults.append(f"revision {rev}: {top} is not there by its own at/")
                continue
            others += 1
            gone = {path[len(top) + 1:] for path in it["destroyed"] if path.startswith(top + "/")}
            if number % 2:
                there = beneath(top, it["values"])
                faults += differing(f"revision {rev} by {top}, by name", read_names(way, there), there, gone)
            faults += differing(f"revision {rev} by {top}", read_tree(way)[0], beneath(top, it["values"]), gone)
    print(f"{len(told)} revisions with {count} values are as they were; {others} of them by their own at/")
    return faults


def is_another_life(mount, top, rev):
    """An environment of that name that is gone has its past by the root only: the one that is there now came later."""
    environment = top.split("/")[0]
    here, there = os.stat(f"{mount}/{environment}"), os.stat(f"{mount}/.emsa/at/{rev}/{environment}")
    return here.st_ino >> 40 & 0xfffff != identity(there.st_ino)


def identity(inode):
    """The environment in the id of a directory of the past (fs/node.h)."""
    length, service = inode >> 55 & 31, inode >> 50 & 31
    left = 50 - max(length - 1, 0) - max(service - 1, 0)
    return 1 << (length - 1) | (inode & (1 << 50) - 1) >> (left + max(service - 1, 0)) & (1 << (length - 1)) - 1


def main():
    if sys.argv[1] == "model":
        model(sys.argv[2], sys.argv[3], int(sys.argv[4]))
        return
    faults = compare(sys.argv[2], sys.argv[3])
    for fault in faults[:30]:
        print("FAULT:", fault, file=sys.stderr)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
