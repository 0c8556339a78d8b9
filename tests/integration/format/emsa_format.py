"""store/FORMAT.md, in Python: checks a store's records and opens its secrets. Nothing here was taken from the
store's own code."""
import hashlib
import re
import struct

from nacl.bindings import (crypto_aead_xchacha20poly1305_ietf_decrypt, crypto_scalarmult, crypto_scalarmult_base,
                           crypto_sign_seed_keypair)
from nacl.pwhash import argon2id


class Wrong(Exception):
    pass


def must(condition, text):
    if not condition:
        raise Wrong(text)


# --- conventions ---------------------------------------------------------------------------------------------

def H(domain, *parts):
    text = bytes([len(domain)]) + domain.encode()
    for part in parts:
        text += struct.pack("<Q", len(part)) + part
    return hashlib.blake2b(text, digest_size=32).digest()


def derive(key, label, data=b""):
    return hashlib.blake2b(bytes([len(label)]) + label.encode() + data, key=key, digest_size=32).digest()


def unseal(key, ad, sealed):
    try:
        return crypto_aead_xchacha20poly1305_ietf_decrypt(sealed, ad, bytes(24), key)
    except Exception as error:
        raise Wrong("a seal does not open") from error


def record_body(database, key, record):
    must(len(record) >= 16, f"{database}: a record without a hash")
    body, digest = record[:-16], record[-16:]
    name = database.encode()
    text = bytes([len(name)]) + name + struct.pack("<H", len(key)) + key + body
    must(hashlib.blake2b(text, digest_size=16).digest() == digest, f"{database}: a record does not match its hash")
    return body


class Reader:
    """Little-endian fields one after another; everything must be used up."""

    def __init__(self, data, what):
        self.data, self.at, self.what = data, 0, what

    def raw(self, size):
        must(self.at + size <= len(self.data), f"{self.what}: cut short")
        self.at += size
        return self.data[self.at - size:self.at]

    def number(self, letter):
        return struct.unpack("<" + letter, self.raw(struct.calcsize("<" + letter)))[0]

    def short(self):
        return self.raw(self.number("B"))

    def long(self):
        return self.raw(self.number("I"))

    def left(self):
        return len(self.data) - self.at

    def end(self):
        must(self.left() == 0, f"{self.what}: too long")


def begin(data, what):
    reader = Reader(data, what)
    must(reader.number("B") == 1, f"{what}: format")
    return reader


# --- identity ------------------------------------------------------------------------------------------------

PASSES, MEMORY = (2, 16), (64 << 10, 1 << 20)  # floor and ceiling; memory in KiB


def open_slot(line, name, public, passphrase, key):
    """The seed, or None where the slot takes something else than what is at hand."""
    kind, *fields = line.split(" ")
    if kind == "plain":
        must(len(fields) == 1, "identity: a slot")
        return bytes.fromhex(fields[0])
    if kind == "passphrase":
        must(len(fields) == 4, "identity: a slot")
        passes, memory = int(fields[0]), int(fields[1])
        must(PASSES[0] <= passes <= PASSES[1] and MEMORY[0] <= memory <= MEMORY[1], "identity: cost of a passphrase")
        if passphrase is None:
            return None
        sealing = argon2id.kdf(32, passphrase, bytes.fromhex(fields[2]), opslimit=passes, memlimit=memory << 10)
    else:
        must(kind == "key-file" and len(fields) == 2, "identity: a slot")
        if key is None:
            return None
        sealing = derive(H("emsa-identity-key-file-2", key), "emsa-identity-key-2", bytes.fromhex(fields[0]))
    head = line[:line.rindex(" ") + 1]
    return unseal(sealing, H("emsa-identity-slot-2", name.encode(), public, head.encode()), bytes.fromhex(fields[-1]))


def read_identity(text, passphrase=None, key=None):
    """(X25519 private, X25519 public, Ed25519 public)"""
    lines = [line.rstrip("\r ") for line in text.split("\n")]
    lines = [line for line in lines if line and not line.startswith("#")]
    must(len(lines) >= 4 and lines[0].startswith("emsa-identity-2 "), "identity: not of version 2")
    must(lines[-1].startswith("check ") and lines[1].startswith("public emsa1"), "identity: form")
    digest = H("emsa-identity-2", *(line.encode() for line in lines[:-1]))
    check, mac = (bytes.fromhex(part) for part in lines[-1][6:].split(" "))
    must(check == digest[:16], "identity: damaged")
    name, public = lines[0].split(" ", 1)[1], bytes.fromhex(lines[1][len("public emsa1"):])
    seeds = [seed for seed in (open_slot(line, name, public, passphrase, key) for line in lines[2:-1]) if seed]
    must(seeds, "identity: locked")
    seed = seeds[0]
    private = derive(seed, "emsa-identity-x25519-1")
    signing = crypto_sign_seed_keypair(derive(seed, "emsa-identity-ed25519-1"))[0]
    must(public == crypto_scalarmult_base(private) + signing, "identity: another public half")
    must(derive(seed, "emsa-identity-mac-2", digest) == mac, "identity: changed without its key")
    return private, crypto_scalarmult_base(private), signing


# --- records -------------------------------------------------------------------------------------------------

SET_PLAIN, SET_SECRET, SET_LINK, SET_TEMPLATE, REMOVE = 1, 2, 3, 4, 5
SETS = (SET_PLAIN, SET_SECRET, SET_LINK, SET_TEMPLATE)
LOCK, UNLOCK, SHARE, UNSHARE = 6, 7, 8, 9
ENVIRONMENT_ADD, ENVIRONMENT_REMOVE, SERVICE_ADD, SERVICE_REMOVE = 16, 17, 18, 19
SCHEMA_SET, SCHEMA_REMOVE, DEFAULT_SET, DEFAULT_REMOVE = 20, 21, 22, 23
SCHEMAS = (SCHEMA_SET, SCHEMA_REMOVE, DEFAULT_SET, DEFAULT_REMOVE)
# what has a Value, and the kind that it says
VALUES = {**{kind: kind for kind in SETS}, SCHEMA_SET: SCHEMA_SET, DEFAULT_SET: SET_PLAIN}
TAG, UNTAG = 24, 25
RIGHTS_GRANT, RIGHTS_REVOKE = 26, 27
PRINCIPAL = re.compile(r"(user|group|id):(?!\d+$)[A-Za-z0-9_.@\\+$][A-Za-z0-9_.@\\+$-]{0,62}", re.A)
IDENTITY, ENVIRONMENT_KEY, SERVICE_KEY, GRANT, VALUE_KEY = 32, 33, 34, 35, 36
PURGE, COMPACT = 48, 49
# what must be there, and what may be: tag and size
FIELDS = {TAG: {20: 8}, IDENTITY: {1: 32, 4: 32}, ENVIRONMENT_KEY: {1: 32}, SERVICE_KEY: {1: 32, 2: 32, 3: 112}, GRANT: {2: 32, 3: 112},
          VALUE_KEY: {24: 12, 25: 80}, PURGE: {32: 12}, COMPACT: {33: 8, 34: 32}}
PERHAPS = {PURGE: {34: 32}, ENVIRONMENT_ADD: {16: 4, 17: 8}, ENVIRONMENT_REMOVE: {17: 8}, REMOVE: {17: 8}, **{kind: {17: 8, 21: 20} for kind in SETS}}
KINDS = (*SETS, REMOVE, LOCK, UNLOCK, SHARE, UNSHARE, ENVIRONMENT_ADD, ENVIRONMENT_REMOVE, SERVICE_ADD, SERVICE_REMOVE,
         *SCHEMAS, TAG, UNTAG, RIGHTS_GRANT, RIGHTS_REVOKE, IDENTITY, ENVIRONMENT_KEY, SERVICE_KEY, GRANT, VALUE_KEY, PURGE, COMPACT)
# flag by flag, the kinds that may have it: made, SAME, allowed equal, protected, OVERRIDE, signed
FLAGS = {1: (*SETS, ENVIRONMENT_ADD, SERVICE_ADD, SCHEMA_SET, DEFAULT_SET, IDENTITY, ENVIRONMENT_KEY, SERVICE_KEY, GRANT),
         2: (*SETS, REMOVE), 4: (*SETS, DEFAULT_SET), 8: (ENVIRONMENT_ADD,), 16: KINDS, 32: (ENVIRONMENT_ADD,)}


def read_fields(reader, kind):
    fields = {}
    while reader.left():
        tag = reader.number("B")
        must(not fields or tag > max(fields), "operation: fields out of order")
        fields[tag] = reader.raw(reader.number("H"))
    sizes = {tag: len(data) for tag, data in fields.items()}
    if kind in (SHARE, UNSHARE):
        must(set(sizes) == {19} and 1 <= sizes[19] <= 63, "operation: consumer")
        return fields
    if kind in (RIGHTS_GRANT, RIGHTS_REVOKE):
        must(set(sizes) == {22, 23} and sizes[23] == 2, "operation: rights")
        must(PRINCIPAL.fullmatch(fields[22].decode()), "operation: principal")
        return fields
    perhaps = PERHAPS.get(kind, {})
    must({tag: size for tag, size in sizes.items() if tag not in perhaps} == FIELDS.get(kind, {}), "operation: fields")
    must(all(sizes[tag] == size for tag, size in perhaps.items() if tag in sizes), "operation: fields")
    return fields


def read_operation(body):
    reader = begin(body, "operation")
    kind, flags, zero = (reader.number("B") for _ in range(3))
    must(kind in KINDS and flags < 64 and zero == 0, "operation: unknown")
    must(all(kind in kinds for bit, kinds in FLAGS.items() if flags & bit), "operation: a flag of another kind")
    operation = {"kind": kind, "first": bool(flags & 1), "same": bool(flags & 2), "protected": bool(flags & 8),
                 "overridden": bool(flags & 16), "signed": bool(flags & 32)}
    for name, letter in (("environment", "I"), ("service", "I"), ("turn", "I"), ("name_id", "Q"), ("entry_id", "Q"),
                         ("stored_size", "I")):
        operation[name] = reader.number(letter)
    operation["digest"] = reader.raw(32)
    operation["name"] = reader.short().decode()
    fields = operation["fields"] = read_fields(reader, kind)
    operation["expires"] = struct.unpack("<q", fields[17])[0] if 17 in fields else 0
    must(17 not in fields or operation["expires"] > 0, "operation: expiry")
    operation["base"] = struct.unpack("<I", fields[16])[0] if 16 in fields else 0
    must(16 not in fields or operation["base"] > 0, "operation: base")
    must(not operation["protected"] or not fields, "operation: a protected environment with a base or an end")
    must(operation["protected"] or not operation["signed"], "operation: signed changes of what is not protected")
    operation["consumer"] = fields[19].decode() if 19 in fields else ""
    operation["tagged"] = struct.unpack("<Q", fields[20])[0] if 20 in fields else 0
    must(20 not in fields or operation["tagged"] > 0, "operation: a tag of revision 0")
    operation["principal"] = fields[22].decode() if 22 in fields else ""
    operation["rights"] = struct.unpack("<H", fields[23])[0] if 23 in fields else 0
    must(22 not in fields or 0 < operation["rights"] < 64, "operation: rights that there are not")
    operation["sealed"] = struct.unpack("<QI", fields[24]) if 24 in fields else (0, 0)
    must(24 not in fields or operation["sealed"][0] > 0, "operation: the key of nothing")
    operation["purged"] = struct.unpack("<QI", fields[32]) if 32 in fields else (0, 0)
    operation["until"] = struct.unpack("<Q", fields[33])[0] if 33 in fields else 0
    must(kind not in (PURGE, COMPACT) or operation["purged"][0] or operation["until"], "operation: it destroys nothing")
    operation["from"] = struct.unpack("<IQQ", fields[21]) if 21 in fields else ()
    must(all(operation["from"]), "operation: copied from nowhere")
    return operation


def read_commit(body):
    reader = begin(body, "commit")
    must(reader.number("B") == 0 and reader.number("H") == 0, "commit: flags")
    commit = {"store": reader.raw(16), "rev": reader.number("Q"), "parent": reader.raw(32), "time": reader.number("q"),
              "operations": reader.number("I"), "request": reader.raw(16), "author": reader.short().decode(),
              "reason": reader.long().decode()}
    commit["scopes"] = [(reader.number("I"), reader.number("I"), reader.number("I"), reader.raw(32))
                        for _ in range(reader.number("I"))]
    must(reader.long() == b"", "commit: fields")
    kind, commit["signature"] = reader.number("B"), reader.long()
    must((kind, len(commit["signature"])) in ((0, 0), (1, 128)), "commit: signature")
    reader.end()
    return commit


def padded(size):
    if size <= 4096:
        return max(64, (size + 63) // 64 * 64)
    step = 1
    while step * 2 < size:
        step *= 2
    step //= 8
    return (size + step - 1) // step * step


# --- a store -------------------------------------------------------------------------------------------------

DATABASES = {"meta", "commit", "log", "value", "signed", "request", "environment", "place", "current", "history", "name", "key", "expiry",
             "outcome", "reference", "share", "lock", "schema", "presence", "tag", "grant", "leak"}


class NoKey(Wrong):
    """An identity has no way to a secret."""


def without_due(operations):
    """Those that somebody asked for: no removals of what had ended, and no keys of secrets that were wrapped because of one before them."""
    rest, ends = [], False
    for it in operations:
        if it["kind"] == REMOVE and it["expires"]:
            ends = True
        elif not (ends and it["kind"] == VALUE_KEY):
            rest.append(it)
    return rest


class Store:
    """Checks the log when made; open() opens a secret. What is derived from it is emsa_settle's."""

    def __init__(self, databases):
        self.bodies = {name: {key: record_body(name, key, record) for key, record in records.items()}
                       for name, records in databases.items()}
        must(set(self.bodies) == DATABASES, "the databases")
        self._read_meta()
        self._read_log()

    def _read_meta(self):
        reader = begin(self.bodies["meta"][b"store"], "store")
        must(reader.number("I") == 6, "the store's format")
        self.id = reader.raw(16)
        reader.end()
        reader = begin(self.bodies["meta"][b"head"], "head")
        self.rev, self.head, self.time = reader.number("Q"), reader.raw(32), reader.number("q")
        reader.end()

    def _read_log(self):
        parent, time, count, values = bytes(32), -1, 0, 0
        self.commits, self.log, self.keys, self.later, self.gone, self.remains = {}, {}, {}, {}, {}, {}
        for rev in range(1, self.rev + 1):
            body = self.bodies["commit"][struct.pack(">Q", rev)]
            commit = read_commit(body)
            must(commit["store"] == self.id and commit["rev"] == rev, f"commit {rev}: store or rev")
            must(commit["parent"] == parent, f"commit {rev}: parent")
            must(commit["time"] > time, f"commit {rev}: time")
            values += self._read_operations(commit)
            parent, time, count = H("emsa-commit-1", body), commit["time"], count + commit["operations"]
            self.commits[rev] = commit
        must(parent == self.head and time == self.time, "the head")
        must(len(self.bodies["commit"]) == self.rev and len(self.bodies["log"]) == count, "commits or operations too many")
        must(len(self.bodies["value"]) == values, "values too many")
        self._read_requests()
        import emsa_forget
        emsa_forget.check(self)
        kinds = [(self.log[1, op]["kind"], self.log[1, op]["environment"]) for op in range(self.commits[1]["operations"])]
        known = [(IDENTITY, 0), (RIGHTS_GRANT, 0)]
        must(any(kinds == known * count + [(ENVIRONMENT_KEY, 0)] + [(GRANT, 0)] * count for count in (1, 2)), f"revision 1 holds {kinds}")

    def _read_requests(self):
        """What was signed; the secrets that were: (rev, op) and the digest of their text."""
        import emsa_request
        places = emsa_request.Places(self.log.values())
        signed, self.signed_secrets, self.signers = 0, {}, {}
        strict, known = set(), set()  # environments that take signed changes only; the keys of identities
        for rev, commit in self.commits.items():
            commit["done"] = [self.log[rev, op] for op in range(commit["operations"])]
            strict |= {it["environment"] for it in commit["done"] if it["signed"]}
            must(commit["signature"][:32] in known or not any(
                it["environment"] in strict or (it["kind"] == COMPACT and not it["environment"] and strict)
                for it in without_due(commit["done"])),
                f"commit {rev}: nobody whom the store knows signed it")
            known |= {it["fields"][4] for it in commit["done"] if it["kind"] == IDENTITY}
            if not commit["signature"]:
                continue
            signed += 1
            text = self.bodies["signed"][struct.pack(">Q", rev)]
            self.signers[rev], secrets = emsa_request.check_commit(self.id, commit, text, places)
            self.signed_secrets.update({(rev, op): digest for op, digest in secrets})
        must(len(self.bodies["signed"]) == signed, "requests too many")
        ids = [commit["request"] for commit in self.commits.values() if any(commit["request"])]
        must(len(set(ids)) == len(ids), "a request that was done twice")

    def _read_operations(self, commit):
        scopes, values = {}, 0
        for op in range(commit["operations"]):
            key = struct.pack(">QI", commit["rev"], op)
            body = self.bodies["log"][key]
            operation = read_operation(body)
            leaf = H("emsa-operation-1", self.id, struct.pack("<QI", commit["rev"], op), body)
            scopes.setdefault((operation["environment"], operation["service"]), []).append(leaf)
            value = self.bodies["value"].get(key)
            must((value is not None) == (operation["kind"] in VALUES), "a value too few or too many")
            if value is not None:
                values += 1
                self._read_value(commit["rev"], op, operation, value)
            self.log[commit["rev"], op] = operation
            if operation["kind"] in (ENVIRONMENT_KEY, SERVICE_KEY, GRANT):
                self.keys.setdefault((operation["kind"], operation["environment"], operation["service"]), []).append(operation)
            if operation["kind"] == VALUE_KEY:
                self.later.setdefault(operation["sealed"], []).append(operation)
        sums = [(env, service, len(leaves), H("emsa-scope-1", struct.pack("<II", env, service), b"".join(leaves)))
                for (env, service), leaves in sorted(scopes.items())]
        must(sums == commit["scopes"], f"commit {commit['rev']}: scopes")
        return values

    def _read_value(self, rev, op, operation, value):
        import emsa_forget
        by, remains = emsa_forget.purged(value, operation["kind"])
        if by:
            self.gone[rev, op], self.remains[rev, op] = by, remains
            return
        must(H("emsa-digest-1", value) == operation["digest"], f"commit {rev}, operation {op}: digest")
        must(value[0] == 1 and value[1] == VALUES[operation["kind"]], "value: head")
        must(operation["kind"] == SET_SECRET or len(value) - 18 == operation["stored_size"], "value: size")

    def content(self, rev, op):
        """What stands in a Value: bytes, an envelope, a text; None: it was destroyed."""
        if (rev, op) in self.gone:
            return None
        return self.bodies["value"][struct.pack(">QI", rev, op)][18:]

    def text(self, rev, op):
        """As content; of a template that was destroyed, the references that remain."""
        return self.remains.get((rev, op), self.content(rev, op))

    # -- secrets

    def _private(self, wrapped, owner, owner_public, holder_private, holder_public):
        must(len(wrapped) == 112, "wrapped key: size")
        ephemeral, commitment, sealed = wrapped[:32], wrapped[32:64], wrapped[64:]
        kek = derive(crypto_scalarmult(holder_private, ephemeral), "emsa-shared-1", ephemeral + holder_public)
        ad = self.id + owner + owner_public + holder_public
        must(derive(kek, "emsa-key-commitment-1", ad) == commitment, "wrapped key: commitment")
        private = unseal(derive(kek, "emsa-key-1"), ad, sealed)
        must(crypto_scalarmult_base(private) == owner_public, "wrapped key: not the owner's")
        return private

    def _key_operations(self, kind, environment, service, turn=None):
        return [operation for operation in self.keys.get((kind, environment, service), ()) if turn in (None, operation["turn"])]

    def _pair(self, environment, service, generation):
        found = self._key_operations(SERVICE_KEY if service else ENVIRONMENT_KEY, environment, service, generation)
        must(len(found) == 1, "a key pair is not in the log, or twice")
        return found[0]["fields"]

    def _granted(self, identity, environment, service, generation):
        """A private key that was granted to the identity itself; None where it was not."""
        private, public, _ = identity
        pair = self._pair(environment, service, generation)[1]
        for grant in self._key_operations(GRANT, environment, service, generation):
            if grant["fields"][2] == public:
                return self._private(grant["fields"][3], struct.pack("<III", environment, service, generation), pair, private, public)
        return None

    def _service_private(self, identity, environment, service, generation):
        """(private, public), or None where this identity has no way to it."""
        key = self._pair(environment, service, generation)
        private = self._granted(identity, environment, service, generation)
        if private:
            return private, key[1]
        for above in self._key_operations(ENVIRONMENT_KEY, environment, 0):
            if above["fields"][1] != key[2]:
                continue
            holder = self._granted(identity, environment, 0, above["turn"])
            if holder:
                return self._private(key[3], struct.pack("<III", environment, service, generation), key[1], holder, key[2]), key[1]
        return None

    def open(self, identity, rev, op, envelope):
        operation = self.log[rev, op]
        place = self.id + struct.pack("<IIQQQIBB", operation["environment"], operation["service"], operation["name_id"],
                                      operation["entry_id"], rev, op, operation["kind"], 0)
        must(len(place) == 54, "PLACE")
        version, zero, count, size = struct.unpack_from("<BBHI", envelope)
        must((version, zero) == (2, 0) and 1 <= count <= 4096, "envelope: version")
        must(len(envelope) == 64 + 92 * count + size + 16, "envelope: size")
        must(size == operation["stored_size"], "envelope: padded size")
        commitment, head = envelope[8:40], envelope[:64 + 92 * count]
        slots = [head[64 + 92 * i:][:92] for i in range(count)]
        slots += [struct.pack("<III", later["environment"], later["service"], later["turn"]) + later["fields"][25]
                  for later in self.later.get((rev, op), ())]
        dek = None
        for slot in slots:
            owner, ephemeral, wrapped = slot[:12], slot[12:44], slot[44:]
            found = self._service_private(identity, *struct.unpack("<III", owner))
            if not found:
                continue
            private, public = found
            kek = derive(crypto_scalarmult(private, ephemeral), "emsa-shared-1", ephemeral + public)
            dek = unseal(derive(kek, "emsa-wrap-1", commitment), place + owner, wrapped)
        if dek is None:
            raise NoKey("no key of this identity opens it")
        must(derive(dek, "emsa-commitment-1", place) == commitment, "envelope: commitment")
        length = struct.unpack("<Q", unseal(derive(dek, "emsa-length-2", commitment), place + envelope[:40], envelope[40:64]))[0]
        text = unseal(derive(dek, "emsa-value-2", commitment), place + H("emsa-envelope-1", head), envelope[64 + 92 * count:])
        must(len(text) == size == padded(length) and not any(text[length:]), "envelope: padding")
        if (rev, op) in self.signed_secrets:
            must(derive(dek, "emsa-asked-1", text[:length]) == self.signed_secrets[rev, op], "a secret that was not signed")
        return text[:length]
