#!/usr/bin/python3
"""relayed.py EMSA IDENTITY: the near side of a relay (tools/emsa/frame.h): proves an identity through it, and asks something that
takes a right; once more when a line comes on standard input; and again after another proof. Prints what came of each."""
import json
import struct
import subprocess
import sys

from who import claim, signing_key

HELLO = b"emsa relay 1\n"


class Relay:
    def __init__(self, emsa):
        self.process = subprocess.Popen([emsa, "relay"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout.read(len(HELLO)) == HELLO

    def ask(self, method, parameters):
        text = json.dumps({"method": "io.emsa." + method, "parameters": parameters}).encode()
        self.process.stdin.write(struct.pack(">IQ", len(text), 0) + text)
        self.process.stdin.flush()
        size, values = struct.unpack(">IQ", self.process.stdout.read(12))
        reply = json.loads(self.process.stdout.read(size))
        self.process.stdout.read(values)
        return reply

    def prove(self, key):
        challenge = self.ask("CallerChallenge", {})["parameters"]
        proof = {"key": bytes(key.verify_key).hex(), "signature": key.sign(claim(challenge, key)).signature.hex()}
        assert self.ask("CallerProve", proof)["parameters"] == {"identity": "ci"}


def main():
    relay, key = Relay(sys.argv[1]), signing_key(sys.argv[2])
    relay.prove(key)
    print(relay.ask("StoreId", {}).get("error", "done"), flush=True)
    sys.stdin.readline()
    print(relay.ask("StoreId", {}).get("error", "done"), flush=True)
    relay.prove(key)
    print(relay.ask("StoreId", {}).get("error", "done"), flush=True)
    relay.process.stdin.close()
    sys.exit(relay.process.wait())


main()
