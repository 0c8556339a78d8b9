"""hostile PLACE WHAT [WORD...]: many at once at the plugin's socket, of whom many are no friends. Each comes to an end, nobody
gets a 200 that is not true, and who asks properly meanwhile is answered in the time that podman gives. Exit 0; or a line and 1."""
import json
import os
import random
import selectors
import socket
import sys
import time

from protocol import NAME, OPTS, PATIENCE, PODMAN_ID, activate, docker, done, main, podman

HANG = 60  # seconds; what has not come to an end by then never does
DRIP = 0.02  # seconds from one byte of a slow one to the next
MEMORY = 160 << 20  # bytes: 1,024 clients of 16 KiB for libmicrohttpd, 64 KiB of a body and what JSON takes of it
BESIDE_CLIENTS = 32  # descriptors


class Member:
    """One of a herd: what it sends, how it goes on, and what must not or must come back."""

    def __init__(self, kind, data, check, half=False, drips=False, leaves=False, reads=True, endless=b""):
        self.kind, self.data, self.check, self.half, self.drips = kind, data, check, half, drips
        self.leaves, self.reads, self.endless = leaves, reads, endless
        self.found, self.socket, self.began, self.took, self.dripped = b"", None, 0.0, None, 0.0

    def connect(self, place):
        self.socket = socket.socket(socket.AF_UNIX)
        self.began = time.monotonic()
        self.socket.connect(place)
        self.socket.setblocking(False)
        if not self.drips:
            self.write()  # at once: who is slow because this test is would be ended for it

    def events(self):
        wants = self.data and not self.drips
        return (selectors.EVENT_READ if self.reads else 0) | (selectors.EVENT_WRITE if wants else 0)

    def end(self):
        self.took = time.monotonic() - self.began
        self.socket.close()

    def write(self):
        """True: it has nothing more to do with this connection."""
        try:
            sent = self.socket.send(self.data[:1] if self.drips else self.data)
        except BlockingIOError:
            return False
        except (BrokenPipeError, ConnectionResetError):
            self.data = self.endless = b""
            return False  # what it was told can be read still
        self.data = self.data[sent:] or self.endless
        if not self.data and self.half:
            self.socket.shutdown(socket.SHUT_WR)
        return not self.data and self.leaves

    def read(self):
        try:
            got = self.socket.recv(1 << 16)
        except BlockingIOError:
            return False
        except ConnectionResetError:
            got = b""
        self.found += got
        return not got


def is_200(member):
    head, _, body = member.found.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 "), (member.kind, member.found)
    said = json.loads(body)
    assert said["Err"] == "", (member.kind, said)
    return said


def is_500(member):
    head, _, body = member.found.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 500 ") and json.loads(body)["Err"] != "", (member.kind, member.found)


def is_no_200(member):
    assert not member.found.startswith(b"HTTP/1.1 2"), (member.kind, member.found)


def is_200_or_nothing(member):
    """Of who closed its half: libmicrohttpd takes that for a departure, where it sees it when the server has answered."""
    if member.found:
        is_200(member)


def is_anything(_member):
    pass


def in_time(member):
    assert member.took < PATIENCE, f"{member.kind} took {member.took:.1f} s"


def good(kind, data, check):
    def checks(member):
        check(member)
        in_time(member)
    return Member(kind, data, checks)


def witness():
    return good("a witness", podman("/VolumeDriver.Path", {"Name": NAME}), is_200)


def figures(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        memory = next(int(line.split()[1]) << 10 for line in status if line.startswith("VmRSS:"))
    return len(os.listdir(f"/proc/{pid}/fd")), memory


def is_bounded(pid):
    descriptors, memory = figures(pid)
    assert descriptors <= 1024 + BESIDE_CLIENTS, f"{descriptors} descriptors"
    assert memory <= MEMORY or os.environ.get("EMSA_SANITIZED"), f"{memory >> 20} MiB"


class Herd:
    def __init__(self, place, members, pid=None):
        self.place, self.pid, self.selector = place, pid, selectors.DefaultSelector()
        self.left, self.witness, self.witnesses = set(), None, 0
        for member in members:
            self.add(member)

    def add(self, member):
        member.connect(self.place)
        self.left.add(member)
        if member.leaves and not member.data:
            self.over(member)
        else:
            self.watch(member)

    def watch(self, member):
        events = member.events()
        known = member.socket.fileno() in self.selector.get_map()
        if events and known:
            self.selector.modify(member.socket, events, member)
        elif events:
            self.selector.register(member.socket, events, member)
        elif known:
            self.selector.unregister(member.socket)

    def over(self, member):
        if member.socket.fileno() in self.selector.get_map():
            self.selector.unregister(member.socket)
        member.end()
        self.left.remove(member)
        member.check(member)
        if member is self.witness:
            self.witness = None
            self.witnesses += 1

    def serve(self, member, events):
        is_over = member.write() if events & selectors.EVENT_WRITE else False
        if events & selectors.EVENT_READ:
            is_over = member.read() or is_over
        if is_over:
            self.over(member)
        elif not member.data or not member.reads:
            self.watch(member)

    def drip(self):
        now = time.monotonic()
        for member in [each for each in self.left if each.drips and each.data and now - each.dripped >= DRIP]:
            member.dripped = now
            if member.write():
                self.over(member)

    def run(self):
        stop = time.monotonic() + HANG
        while any(member.reads for member in self.left if member is not self.witness):
            assert time.monotonic() < stop, ("they hang", sorted({member.kind for member in self.left}))
            if self.witness is None:
                self.witness = witness()
                self.add(self.witness)
            for key, events in self.selector.select(DRIP):
                self.serve(key.data, events)
            self.drip()
            if self.pid:
                is_bounded(self.pid)
        if self.witness is not None:
            self.witness.socket.setblocking(True)
            while not self.witness.read():
                if self.witness.data:
                    self.witness.write()
            self.over(self.witness)
        for member in list(self.left):  # who has not read: it came to an end without
            self.over(member)
        return self.witnesses


def shapes():
    """Every request of podman and of docker, with the answer that is due, beside one volume that is there."""
    bodies = ((is_200, "Capabilities", {}), (is_200, "Get", {"Name": NAME}), (is_500, "Get", {"Name": "none"}), (is_200, "List", None),
              (is_200, "List", {}), (is_200, "Mount", {"Name": NAME, "ID": PODMAN_ID}), (is_500, "Mount", {"Name": "none", "ID": PODMAN_ID}),
              (is_200, "Unmount", {"Name": NAME, "ID": PODMAN_ID}), (is_200, "Path", {"Name": NAME}), (is_500, "Remove", {"Name": "none"}),
              (is_200, "Create", {"Name": NAME, "Opts": OPTS}), (is_500, "Create", {"Name": NAME, "Opts": {**OPTS, "layout": "flat"}}),
              (is_500, "Create", {"Name": "none", "Opts": {**OPTS, "service": "none"}}), (is_500, "Create", {"Name": "none"}))
    found = [(is_200, "Activate", shape("/Plugin.Activate", None)) for shape in (podman, docker)]
    found += [(check, what, shape("/VolumeDriver." + what, body)) for shape in (podman, docker) for check, what, body in bodies]
    return [good(what, data, check) for check, what, data in found]


POST = b"POST /VolumeDriver.Get HTTP/1.1\r\nHost: plugin\r\n"
MALFORMED = (b"\0" * 5000, b"GET / HTTP/9.9\r\n\r\n", POST + b"A: b\r\n" * 20000 + b"\r\n", b"POST " + b"/" * 100000, b"\r\n" * 100,
             POST + b"Content-Length: -1\r\n\r\n", POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n{}   ",
             POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", POST + b"Content-Length: 9999999999\r\n\r\n",
             POST + b"Content-Length: 1\r\n\r\n{", POST + b"Content-Length: 60000\r\n\r\n" + b"[" * 60000,
             podman("/VolumeDriver.Get", {"Name": "../x"}), podman("/VolumeDriver.Create", {"Name": NAME, "Opts": []}))
CHUNKED = b"POST /VolumeDriver.Get HTTP/1.1\r\nHost: plugin\r\nTransfer-Encoding: chunked\r\n\r\n"


def malformed(dice):
    return Member("malformed", dice.choice(MALFORMED), is_no_200, half=dice.random() < 0.5)


def oversized(dice):
    if dice.random() < 0.5:
        return Member("oversized", podman("/VolumeDriver.Get", {"Name": NAME, "More": "x" * 70000}), is_no_200)
    return Member("endless", CHUNKED, is_no_200, endless=b"1000\r\n" + b"x" * 4096 + b"\r\n")


def slow(dice):
    whole = podman("/VolumeDriver.Path", {"Name": NAME})
    return Member("slow", whole[:dice.randrange(len(whole))], is_no_200, drips=dice.random() < 0.7)  # some stop in the midst


def half_closed(dice):
    whole = dice.choice((podman, docker))("/VolumeDriver.Path", {"Name": NAME})
    cut = dice.randrange(len(whole) + 1)
    return Member("half-closed", whole[:cut], is_200_or_nothing if cut == len(whole) else is_no_200, half=True)


def rude(dice):
    """Goes without reading, or stays without reading."""
    whole = podman("/VolumeDriver.List", None)
    return Member("rude", whole, is_anything, leaves=True) if dice.random() < 0.5 else Member("does not read", whole, is_anything, reads=False)


def noisy(dice):
    request = bytearray(dice.choice(shapes()[:8]).data)
    for _ in range(1 + dice.randrange(6)):
        request[dice.randrange(len(request))] = dice.randrange(256)
    return Member("noise", bytes(request), is_anything, half=True)


KINDS = {"malformed": malformed, "oversized": oversized, "slow": slow, "half_closed": half_closed, "rude": rude, "noise": noisy}


def dice_of(words):
    seed = int(words[0] if words else os.environ.get("EMSA_TEST_SEED") or random.randrange(1 << 32))
    print("seed", seed, file=sys.stderr)
    return random.Random(seed)


def settles(pid, before):
    """All that they had is given back, as soon as the plugin has seen that they are gone."""
    stop = time.monotonic() + HANG
    while figures(pid)[0] > before:
        assert time.monotonic() < stop, (figures(pid)[0], before)


def herd(place, members, pid):
    before = figures(pid)[0]
    witnesses = Herd(place, members, pid).run()
    settles(pid, before)
    activate(place, podman)
    assert witnesses > 0


def crowd(place, pid, count, kind="mixed", *words):
    """COUNT at once, of one kind or of all, and every shape of a request among them."""
    dice = dice_of(words)
    done(place, "Create", {"Name": NAME, "Opts": OPTS})
    members = [(dice.choice(list(KINDS.values())) if kind == "mixed" else KINDS[kind])(dice) for _ in range(int(count) - len(shapes()))]
    members += shapes()
    dice.shuffle(members)
    herd(place, members, pid)
    done(place, "Remove", {"Name": NAME})


def proper(place, pid, count):
    """COUNT at once, every one of them proper: each is answered as is due, in time."""
    done(place, "Create", {"Name": NAME, "Opts": OPTS})
    members = []
    while len(members) < int(count):
        members += shapes()
    herd(place, members[:int(count)], pid)
    done(place, "Remove", {"Name": NAME})


if __name__ == "__main__":
    main(globals(), *sys.argv[1:])
