"""store/FORMAT.md, "Request", in Python: what the author of a commit signed, and whether what was done follows from it."""
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from emsa_format import (COMPACT, DEFAULT_REMOVE, DEFAULT_SET, ENVIRONMENT_ADD, ENVIRONMENT_KEY, ENVIRONMENT_REMOVE, GRANT, H, IDENTITY, LOCK, PURGE, REMOVE,
                         RIGHTS_GRANT, RIGHTS_REVOKE, SCHEMA_REMOVE, SCHEMA_SET, SERVICE_ADD, SERVICE_KEY, SERVICE_REMOVE, SET_LINK,
                         SET_PLAIN, SET_SECRET, SET_TEMPLATE, SETS, SHARE, TAG, UNLOCK, UNSHARE, UNTAG, VALUE_KEY, Reader, must)

KEYS = (ENVIRONMENT_KEY, SERVICE_KEY, GRANT, VALUE_KEY)


class Digest(bytes):
    pass


def tree(reader, depth=0):
    must(depth <= 8, "request: too deep")
    kind = reader.number("B")
    if kind in (1, 2):
        return kind == 2
    if kind == 3:
        return reader.number("q")
    if kind == 4:
        return reader.long().decode()
    if kind == 5:
        return [tree(reader, depth + 1) for _ in range(reader.number("I"))]
    if kind == 6:
        members, last = {}, None
        for _ in range(reader.number("I")):
            name = reader.short()
            must(last is None or name > last, "request: members out of order")
            last = name
            members[name.decode()] = tree(reader, depth + 1)
        return members
    must(kind == 7, "request: unknown tree")
    return Digest(reader.raw(32))


def read_request(text):
    reader = Reader(text, "request")
    must(reader.number("I") == 1, "request: format")
    request = {"store": reader.raw(16), "id": reader.raw(16), "method": reader.short().decode(), "parameters": tree(reader)}
    must(isinstance(request["parameters"], dict), "request: parameters")
    reader.end()
    return request


def check_signature(signature, text):
    must(len(signature) == 128, "signature: size")
    key, r, signed = signature[:32], signature[32:64], signature[64:]
    must(H("emsa-request-1", text) == r, "signature: of another request")
    try:
        VerifyKey(key).verify(b"emsa-signature-1" + r, signed)
    except BadSignatureError as error:
        must(False, f"signature: {error}")


GONE = {REMOVE, UNSHARE, SERVICE_REMOVE, SCHEMA_REMOVE}
COPIED = {*SETS, SERVICE_ADD}
# method: the parameter that names places, the kinds, another parameter, its kinds
METHODS = {
    "EnvironmentAdd": ("names", {ENVIRONMENT_ADD}, None, set()), "ServiceAdd": ("paths", {SERVICE_ADD}, None, set()),
    "EnvironmentRemove": ("names", GONE | {ENVIRONMENT_REMOVE}, None, set()), "ServiceRemove": ("paths", GONE, None, set()),
    "EnvironmentCopy": ("to", COPIED - {SET_SECRET} | {SHARE, ENVIRONMENT_ADD}, None, set()), "Remove": ("paths", {REMOVE}, None, set()),
    "Copy": ("to", COPIED, None, set()), "Move": ("to", COPIED | {SHARE, SCHEMA_SET}, "from", GONE),
    "Promote": ("to", COPIED, None, set()), "Rollback": ("path", COPIED | GONE, None, set()),
    "Tag": ("name", {TAG}, None, set()), "Untag": ("name", {UNTAG}, None, set()),
    "Purge": ("path", {PURGE}, None, set()), "Compact": ("path", {COMPACT}, None, set())}
COPYING = {"EnvironmentCopy", "Copy", "Move", "Promote", "Rollback"}
ASKED = {"plain": {SET_PLAIN}, "secret": {SET_SECRET}, "sealed": {SET_SECRET}, "template": {SET_TEMPLATE}, "link": {SET_LINK}, "remove": {REMOVE},
         "copy": set(SETS), "move": set(SETS), "service": {SERVICE_ADD}, "environment": {ENVIRONMENT_ADD}, "share": {SHARE},
         "unshare": {UNSHARE}, "lock": {LOCK}, "unlock": {UNLOCK}, "schema": {SCHEMA_SET}, "unschema": {SCHEMA_REMOVE},
         "grant": {RIGHTS_GRANT}, "revoke": {RIGHTS_REVOKE}, "rotate": set()}
RIGHTS = ("list", "read", "set", "share", "audit", "admin")


def rights(asked):
    return sum(1 << RIGHTS.index(word) for word in set(asked.get("rights", ()))) or (63 if asked["kind"] == "revoke" else 0)


def each_asked(operations):
    for asked in operations:
        if "keys" not in asked:
            yield asked, asked.get("value", asked.get("schema"))
            continue
        must(len(asked["keys"]) == len(asked["values"]), "request: keys without values")
        for key, digest in zip(asked["keys"], asked["values"]):
            yield {**asked, "path": asked["path"].rstrip("/") + "/" + key}, digest


def covers(place, path):
    place = place.rstrip("/")
    return place == "" or path == place or path.startswith(place + "/")


def public_text(operation):
    return "emsa1" + (operation["fields"][1] + operation["fields"][4]).hex()


class Places:
    """Names of ids, which are for ever."""

    def __init__(self, operations):
        self.environments, self.services, self.keys, self.bases = {}, {}, {}, {}
        for operation in operations:
            if operation["kind"] == ENVIRONMENT_ADD:
                self.environments[operation["environment"]] = operation["name"]
                self.bases[operation["environment"]] = operation["base"]
            if operation["kind"] == SERVICE_ADD:
                self.services[operation["service"]] = operation["name"]
            if operation["name_id"]:
                self.keys[operation["name_id"]] = (operation["service"], operation["name"])

    def path_of(self, operation):
        parts = [self.environments[operation["environment"]]] if operation["environment"] else []
        parts += [self.services[operation["service"]]] if operation["service"] else []
        return "/".join(parts + ([operation["name"]] if operation["name_id"] else []))

    def source_of(self, operation):
        environment, name, _ = operation["from"]
        service, key = self.keys[name]
        return [self.environments[environment], self.services[service], key]

    def stands_on(self, name, base):
        return any(self.bases[at] == base for at, its in self.environments.items() if its == name)


def parts(path):
    found = [part for part in path.split("/") if part]
    return found + [""] * (3 - len(found))


class Following:
    """The operations of one signed commit, in their order, against its request."""

    def __init__(self, request, places, time):
        self.method, self.parameters, self.known, self.time = request["method"], request["parameters"], places, time
        self.path_of = places.path_of
        must(self.method == "Set" or self.method in METHODS, "request: a method that signs nothing")
        self.asked = list(each_asked(self.parameters["operations"])) if self.method == "Set" else []
        self.at, self.made, self.schemas = 0, set(), set()
        self.secrets = []  # (operation's number, digest)

    def places(self, name):
        given = self.parameters.get(name, [])
        return given if isinstance(given, list) else [given]

    def all_places(self):
        if self.method == "Set":
            return [asked["path"] for asked, _ in self.asked]
        return self.places(METHODS[self.method][0]) + (self.places("from") if self.method == "Move" else [])

    def ends_in_time(self, operation, ttl):
        return (ttl != 0) == (operation["expires"] != 0) and operation["expires"] - self.time <= ttl * 10**9

    def is_made(self, asked, operation):
        return all(asked.get(name, False) == operation[name] for name in ("protected", "signed")) and \
            (self.is_copied_base(operation) or
             asked.get("base", "") == (self.known.environments[operation["base"]] if operation["base"] else "")) and \
            self.ends_in_time(operation, asked.get("ttl", 0))

    def is_copied_base(self, operation):
        return self.method == "EnvironmentCopy" and operation["base"] and \
            self.known.stands_on(parts(self.parameters["from"])[0], operation["base"])

    def is_source(self, place, operation, path, by_base=False):
        """Each part is the one that was named, or that of where it goes."""
        source, place = self.known.source_of(operation), parts(place)
        if by_base and self.known.stands_on(place[0], operation["from"][0]):
            source[0] = place[0]
        return all(it == (named or here) for it, named, here in zip(source, place, parts(path)))

    def is_copy(self, operation, path):
        """Of a method that copies."""
        if not operation["from"]:
            return self.method == "EnvironmentCopy" and operation["expires"]
        if self.method == "Rollback":
            to = self.parameters["to"]
            return self.is_source("", operation, path) and not (to.isdigit() and operation["from"][2] > int(to))
        return self.is_source(self.parameters["from"], operation, path, self.method == "Promote")

    def fits(self, asked, digest, operation, path):
        kind = operation["kind"]
        if asked["kind"] == "move" and kind == REMOVE:
            return asked["from"].rstrip("/") == path
        if asked["kind"] == "rotate":  # what is encrypted anew is a copy of itself, and says that it is the same
            return (kind == SET_SECRET and asked.get("reencrypt", False) and covers(asked["path"], path) and operation["same"]
                    and operation["from"][:2] == (operation["environment"], operation["name_id"]))
        if kind not in ASKED[asked["kind"]] or asked["path"].rstrip("/") != path:
            return False
        copies = asked["kind"] in ("copy", "move")
        if kind in SETS and (copies != bool(operation["from"]) or (not copies and not self.ends_in_time(operation, asked.get("ttl", 0)))):
            return False
        if kind in SETS and copies and not self.is_source(asked["from"], operation, path):
            return False
        if kind == ENVIRONMENT_ADD:
            return self.is_made(asked, operation)
        if kind in (SHARE, UNSHARE):
            return asked["with"] == operation["consumer"]
        if kind in (RIGHTS_GRANT, RIGHTS_REVOKE):
            return asked["who"] == operation["principal"] and not operation["rights"] & ~rights(asked)
        return copies or kind == SET_SECRET or kind not in (*SETS, SCHEMA_SET) or digest == operation["digest"]

    def is_asked(self, number, operation, path):
        kind = operation["kind"]
        if self.method == "Set":
            for i in range(self.at, len(self.asked)):
                asked, digest = self.asked[i]
                if self.fits(asked, digest, operation, path):
                    self.at = i
                    if kind == SET_SECRET and asked["kind"] in ("secret", "sealed"):
                        self.secrets.append((number, digest))
                    return True
            return False
        places, kinds, other, other_kinds = METHODS[self.method]
        if kind in (TAG, UNTAG):
            rev = self.parameters.get("rev", "")
            return kind in kinds and operation["name"] in self.places(places) and \
                not (kind == TAG and rev.isdigit() and operation["tagged"] != int(rev))
        if kind == PURGE and operation["name_id"] and operation["purged"][0] > self.parameters["rev"] or kind == COMPACT and operation["until"] != self.parameters["rev"]:
            return False
        if kind == ENVIRONMENT_ADD and not self.is_made(self.parameters, operation):
            return False
        if self.method in COPYING and kind in SETS and not self.is_copy(operation, path):
            return False
        return (kind in kinds and any(covers(place, path) for place in self.places(places))) or \
            (other is not None and kind in other_kinds and any(covers(place, path) for place in self.places(other)))

    def goes_without_saying(self, operation, path):
        kind, environment, place = operation["kind"], operation["environment"], (operation["environment"], operation["service"])
        if kind == ENVIRONMENT_ADD:
            return path == "all"
        if kind == SERVICE_ADD:
            return path.endswith("/shared") or (environment, 0) in self.made or any(covers(path.split("/")[0], asked) for asked in self.all_places())
        if kind in KEYS:
            return True  # follow from places, rights and shares
        if kind == IDENTITY:
            return any(asked["kind"] == "grant" and asked["who"] == "id:" + operation["name"] and
                       asked.get("key", "") == public_text(operation) for asked, _ in self.asked)
        if kind == PURGE and not operation["name_id"]:  # a schema that says a default
            return any(covers(path, asked) for asked in self.all_places())
        if kind == DEFAULT_SET:
            return place in self.schemas
        return kind == DEFAULT_REMOVE or (kind == SHARE and operation["overridden"] and bool(self.parameters.get("override")))

    def operation(self, number, operation):
        path, kind = self.path_of(operation), operation["kind"]
        must(not operation["overridden"] or self.parameters.get("override"), f"operation {number}: an override that was not signed")
        asked = kind not in (*KEYS, IDENTITY) and self.is_asked(number, operation, path)
        must(asked or self.goes_without_saying(operation, path), f"operation {number}: whoever signed did not ask for it")
        if kind in (ENVIRONMENT_ADD, SERVICE_ADD):
            self.made.add((operation["environment"], operation["service"]))
        if kind == SCHEMA_SET:
            self.schemas.add((operation["environment"], operation["service"]))


def check_commit(store, commit, text, places):
    """(the signing key, the secrets that it set: number and digest)"""
    request = read_request(text)
    check_signature(commit["signature"], text)
    parameters = request["parameters"]
    must(request["store"] == store and request["id"] == commit["request"] and any(request["id"]), "request: another one")
    must(parameters.get("reason", "") == commit["reason"] and not parameters.get("dry_run"), "request: reason or dry run")
    following = Following(request, places, commit["time"])
    for number, operation in enumerate(commit["done"]):
        following.operation(number, operation)
    return commit["signature"][:32], following.secrets
