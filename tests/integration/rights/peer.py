#!/usr/bin/python3
"""peer.py SOCKET PATH: as root, with every kind of connection whose user is not who it seems to be; prints a word and what came of
asking for a value, for each."""
import json
import os
import socket
import sys

ALICE, GROUP = 2001, 3001


def ask(link, path):
    link.sendall(json.dumps({"method": "io.emsa.Get", "parameters": {"paths": [path]}}).encode() + b"\0")
    text, descriptors, _, _ = socket.recv_fds(link, 1 << 16, 4)
    for descriptor in descriptors:
        os.close(descriptor)
    return json.loads(text[:-1]).get("error", "done")


def connect():
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    link.connect(sys.argv[1])
    return link


def become(uid, gid, groups):
    os.setresuid(0, 0, 0)
    os.setgroups(groups)
    os.setresgid(gid, gid, 0)
    os.setresuid(uid, uid, 0)


def main():
    path = sys.argv[2]
    os.setresuid(ALICE, ALICE, 0)
    of_alice = connect()
    os.setresuid(0, 0, 0)
    print("connected-as-alice-asked-by-root", ask(of_alice, path))
    # its other end may be held by whoever was given it, as a setuid program's standard input is
    child = os.fork()
    if child == 0:
        print("given-to-a-child-of-root", ask(of_alice, path), flush=True)
        os._exit(0)
    os.waitpid(child, 0)
    of_root = connect()
    become(ALICE, ALICE, [])
    print("connected-as-root-asked-by-alice", ask(of_root, path))
    # real and saved user are nobody's business
    os.setresuid(0, ALICE, 0)
    print("real-root-effective-alice", ask(connect(), path))
    os.setresuid(0, 0, 0)
    os.setresuid(ALICE, 0, 0)
    print("real-alice-effective-root", ask(connect(), path))
    become(2012, 2012, [GROUP])
    of_group = connect()
    print("in-the-group", ask(of_group, path))
    become(2012, 2012, [])
    print("was-in-the-group", ask(of_group, path))
    early = connect()
    become(2012, 2012, [GROUP])
    print("came-into-the-group-later", ask(early, path))
    become(2012, GROUP, [])
    print("by-its-first-group", ask(connect(), path))
    # as many groups as there may be, the right one among them
    become(2012, 2012, list(range(100000, 165534)) + [GROUP])
    print("in-very-many-groups", ask(connect(), path))


main()
