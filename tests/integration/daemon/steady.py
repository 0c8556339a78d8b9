#!/usr/bin/python3
"""steady.py SERVICE-DIRECTORY: threads read every key in every way until SIGTERM; prints how often, and how
long one turn took at most. Any error and any empty value is a failure."""
import os
import signal
import sys
import threading
import time

directory = sys.argv[1]
faults = []
turns = [0] * 4
longest = [0.0] * 4
is_over = threading.Event()


def turn():
    for key in os.listdir(directory):
        with open(os.path.join(directory, key), "rb") as file:
            if not file.read():
                faults.append(f"{key} is empty")
        os.stat(os.path.join(directory, key))
    if os.path.exists(os.path.join(directory, "MISSING")):
        faults.append("MISSING exists")


def read(number):
    while not is_over.is_set():
        begun = time.monotonic()
        try:
            turn()
        except OSError as error:
            faults.append(str(error))
        longest[number] = max(longest[number], time.monotonic() - begun)
        turns[number] += 1


threads = [threading.Thread(target=read, args=(number,), daemon=True) for number in range(len(turns))]
for thread in threads:
    thread.start()
signal.signal(signal.SIGTERM, lambda *_: is_over.set())
is_over.wait()
for thread in threads:
    thread.join(timeout=60)
    if thread.is_alive():
        faults.append("a reader hangs")
print(f"{sum(turns)} turns of {len(turns)} readers, longest {max(longest) * 1000:.0f} ms, {len(faults)} faults")
for fault in faults[:20]:
    print(fault)
sys.stdout.flush()
os._exit(1 if faults else 0)
