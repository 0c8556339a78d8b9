"""store/FORMAT.md, "Texts" and "Resolution": what a spot comes to. Nothing here was taken from the store's own code."""
import base64
import json
import re
from dataclasses import dataclass, field
from urllib.parse import quote

PLAIN, SECRET, LINK, TEMPLATE, AS_IN_BASE, AS_IN_ALL = 1, 2, 3, 4, 5, 6
DEFAULT, DEFAULT_OF_BASE, DEFAULT_OF_ALL = 7, 8, 9
DEFAULTS = 0x80000000  # and the environment's id: its layer of defaults
VALUE_MAX, HOPS_MAX, LOOKUPS_MAX = 1 << 20, 8, 8192

SERVICE = rb"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}"
KEY = rb"(?!\.\.)(?!\.(?:emsa)?(?:[}|]|\Z))[A-Za-z0-9_.][A-Za-z0-9._-]{0,254}"
PIECE = re.compile(rb"\$\{(?:(" + SERVICE + rb")/)?(" + KEY + rb")(?:\|(url|json|base64))?\}|(\$\$)|([^$]+)", re.DOTALL)
TARGET = re.compile(rb"(" + SERVICE + rb")/(" + KEY + rb")\Z")

FILTERS = {b"url": lambda value: quote(value, safe="-._~").encode(),
           b"json": lambda value: json.dumps(value.decode("utf-8", "replace"), ensure_ascii=False).encode(),
           b"base64": base64.b64encode}


class BadText(Exception):
    pass


def parse_link(text):
    found = TARGET.match(text)
    if not found:
        raise BadText(f"no link: {text!r}")
    return found[1].decode(), found[2].decode()


def parse_template(text, owner):
    """Bytes, and (service, key, filter or None) for each reference."""
    pieces, at = [], 0
    while at < len(text):
        found = PIECE.match(text, at)
        if not found:
            raise BadText(f"no template: {text!r} at {at}")
        service, key, name, dollar, plain = found.groups()
        if key is None:
            pieces.append(b"$" if dollar else plain)
        else:
            pieces.append((service.decode() if service else owner, key.decode(), name))
        at = found.end()
    return pieces


def references(kind, text, owner):
    """The (service, key) that a definition's text names."""
    if kind == LINK:
        return {parse_link(text)}
    if kind == TEMPLATE:
        return {piece[:2] for piece in parse_template(text, owner) if isinstance(piece, tuple)}
    return set()


@dataclass(frozen=True)
class Definition:
    environment: int
    service: str
    key: str
    name_id: int
    kind: int
    entry_id: int
    rev: int
    op: int
    size: int
    expires: int
    content: bytes | None  # a secret's is its envelope; None: it was destroyed
    text: bytes | None = None  # as content; of a template that was destroyed, the references that remain


@dataclass(frozen=True)
class Record:
    kind: int
    name_id: int
    since: int
    rev: int
    time: int
    first_rev: int
    first_time: int
    own: Definition | None = None


@dataclass
class Result:
    """What a spot comes to; where there is a fault the rest is as far as it could be told."""
    rev: int
    secret: bool = False
    value: bytes | None = b""  # None: not known here
    hops: int = 0
    lookups: int = 0
    fault: str = ""
    ends: bool = False  # it needs what ends by itself: no fault, but no commit that somebody asks for leaves it so
    definition: Definition | None = None
    reached: list = field(default_factory=list)


class View:
    """All records of one revision, those of the layers of defaults too. layers: {environment: [itself, base, all]}, of living ones;
    schemas: (layer, service's name); open_secret gives a definition's bytes, or None."""

    def __init__(self, layers, everywhere, records, shares, schemas, name_ids, open_secret):
        self.layers, self.everywhere, self.records, self.shares = layers, everywhere, records, shares
        self.schemas, self.name_ids, self.open_secret = schemas, name_ids, open_secret
        self.known, self.doing = {}, set()

    def definition(self, environment, name_id):
        """What is in effect at the spot, and its record; (None, None): nothing."""
        record = self.records.get((environment, name_id))
        if record is None:
            return None, None
        if record.own:
            return record.own, record
        behind = self.records.get((self._layer(environment, record.kind), name_id))
        return (behind.own if behind else None), behind

    def _layer(self, environment, kind):
        """Where a pointer points."""
        base = self.layers[environment][1]
        return {AS_IN_BASE: base, AS_IN_ALL: self.everywhere, DEFAULT: environment | DEFAULTS, DEFAULT_OF_BASE: base | DEFAULTS,
                DEFAULT_OF_ALL: self.everywhere | DEFAULTS}[kind]

    def schema_layer(self, environment, service):
        """The layer whose schema is in force; 0: none has one."""
        if environment == self.everywhere:
            return 0
        return next((layer for layer in self.layers[environment] if (layer, service) in self.schemas), 0)

    def is_shared(self, environment, consumer, service, key, target):
        if service == consumer or (service == "shared" and not target.secret and not target.fault):
            return True
        return any((layer, service, key, who) in self.shares for layer in self.layers[environment] for who in (consumer, "*"))

    def stays(self, environment, name_id, target):
        """Whether what is referred to is there for good, or what lies beneath can stand for it."""
        if not target.definition.expires:
            return True
        layers = self.layers[environment]
        for layer in layers[layers.index(target.definition.environment) + 1:]:
            beneath = self.records.get((layer, name_id))
            if beneath and beneath.own:
                return not beneath.own.expires and (beneath.kind == PLAIN or (beneath.kind == SECRET and target.secret))
        return (self.schema_layer(environment, target.definition.service) | DEFAULTS, name_id) in self.records

    def resolve(self, environment, name_id):
        spot = (environment, name_id)
        if spot not in self.known:
            if spot in self.doing:
                return Result(0, fault="a circle")
            self.doing.add(spot)
            self.known[spot] = self._resolve(environment, name_id)
            self.doing.discard(spot)
        return self.known[spot]

    def _resolve(self, environment, name_id):
        record = self.records.get((environment, name_id))
        definition, behind = self.definition(environment, name_id)
        if record is None or definition is None:
            return Result(record.rev if record else 0, fault="dangling")
        result = Result(record.rev, definition=definition)
        if behind is not record:
            result.reached.append(behind.rev)
        if environment == self.everywhere:
            result.value = definition.content
            return result
        if definition.kind == PLAIN:
            result.value = definition.content
        elif definition.kind == SECRET:
            result.secret, result.value = True, self.open_secret(definition)
        elif definition.kind == LINK:
            self._follow(result, environment, definition, parse_link(definition.text))
        else:
            self._expand(result, environment, definition)
        result.rev = max([result.rev] + [rev for rev in result.reached if rev > record.since])
        if not result.fault and result.lookups > LOOKUPS_MAX:
            result.fault = "look-ups"
        return result

    def _follow(self, result, environment, definition, target):
        """Takes over what is said of a target, and gives its bytes."""
        service, key = target
        found = self.resolve(environment, self.name_ids.get((service, key)))
        fault = found.fault
        if not fault and not self.is_shared(environment, definition.service, service, key, found):
            fault = "not shared"
        if not fault:
            result.ends |= found.ends or not self.stays(environment, self.name_ids[service, key], found)
        result.hops = max(result.hops, found.hops + 1)
        if not fault and result.hops > HOPS_MAX:
            fault = "too deep"
        result.fault = result.fault or fault
        result.secret |= found.secret
        result.lookups += 1 + found.lookups
        result.reached.append(found.rev)
        result.value = found.value
        return found.value

    def _expand(self, result, environment, definition):
        parts, size = [None] if definition.content is None else [], 0
        for piece in parse_template(definition.text, definition.service):
            if isinstance(piece, tuple):
                value = self._follow(result, environment, definition, piece[:2])
                piece = None if value is None or result.fault else FILTERS.get(piece[2], bytes)(value)
            parts.append(piece)
            size += len(piece or b"")
            if size > VALUE_MAX:
                result.fault, parts = result.fault or "too large", [None]
                break
        result.value = None if None in parts else b"".join(parts)
