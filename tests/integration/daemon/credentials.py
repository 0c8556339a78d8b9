#!/usr/bin/python3
"""Asks for credentials as systemd does (src/shared/creds: a socket bound to "\\0RANDOM/unit/UNIT/ID", connected,
shut down for writing, read to its end; more than 1 MiB is an error, and the unit fails).

credentials.py SOCKET ask UNIT ID    prints the value; exit 3: the unit would fail
credentials.py SOCKET name NAME      the same from any address (an empty one: bound to none)
credentials.py SOCKET crowd COUNT    so many at one time, some of whom never read
credentials.py SOCKET killed ROUNDS  while servers are killed: whole values or none
credentials.py SOCKET stopped PID    while the daemon ends"""
import os
import random
import signal
import socket
import subprocess
import sys
import threading

LIMIT = 1 << 20
path = sys.argv[1]
PATIENCE = 120


def connect(name):
    asker = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    asker.settimeout(PATIENCE)
    if name:
        asker.bind(name)
    asker.connect(path)
    asker.shutdown(socket.SHUT_WR)
    return asker


def read(asker):
    """The value, or None where systemd has an error."""
    value = bytearray()
    try:
        while piece := asker.recv(65536):
            value += piece
            if len(value) > LIMIT:
                return None
    except ConnectionError:
        return None
    finally:
        asker.close()
    return bytes(value)


def unit_name(unit, key):
    return f"\0{random.getrandbits(64):x}/unit/{unit}/{key}".encode()


def ask(unit, key):
    try:
        return read(connect(unit_name(unit, key)))
    except ConnectionError:
        return None


def tell(value):
    if value is None:
        sys.exit(3)
    sys.stdout.buffer.write(value)


def crowd(count):
    slow = [connect(unit_name("web@prod.service", "LARGE")) for _ in range(count // 3)]
    rest = [connect(unit_name("web@prod.service", "PASSWORD" if number % 2 else "NONE")) for number in range(count)]
    for number, asker in enumerate(rest):
        value = read(asker)
        if value != (b"hidden words" if number % 2 else None):
            sys.exit(f"asker {number} got {value!r}")
    for asker in slow:  # late, and whole
        value = read(asker)
        if value is not None and value != b"x" * LIMIT:
            sys.exit(f"a slow one got {len(value)} bytes")


def among(count, disturb):
    """Many who ask again and again while disturb() runs; what each got must be whole or nothing."""
    wrong, found, over = [], {"given": 0, "refused": 0}, threading.Event()
    lock = threading.Lock()

    def keep_asking(number):
        key, right = (("LARGE", b"x" * LIMIT), ("PASSWORD", b"hidden words"))[number % 2]
        while not over.is_set():
            value = ask("web@prod.service", key)
            with lock:
                found["refused" if value is None else "given"] += 1
                if value is not None and value != right:
                    wrong.append(f"{key}: {len(value)} bytes")

    threads = [threading.Thread(target=keep_asking, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    try:
        disturb(found)
    finally:
        over.set()
        for thread in threads:
            thread.join()
    if wrong:
        sys.exit(f"cut values: {wrong[:5]}")
    return found


def server():
    out = subprocess.run(["emsa", "status", "--json"], capture_output=True, check=True)
    import json
    return json.loads(out.stdout)["processes"]["server"]


def killed(rounds):
    def disturb(found):
        for _ in range(rounds):
            before = found["given"]
            os.kill(server(), signal.SIGKILL)
            while found["given"] < before + 10:  # the next one gives again
                os.sched_yield()
    found = among(12, disturb)
    print(f"{found['given']} given and {found['refused']} refused while {rounds} servers were killed")


def stopped(pid):
    def disturb(found):
        while found["given"] < 50:
            os.sched_yield()
        process = os.pidfd_open(pid)
        os.kill(pid, signal.SIGTERM)
        import select
        if not select.select([process], [], [], PATIENCE)[0]:
            sys.exit("the daemon does not end")
    among(12, disturb)


what = sys.argv[2]
if what == "ask":
    tell(ask(sys.argv[3], sys.argv[4]))
elif what == "name":
    tell(read(connect(sys.argv[3].encode("latin-1").replace(b"\\0", b"\0"))))
elif what == "crowd":
    crowd(int(sys.argv[3]))
elif what == "killed":
    killed(int(sys.argv[3]))
elif what == "stopped":
    stopped(int(sys.argv[3]))
