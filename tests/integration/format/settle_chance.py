#!/usr/bin/python3
"""Stores by chance: all that is derived in them is what their logs come to.

settle_chance.py MAKE [COMMITS [SEED...]]     MAKE is the program format_chance; EMSA_TEST_SEED is one more seed
"""
import os
import random
import subprocess
import sys
import tempfile

import emsa_settle


def main():
    make, commits, *seeds = sys.argv[1], *(sys.argv[2:] or ["200"])
    given = os.environ.get("EMSA_TEST_SEED") or str(random.SystemRandom().randrange(1 << 32))
    faults = 0
    for seed in (seeds or ["1", "2", "3", "4", "5"]) + [given]:
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([make, folder, seed, commits], check=True)
            store, settled = emsa_settle.open_store(folder + "/store", folder + "/store.identity")
            found = emsa_settle.differences(store, settled)
        print(f"seed {seed}: {store.rev} revisions, {len(store.log)} operations, {len(found)} differences", *found, sep="\n  ")
        faults += len(found)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
