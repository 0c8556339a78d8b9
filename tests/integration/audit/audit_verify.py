#!/usr/bin/python3
"""A second implementation of checking an audit record, from store/AUDIT.md alone: its folder, and the file of
the auditor's identity. Prints each fault and a summary; ends with 6 where there is one. As a module: for forgers."""
import hashlib
import re
import sys
from pathlib import Path

from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt, crypto_scalarmult, crypto_scalarmult_base

ZEROS = bytes(32)


def derive(key, label, data=b""):
    return hashlib.blake2b(bytes([len(label)]) + label.encode() + data, key=key, digest_size=32).digest()


def hash_parts(domain, *parts):
    text = bytes([len(domain)]) + domain.encode()
    for part in parts:
        text += len(part).to_bytes(8, "little") + part
    return hashlib.blake2b(text, digest_size=32).digest()


def chain_on(chain, text):
    return hash_parts("emsa-audit-1", chain, text)


def mac(key, chain):
    return derive(key, "emsa-audit-line-1", chain)


def step(key):
    return derive(key, "emsa-audit-next-1")


def private_of(identity):
    """The X25519 private key out of the text of an identity's file, by its plain slot."""
    seed = next(line.split()[1] for line in identity.splitlines() if line.startswith("plain "))
    return derive(bytes.fromhex(seed), "emsa-identity-x25519-1")


def unseal(sealed, private):
    """The key that a line seals for an auditor; None: it is not for this one."""
    ephemeral, box, public = sealed[:32], sealed[32:], crypto_scalarmult_base(private)
    shared = derive(crypto_scalarmult(private, ephemeral), "emsa-shared-1", ephemeral + public)
    try:
        return crypto_aead_xchacha20poly1305_ietf_decrypt(box, public, bytes(24), derive(shared, "emsa-audit-key-1"))
    except Exception:  # pylint: disable=broad-except
        return None


def fields_of(line):
    return dict(part.split("=", 1) for part in line.decode("ascii", "replace").split(" ") if "=" in part)


def files_of(folder):
    return sorted(folder.glob("record.*"), key=lambda path: int(path.name.split(".")[1]))


class Check:
    def __init__(self, private):
        self.private, self.faults = private, []
        self.next, self.key, self.chain = 0, None, ZEROS
        self.checked = 0
        self.states = {}  # by number: the key and chain that the line of that number begins with

    def wrong(self, text):
        self.faults.append(text)

    def open(self, fields):
        self.key = unseal(bytes.fromhex(fields["sealed"]), self.private)

    def skip(self, number, fields):
        self.wrong(f"lines {self.next or 1} to {number - 1} are missing")
        for _ in range(number - (self.next or 1)):
            self.key = step(self.key) if self.key else None
        self.next = number
        if "prev" in fields:
            self.chain = bytes.fromhex(fields["prev"])

    def seal(self, number, text, chain, tag):
        if chain_on(self.chain, text) != chain:
            self.wrong(f"line {number}: the chain is broken")
        self.chain = chain
        if self.key is None:
            return
        if mac(self.key, chain) == tag:
            self.checked += 1
        else:
            self.wrong(f"line {number}: not of its key")

    def line(self, line):
        form = re.fullmatch(rb"(n=([1-9][0-9]*) .*) chain=([0-9a-f]{64}) mac=([0-9a-f]{64})", line, re.S)
        if not form:
            self.wrong(f"behind line {self.next - 1}: no line")
            return
        number, fields = int(form[2]), fields_of(form[1])
        if number == 1 and fields.get("event") == "begin" and self.next != 1:
            if self.next:
                self.wrong(f"another record begins behind line {self.next - 1}")
            self.next, self.chain = 1, ZEROS
            self.open(fields)
        elif number > self.next:
            self.skip(number, fields)
        if number < self.next:
            self.wrong(f"line {number} stands behind line {self.next - 1}")
            return
        self.states[number] = (self.key, self.chain)
        self.seal(number, form[1], bytes.fromhex(form[3].decode()), bytes.fromhex(form[4].decode()))
        self.next = number + 1
        if fields.get("event") == "auditor":
            self.open(fields)
        elif self.key is not None:
            self.key = step(self.key)
        self.states[self.next] = (self.key, self.chain)

    def end(self, present):
        form = re.fullmatch(r"emsa-audit-key-1 (\d{20}) ([0-9a-f]{64}) ([0-9a-f]{64})\n", present)
        if not form:
            self.wrong("the present key is gone")
            return
        number, key, chain = int(form[1]), bytes.fromhex(form[2]), bytes.fromhex(form[3])
        found = self.states.get(number)
        if number > self.next:
            self.wrong(f"lines {self.next} to {number - 1} were cut off")
        elif found is None or found[1] != chain or (found[0] is not None and found[0] != key):
            self.wrong(f"the present key is not that of line {number}")


def check(folder, identity):
    result = Check(private_of(identity))
    for path in files_of(folder):
        for line in path.read_bytes().split(b"\n")[:-1]:
            result.line(line)
    key = folder / "key"
    result.end(key.read_text() if key.exists() else "")
    return result


def main():
    result = check(Path(sys.argv[1]), Path(sys.argv[2]).read_text())
    for fault in result.faults:
        print(fault)
    print(f"{result.next - 1} lines, {result.checked} by their keys, {len(result.faults)} faults")
    sys.exit(6 if result.faults else 0)


if __name__ == "__main__":
    main()
