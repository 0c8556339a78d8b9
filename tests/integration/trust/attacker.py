#!/usr/bin/python3
"""An edit of a store's file by who has LMDB's own tools and knows the format: mdb_dump's text in, mdb_load's out.

attacker.py EDIT [ARGUMENT...] <dump >dump       every record that is touched gets its hash made right again
"""
import hashlib
import os
import struct
import sys


class Dump:
    def __init__(self, text):
        self.heads, self.tables, name, lines = {}, {}, None, iter(text.splitlines())
        for line in lines:
            if line.startswith("VERSION="):
                head, name = [line], ""
                for line in lines:
                    if line.startswith("db_pagesize="):
                        continue  # mdb_load does not know what mdb_dump writes
                    head.append(line)
                    if line.startswith("database="):
                        name = line.split("=", 1)[1]
                    if line == "HEADER=END":
                        break
                self.heads[name], self.tables[name] = head, {}
            elif line.startswith(" "):
                self.tables[name][bytes.fromhex(line[1:])] = bytes.fromhex(next(lines)[1:])

    def text(self):
        parts = []
        for name, head in self.heads.items():
            parts += head
            for key, record in sorted(self.tables[name].items()):
                parts += [" " + key.hex(), " " + record.hex()]
            parts.append("DATA=END")
        return "\n".join(parts) + "\n"

    def put(self, table, key, body):
        name = table.encode()
        text = bytes([len(name)]) + name + struct.pack("<H", len(key)) + key + body
        self.tables[table][key] = body + hashlib.blake2b(text, digest_size=16).digest()

    def bodies(self, table):
        return {key: record[:-16] for key, record in self.tables[table].items()}


def unhashed(dump, old, new):
    """Bytes of a value, nothing made right."""
    for key, record in dump.tables["value"].items():
        dump.tables["value"][key] = record.replace(old.encode(), new.encode())


def value(dump, old, new):
    """The same, by who knows what closes a record."""
    for key, body in dump.bodies("value").items():
        if old.encode() in body:
            dump.put("value", key, body.replace(old.encode(), new.encode()))


def secrets(dump):
    """The newest two values of secrets, each in the place of the other."""
    (one, a), (other, b) = [(key, body) for key, body in sorted(dump.bodies("value").items()) if body[1] == 2][-2:]
    dump.put("value", one, b)
    dump.put("value", other, a)


def grant(dump, principal):
    """Every right to everything."""
    dump.put("grant", bytes(8) + principal.encode(), b"\x01" + struct.pack("<HQI", 63, 1, 0))


def key(dump):
    """A public key of the attacker's own, so that what is set from now on is sealed for it."""
    for at, body in sorted(dump.bodies("key").items()):
        if at[:1] == b"K" and at[5:9] != bytes(4):
            dump.put("key", at, body[:13] + bytes(range(32)))


def author(dump, old, new):
    """Who wrote the newest commit, with its hash and the head made right."""
    at, body = max(dump.bodies("commit").items())
    body = body.replace(old.encode(), new.encode())
    dump.put("commit", at, body)
    domain = b"emsa-commit-1"
    text = bytes([len(domain)]) + domain + struct.pack("<Q", len(body)) + body
    digest = hashlib.blake2b(text, digest_size=32).digest()
    head = dump.bodies("meta")[b"head"]
    dump.put("meta", b"head", head[:9] + digest + head[41:])


def derive(key, label, data=b""):
    return hashlib.blake2b(bytes([len(label)]) + label.encode() + data, key=key, digest_size=32).digest()


def hashed(domain, *parts):
    text = bytes([len(domain)]) + domain.encode() + b"".join(struct.pack("<Q", len(part)) + part for part in parts)
    return hashlib.blake2b(text, digest_size=32).digest()


def closed(dump, at, body):
    """The newest commit, with the head made right."""
    dump.put("commit", at, body)
    head = dump.bodies("meta")[b"head"]
    dump.put("meta", b"head", head[:9] + hashed("emsa-commit-1", body) + head[41:])


def resign(dump, identity):
    """The newest commit, signed by another identity: nothing else of it changes."""
    from nacl.signing import SigningKey
    plain = next(line for line in open(identity, encoding="utf-8") if line.startswith("plain "))
    key = SigningKey(derive(bytes.fromhex(plain.split()[1]), "emsa-identity-ed25519-1"))
    at, body = max(dump.bodies("commit").items())
    digest = body[-96:-64]
    closed(dump, at, body[:-128] + bytes(key.verify_key) + digest + key.sign(b"emsa-signature-1" + digest).signature)


def chained(dump, at, logged):
    """The newest commit with operations of its own (body by number): scopes, commit and head made right. What was signed stays."""
    store, body = dump.bodies("meta")[b"store"][5:21], dump.bodies("commit")[at]
    scopes = {}
    for op, operation in sorted(logged.items()):
        leaf = hashed("emsa-operation-1", store, at[::-1] + struct.pack("<I", op), operation)
        scopes.setdefault(struct.unpack_from("<II", operation, 4), []).append(leaf)
        dump.put("log", at + struct.pack(">I", op), operation)
    begin = 89 + body[88]
    begin += 4 + struct.unpack_from("<I", body, begin)[0]
    count, = struct.unpack_from("<I", body, begin)
    made = b"".join(struct.pack("<III", *scope, len(leaves)) + hashed("emsa-scope-1", struct.pack("<II", *scope), b"".join(leaves))
                    for scope, leaves in sorted(scopes.items()))
    closed(dump, at, body[:begin + 4] + made + body[begin + 4 + 44 * count:])


def newest(dump):
    """The newest commit's key, and its operations."""
    at = max(dump.bodies("commit"))
    return at, {struct.unpack(">I", key[8:])[0]: body for key, body in dump.bodies("log").items() if key[:8] == at}


def revalued(dump, old, new):
    """Values that the newest commit set, with all that names them made right."""
    at, logged = newest(dump)
    for op, operation in logged.items():
        key = at + struct.pack(">I", op)
        body = dump.bodies("value").get(key, b"")
        if old.encode() in body:
            body = body.replace(old.encode(), new.encode())
            dump.put("value", key, body)
            logged[op] = operation[:36] + hashed("emsa-digest-1", body) + operation[68:]
    chained(dump, at, logged)


def resourced(dump, rev):
    """Copies of the newest commit, said to be of an earlier revision: and so they are, but secrets, which nobody can seal without keys."""
    at, logged = newest(dump)
    source = struct.pack(">Q", int(rev))
    for op, operation in logged.items():
        if b"\x15\x14\x00" not in operation[69 + operation[68]:]:
            continue
        begin = operation.index(b"\x15\x14\x00", 69 + operation[68]) + 3
        environment, name = struct.unpack_from("<IQ", operation, begin)
        old = next(key for key, body in dump.bodies("log").items()
                   if key[:8] == source and struct.unpack_from("<I", body, 4)[0] == environment and struct.unpack_from("<Q", body, 16)[0] == name)
        body, key = dump.bodies("value")[old], at + struct.pack(">I", op)
        body = dump.bodies("value")[key] if body[1] == 2 else body
        dump.put("value", key, body)
        logged[op] = (operation[:36] + hashed("emsa-digest-1", body) + operation[68:begin + 12] + struct.pack("<Q", int(rev)) +
                      operation[begin + 20:])
    chained(dump, at, logged)


def sealed(dump, place, slots, value):
    """An envelope of a value of its own, for those whom these slots are for: that takes public keys only."""
    from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt as encrypt, crypto_scalarmult, crypto_scalarmult_base
    data_key, private, padded = os.urandom(32), os.urandom(32), value.ljust(-(-len(value) // 64) * 64, b"\0")
    commitment, ephemeral = derive(data_key, "emsa-commitment-1", place), crypto_scalarmult_base(private)
    head = struct.pack("<BBHI", 2, 0, len(slots), len(padded)) + commitment
    head += encrypt(struct.pack("<Q", len(value)), place + head, bytes(24), derive(data_key, "emsa-length-2", commitment))
    for slot in slots:
        owner = slot[:12]
        public = dump.bodies("key")[b"K" + b"".join(part[::-1] for part in (owner[:4], owner[4:8], owner[8:]))][13:45]
        kek = derive(crypto_scalarmult(private, public), "emsa-shared-1", ephemeral + public)
        head += owner + ephemeral + encrypt(data_key, place + owner, bytes(24), derive(kek, "emsa-wrap-1", commitment))
    return head + encrypt(padded, place + hashed("emsa-envelope-1", head), bytes(24), derive(data_key, "emsa-value-2", commitment))


def resealed(dump, value):
    """The secrets that the newest commit set are others, of as many bytes when padded."""
    at, logged = newest(dump)
    for op, operation in logged.items():
        if operation[1] != 2:
            continue
        key = at + struct.pack(">I", op)
        body = dump.bodies("value")[key]
        place = (dump.bodies("meta")[b"store"][5:21] + operation[4:12] + operation[16:32] + at[::-1] + struct.pack("<I", op) + bytes([2, 0]))
        count, = struct.unpack_from("<H", body, 20)
        body = body[:18] + sealed(dump, place, [body[82 + 92 * i:][:92] for i in range(count)], value.encode())
        dump.put("value", key, body)
        logged[op] = operation[:36] + hashed("emsa-digest-1", body) + operation[68:]
    chained(dump, at, logged)


def ending(dump, seconds):
    """Copies of the newest commit, which end so many seconds after it: in the log."""
    at, logged = newest(dump)
    time, = struct.unpack_from("<q", dump.bodies("commit")[at], 60)
    for op, operation in logged.items():
        fields = 69 + operation[68]
        if b"\x15\x14\x00" in operation[fields:]:
            logged[op] = operation[:fields] + b"\x11\x08\x00" + struct.pack("<q", time + int(seconds) * 10**9) + operation[fields:]
    chained(dump, at, logged)


def repurged(dump, rev):
    """The newest commit's purge, of the value that an earlier revision set there."""
    at, logged = newest(dump)
    begin = logged[0].index(b"\x20\x0c\x00", 69 + logged[0][68]) + 3
    was, op = struct.unpack_from("<QI", logged[0], begin)
    marker = dump.bodies("value")[struct.pack(">QI", was, op)]
    key = next(key for key, body in dump.bodies("log").items()
               if key[:8] == struct.pack(">Q", int(rev)) and body[1] < 5 and body[16:24] == logged[0][16:24])
    dump.put("value", key, marker)
    logged[0] = logged[0][:begin] + struct.pack("<QI", int(rev), *struct.unpack(">I", key[8:])) + logged[0][begin + 12:]
    chained(dump, at, logged)


def unsign(dump):
    """The newest commit, signed by nobody."""
    at, body = max(dump.bodies("commit").items())
    del dump.tables["signed"][at]
    closed(dump, at, body[:-133] + bytes(5))


def drop(dump, table):
    """The newest record of a table."""
    del dump.tables[table][max(dump.tables[table])]


TRUTH = ("commit", "log", "value", "signed")


def truth(dump):
    """Nothing but what the log is: all that follows from it is for the receiver to make."""
    for name, records in dump.tables.items():
        if name not in (*TRUTH, "meta"):
            records.clear()
    for key in set(dump.tables["meta"]) - {b"store", b"head"}:
        del dump.tables["meta"][key]


def reorder(dump):
    """The newest two commits, each in the other's place, with all that is theirs."""
    one, other = sorted(dump.tables["commit"])[-2:]
    for table in TRUTH:
        moved = {key: body for key, body in dump.bodies(table).items() if key[:8] in (one, other)}
        for key in moved:
            del dump.tables[table][key]
        for key, body in moved.items():
            dump.put(table, (other if key[:8] == one else one) + key[8:], body)


def fingerprint(dump):
    """What the leak guard knows of the newest secret."""
    at, body = max((at, body) for at, body in dump.bodies("leak").items() if at[:1] == b"P")
    del dump.tables["leak"][at], dump.tables["leak"][b"F" + body[1:] + at[1:]]


def main():
    dump = Dump(sys.stdin.read())
    before = dump.text()
    edits = (unhashed, value, secrets, grant, key, author, resign, revalued, resourced, resealed, ending, repurged, unsign, drop, truth, reorder, fingerprint)
    {edit.__name__: edit for edit in edits}[sys.argv[1]](dump, *sys.argv[2:])
    if dump.text() == before:
        sys.exit("attacker: nothing was edited")
    sys.stdout.write(dump.text())


if __name__ == "__main__":
    main()
