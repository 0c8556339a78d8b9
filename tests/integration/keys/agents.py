#!/usr/bin/python3
"""agents.py WHAT SOCKET AGENT [UID]: something at SOCKET that an ssh-agent is behind: between: it hands on what is said, for a user
of that number; garbage: it answers with anything; forger: it signs with another key; half: it hangs up in the middle of an answer.
Says "ready" first, and keeps to whoever comes until it is ended."""
import os
import socket
import struct
import sys

from nacl.signing import SigningKey

what, path, behind = sys.argv[1:4]


def read_message(link):
    data = b""
    while len(data) < 4 or len(data) < 4 + struct.unpack(">I", data[:4])[0]:
        got = link.recv(65536)
        if not got:
            return None
        data += got
    return data


def text(data):
    return struct.pack(">I", len(data)) + data


def forged(question):
    signature = SigningKey(bytes(32)).sign(question).signature
    body = b"\x0e" + text(text(b"ssh-ed25519") + text(signature))
    return text(body)


def answer(agent, question):
    if what == "garbage":
        return text(os.urandom(200))
    if what == "forger" and question[4] == 13:
        return forged(question)
    agent.sendall(question)
    whole = read_message(agent)
    return whole[:len(whole) // 2] if what == "half" else whole


def main():
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    if len(sys.argv) > 4:
        os.chown(path, int(sys.argv[4]), -1)
    listener.listen()
    print("ready", flush=True)
    while True:
        link, _ = listener.accept()
        with link, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as agent:
            agent.connect(behind)
            while (question := read_message(link)) is not None:
                link.sendall(answer(agent, question))
                if what == "half":
                    break


main()
