#!/usr/bin/python3
"""watching.py deaths ROUNDS | slow COMMITS | crowd: watchers beside commits and killed servers. Says what is wrong
and ends with 1."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import varlink  # noqa: E402

SOCKET = os.environ["EMSA_STORE"] + "/socket"


def call(method, **parameters):
    """One call of a connection of its own, made again as long as servers die of it."""
    while True:
        try:
            return varlink.Connection(SOCKET).call(method, **parameters)
        except (ConnectionError, BrokenPipeError):
            continue


def commit(key, number, reason="", **terms):
    operations = [{"path": f"prod/watched/{key}", "kind": "plain", "value": str(number)}]
    return call("Set", operations=operations, reason=reason, request_id=os.urandom(16).hex(), **terms)["rev"]


def told(watcher, last):
    """The revisions that a watcher tells of, up to the last one."""
    found = []
    for line in watcher.stdout:
        found.append(json.loads(line)["rev"])
        if found[-1] >= last:
            return found
    raise SystemExit(f"the watcher ended after {found[-1:]}")


def watch(*words):
    return subprocess.Popen(["emsa", "watch", "--json", *words], stdout=subprocess.PIPE, text=True)


def finished(watcher):
    watcher.send_signal(signal.SIGTERM)
    assert watcher.wait() == 0, f"the watcher ended with {watcher.returncode}"


def deaths(rounds):
    """Every commit once and in order, while servers are killed at any moment."""
    first = commit("BEGIN", 0)
    watchers = [watch("prod/watched", "--from", str(first)), watch("prod", "--from", str(first))]
    committed, over, killed = [first], threading.Event(), set()

    def kill():
        while not over.is_set():
            try:
                server = call("Status")["processes"]["server"]
                os.kill(server, signal.SIGKILL)
                killed.add(server)
            except ProcessLookupError:
                pass

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        for number in range(rounds):
            committed.append(commit(f"K{number % 7}", number))
    finally:
        over.set()
        killer.join()
    for watcher in watchers:
        found = told(watcher, committed[-1])
        assert found == committed, f"told {found}, committed {committed}"
        finished(watcher)
    assert len(killed) > 3, f"{len(killed)} servers were killed"
    print(f"{len(killed)} servers were killed during {rounds} commits")


def slow(commits):
    """A watcher that reads nothing holds up neither commits nor the server's end, and misses nothing."""
    first = commit("SLOW", 0)
    watcher = watch("prod/watched", "--from", str(first))
    found = told(watcher, first)
    watcher.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, watcher.pid, os.WSTOPPED)
    # more than any socket takes
    committed = [commit("SLOW", number + 1, reason="x" * 1000) for number in range(commits)]
    subprocess.run(["emsa", "stop"], check=True)
    subprocess.run(["umount", "-l", os.environ["MOUNT"]], check=True)
    subprocess.run(["emsa", "mount", os.environ["MOUNT"]], check=True, stdout=subprocess.DEVNULL)
    watcher.send_signal(signal.SIGCONT)
    found += told(watcher, committed[-1])
    assert found == [first, *committed], f"told {found}, committed {committed}"
    finished(watcher)


def crowd():
    """Watchers leave room for whoever comes, and one that goes makes room for the next."""
    message = json.dumps({"method": "io.emsa.Watch", "more": True, "parameters": {"paths": ["prod"]}}).encode() + b"\0"
    # an answer comes before the waiting: the second one, of a change, says that all wait
    first = commit("CROWD", 0)
    message = message.replace(b'["prod"]', b'["prod"], "from": %d' % first)
    crowd = []
    refused = 0
    for _ in range(70):
        connection = varlink.Connection(SOCKET)
        connection.socket.sendall(message)
        crowd.append(connection)
    for connection in crowd:
        first = receive(connection)
        assert first.get("continues"), first
    commit("CROWD", 1)
    for connection in crowd:
        refused += "error" in receive(connection)
    assert refused == 6, f"{refused} of 70 were refused"
    assert subprocess.run(["emsa", "status"], stdout=subprocess.DEVNULL).returncode == 0
    for connection in crowd:
        connection.socket.close()
    # they leave when they are seen to have gone, which a call that runs beside them cannot know
    while True:
        connection = varlink.Connection(SOCKET)
        connection.socket.sendall(message)
        receive(connection)
        commit("CROWD", os.urandom(4).hex())
        if "error" not in receive(connection):
            return


def receive(connection):
    while b"\0" not in connection.buffered:
        got = connection.socket.recv(1 << 20)
        if not got:
            raise ConnectionError("the server closed the connection")
        connection.buffered += got
    text, connection.buffered = connection.buffered.split(b"\0", 1)
    return json.loads(text)


if __name__ == "__main__":
    globals()[sys.argv[1]](*map(int, sys.argv[2:]))
