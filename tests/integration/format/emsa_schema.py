"""store/FORMAT.md, "Schema": the bytes of a schema, and what it says of a value. Nothing here was taken from the store's own code."""
import re
import struct
from dataclasses import dataclass, field

import emsa_format as form

STRING, INT, BOOL, ENUM, PORT, LAST = 1, 2, 3, 4, 6, 13
FIELDS = ((1 << 4, "default"), (1 << 5, "min"), (1 << 6, "max"), (1 << 7, "min_length"), (1 << 8, "max_length"), (1 << 9, "pattern"),
          (1 << 10, "description"))
LETTERS = {"min": "q", "max": "q", "min_length": "I", "max_length": "I"}
LISTS = ("required", "in", "values", "schemes")


@dataclass
class Key:
    type: int
    secret: bool = False
    deprecated: bool = False
    fixed: bool = False
    everywhere: bool = False  # required
    fields: dict = field(default_factory=dict)
    lists: dict = field(default_factory=dict)

    @property
    def default(self):
        return self.fields.get("default")


@dataclass
class Schema:
    service: str
    strict: bool
    description: bytes
    keys: dict


def _long(data):
    return struct.pack("<I", len(data)) + data


def _short(text):
    return bytes([len(text)]) + text.encode()


def _read_key(reader):
    name, kind, flags = reader.short().decode(), reader.number("B"), reader.number("H")
    form.must(1 <= kind <= LAST and flags < 1 << 11, "schema: unknown")
    key = Key(kind, *(bool(flags & 1 << bit) for bit in range(4)))
    for bit, what in FIELDS:
        if flags & bit:
            key.fields[what] = reader.number(LETTERS[what]) if what in LETTERS else reader.long()
    key.lists = {what: [reader.long().decode() for _ in range(reader.number("H"))] for what in LISTS}
    return name, key


def read(data):
    reader = form.begin(data, "schema")
    flags = reader.number("B")
    form.must(flags < 2, "schema: unknown")
    schema = Schema(reader.short().decode(), bool(flags), reader.long(), {})
    keys = [_read_key(reader) for _ in range(reader.number("H"))]
    reader.end()
    names = [name.encode() for name, _ in keys]
    form.must(names == sorted(set(names)), "schema: keys out of order")
    schema.keys = dict(keys)
    form.must(write(schema) == data, "schema: written in another way")
    return schema


def _key_bytes(name, key):
    flags = sum(1 << bit for bit, is_set in enumerate((key.secret, key.deprecated, key.fixed, key.everywhere)) if is_set)
    flags |= sum(bit for bit, what in FIELDS if what in key.fields)
    data = _short(name) + struct.pack("<BH", key.type, flags)
    for _, what in FIELDS:
        if what in key.fields:
            form.must(what in ("default", *LETTERS) or key.fields[what], "schema: an empty text")
            data += struct.pack("<" + LETTERS[what], key.fields[what]) if what in LETTERS else _long(key.fields[what])
    for what in LISTS:
        data += struct.pack("<H", len(key.lists[what])) + b"".join(_long(word.encode()) for word in key.lists[what])
    return data


def write(schema):
    return (bytes([1, schema.strict]) + _short(schema.service) + _long(schema.description) + struct.pack("<H", len(schema.keys)) +
            b"".join(_key_bytes(*pair) for pair in schema.keys.items()))


# --- what it says of a value ---------------------------------------------------------------------------------

def _within(key, number):
    return key.fields.get("min", number) <= number <= key.fields.get("max", number)


def _is_number(value):
    return re.fullmatch(rb"-?(0|[1-9][0-9]*)", value) and -1 << 63 <= int(value) < 1 << 63


TYPES = {STRING: lambda key, value: b"\0" not in value and "pattern" not in key.fields,
         INT: lambda key, value: _is_number(value) and _within(key, int(value)),
         BOOL: lambda key, value: value in (b"true", b"false"),
         ENUM: lambda key, value: value.decode("latin-1") in [word.encode().decode("latin-1") for word in key.lists["values"]],
         PORT: lambda key, value: re.fullmatch(rb"[1-9][0-9]{0,4}", value) and int(value) < 65536 and _within(key, int(value))}


def is_of_type(key, value):
    """True also of what is not judged here."""
    if not key.fields.get("min_length", 0) <= len(value) <= key.fields.get("max_length", len(value)):
        return False
    return "pattern" in key.fields or key.type not in TYPES or bool(TYPES[key.type](key, value))


def verdict(schema, names, key, result):
    """A word for the first that is wrong, or "". names: the environment's and its base's; result: what the spot resolves to, or
    None."""
    rule = schema.keys.get(key)
    if rule is None:
        return "undeclared" if schema.strict and result else ""
    is_named = {what: any(name in rule.lists[what] for name in names) for what in ("required", "in")}
    may = is_named["in"] or not rule.lists["in"]
    if result is None:
        return "missing" if (rule.everywhere and may) or is_named["required"] else ""
    if not may:
        return "elsewhere"
    if rule.secret and not result.secret:
        return "plain"
    return "" if result.value is None or is_of_type(rule, result.value) else "wrong"
