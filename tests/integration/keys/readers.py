#!/usr/bin/python3
"""readers.py FOLDER STOP: reads every file of the folders in FOLDER again and again until the file STOP is there; each must hold its own
path, and "again" or not. Prints how many reads there were, and each that was wrong."""
import os
import sys


def main():
    folder, stop = sys.argv[1:]
    reads = rounds = 0
    print("reading", flush=True)
    while not os.path.exists(stop) or not rounds:
        for service in sorted(os.listdir(folder)):
            for key in os.listdir(os.path.join(folder, service)):
                reads += 1
                try:
                    with open(os.path.join(folder, service, key), encoding="utf-8") as file:
                        found = file.read()
                except OSError as error:
                    found = str(error)
                if found not in (f"secret of {service}/{key}", f"secret of {service}/{key} again"):
                    print(f"FAULT: {service}/{key}: {found}")
            if os.path.exists(stop) and rounds:
                break
        rounds += 1
    print(f"{reads} reads")


if __name__ == "__main__":
    main()
