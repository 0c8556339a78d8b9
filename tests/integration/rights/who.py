#!/usr/bin/python3
"""who.py CALLS: makes the calls of a JSON list, [{"socket", "method", "parameters"}] or [{"file", "do"}], and prints one
line of JSON for each: [verdict, everything that came back]. With "identity", a file, that one is proven first on the connection
(store/FORMAT.md, "Caller")."""
import hashlib
import json
import os
import re
import socket
import struct
import sys

from nacl.signing import SigningKey


def signing_key(path):
    """The Ed25519 key of an identity's file that opens with nothing (store/FORMAT.md, "Identity")."""
    with open(path, encoding="ascii") as file:
        seed = bytes.fromhex(re.search("^plain ([0-9a-f]{64})$", file.read(), re.M)[1])
    label = b"emsa-identity-ed25519-1"
    return SigningKey(hashlib.blake2b(bytes([len(label)]) + label, key=seed, digest_size=32).digest())


def claim(asked, key, **other):
    """What is signed, of the reply to CallerChallenge; other says what is put in its place."""
    told = {**asked, **other}
    return (b"emsa-caller-1" + bytes.fromhex(told["store"]) + bytes.fromhex(told["challenge"]) + struct.pack("<I", told["uid"])
            + bytes(key.verify_key))


class Connection:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(path)

    def ask(self, method, parameters):
        """The reply, as it is and as its text, and the descriptors with it, for the caller to close."""
        method = method if "." in method else "io.emsa." + method
        self.socket.sendall(json.dumps({"method": method, "parameters": parameters}).encode() + b"\0")
        text, descriptors = b"", []
        while not text.endswith(b"\0"):
            data, found, _, _ = socket.recv_fds(self.socket, 1 << 20, 4)
            if not data:
                raise ConnectionError("the server closed the connection")
            text += data
            descriptors += found
        return json.loads(text[:-1]), text[:-1].decode(), descriptors

    def prove(self, identity):
        """The name by which the store knows it."""
        key = signing_key(identity)
        challenge = self.ask("CallerChallenge", {})[0]["parameters"]
        return self.answer(key, key.sign(claim(challenge, key)).signature)[0]["parameters"].get("identity")

    def answer(self, key, signature):
        return self.ask("CallerProve", {"key": bytes(key.verify_key).hex(), "signature": signature.hex()})

    def call(self, method, parameters):
        """The verdict, and everything that came back, values too."""
        reply, told, descriptors = self.ask(method, parameters)
        for descriptor in descriptors:
            if "values" in reply.get("parameters", {}):
                with os.fdopen(descriptor, "rb") as values:
                    told += values.read().decode("latin-1")
            else:
                os.close(descriptor)
        return reply.get("error", "done"), told


def look(path, what):
    try:
        if what == "ls":
            os.listdir(path)
        elif what == "cat":
            with open(path, "rb") as file:
                return "done", file.read().decode("latin-1")
        else:
            os.stat(path)
    except (NotADirectoryError, IsADirectoryError):
        return "done", ""
    except OSError as error:
        return type(error).__name__, ""
    return "done", ""


def main():
    connections = {}
    with open(sys.argv[1], encoding="utf-8") as file:
        calls = json.load(file)
    for call in calls:
        if "file" in call:
            print(json.dumps(look(call["file"], call["do"])))
            continue
        way = call["socket"], call.get("identity")
        if way not in connections:
            connections[way] = Connection(call["socket"])
            if way[1] is not None:
                connections[way].prove(way[1])
        print(json.dumps(connections[way].call(call["method"], call["parameters"])))


if __name__ == "__main__":
    main()
