#!/usr/bin/python3
"""reader.py SERVICE-DIRECTORY SOCKET ROUNDS NAME [SIGNAL]: kills the process NAME as often (or sends it that signal), while
threads read every key in every way; prints how much was read, and how long one turn took at most. Any error, any empty value, any round without a read is a failure."""
import os
import pathlib
import signal
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import varlink  # noqa: E402

directory, path, rounds, name = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
number_of_signal = signal.Signals["SIG" + sys.argv[5]] if len(sys.argv) > 5 else signal.SIGKILL
faults = []
longest = [0.0, 0.0]
turns = [0, 0]
is_over = threading.Event()
progress = threading.Condition()


def turn(number):
    begun = time.monotonic()
    for key in os.listdir(directory):
        with open(os.path.join(directory, key), "rb") as file:
            if not file.read():
                faults.append(f"{key} is empty")
        os.stat(os.path.join(directory, key))
    if os.path.exists(os.path.join(directory, "MISSING")):
        faults.append("MISSING exists")
    with progress:
        longest[number] = max(longest[number], time.monotonic() - begun)
        turns[number] += 1
        progress.notify_all()


def read(number):
    while not is_over.is_set():
        try:
            turn(number)
        except OSError as error:
            faults.append(str(error))


def pid_of():
    """Of the process now; a connection whose server was killed ends, and is made again. 0 is one that is being
    started."""
    while True:
        try:
            pid = varlink.Connection(path).call("Status")["processes"][name]
        except ConnectionError:
            continue
        if pid > 0:
            return pid


threads = [threading.Thread(target=read, args=(number,), daemon=True) for number in range(len(turns))]
for thread in threads:
    thread.start()
pid = pid_of()
for _ in range(rounds):
    last = pid
    os.kill(pid, number_of_signal)
    with progress:
        goal = [count + 2 for count in turns]
        if not progress.wait_for(lambda: all(a >= b for a, b in zip(turns, goal)), timeout=60):
            faults.append("readers stand still")
            break
    while pid == last:
        pid = pid_of()
is_over.set()
for thread in threads:
    thread.join(timeout=60)
print(f"{rounds} times {number_of_signal.name}, {sum(turns)} turns, longest {max(longest) * 1000:.0f} ms, {len(faults)} faults")
for fault in faults[:20]:
    print(fault)
sys.stdout.flush()
os._exit(1 if faults else 0)  # a reader that hangs in the kernel must not keep us
