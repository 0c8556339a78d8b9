"""Derived records as text, for who has to find out why two differ."""
import struct

ENTRY = "kind:B flags:H name_id:Q since:Q rev:Q time:q first_rev:Q first_time:q | entry_id:Q op:I size:I | expires:q"
LAYOUTS = {
    "request": "rev:Q",
    "environment": "alive:B id:I before:I made_rev:Q changed_rev:Q shown_rev:Q made_time:q listed_time:q base:I protected:B moment:q",
    "place": "alive:B service:I incarnation:H made_rev:Q changed_rev:Q shown_rev:Q made_time:q listed_time:q",
    "current": ENTRY,
    "history": "kind:B flags:H | rev:Q time:q first_rev:Q first_time:q | entry_id:Q op:I size:I | expires:q",
    "expiry": "rev:Q op:I", "presence": "there:B incarnation:H", "share": "rev:Q op:I", "lock": "rev:Q op:I", "schema": "rev:Q op:I",
    "reference": "", "tag": "rev:Q said_rev:Q op:I", "grant": "rights:H rev:Q op:I",
    "meta": "environment_id:I service_id:I name_id:Q entry_id:Q environments:Q services:Q definitions:Q",
}
KEYS = {"place": "environment:I", "current": "environment:I service:I", "history": "environment:I name_id:Q rev:Q",
        "expiry": "moment:Q environment:I name_id:Q", "outcome": "rev:Q chunk:I", "schema": "layer:I service:I",
        "grant": "environment:I service:I",
        "presence": "environment:I service:I rev:Q op:I"}
MARKS = "+~-?"
KINDS = {1: "key", 2: "service", 3: "environment"}


def fields(layout, data, order):
    """(texts, what is left)"""
    found = []
    for item in layout.split():
        if item == "|":
            if not data:
                break
            continue
        name, letter = item.split(":")
        size = struct.calcsize(order + letter)
        if len(data) < size:
            return found + ["cut short"], b""
        found.append(f"{name} {struct.unpack(order + letter, data[:size])[0]}")
        data = data[size:]
    return found, data


def outcomes(data):
    found = []
    for at in range(0, len(data) - 19, 20):
        kind, flags, incarnation, environment, service, name_id = struct.unpack("<BBHIIQ", data[at:at + 20])
        found.append(f"{MARKS[flags & 3]}{KINDS.get(kind, kind)}{' secret' if flags & 4 else ''} {environment}/{service}"
                     f"{f'.{incarnation}' if incarnation else ''}{f' name {name_id}' if name_id else ''}")
    return found


def shorts(data):
    environment, found, at = struct.unpack(">I", data[:4])[0], [], 4
    while at < len(data) and data[at] <= len(data) - at - 1:
        found.append(data[at + 1:at + 1 + data[at]].decode(errors="replace"))
        at += 1 + data[at]
    rest = data[at:]
    return f"{environment} {'/'.join(found)}" + (f" {rest.hex()}" if rest else "")


def key(database, data):
    if database in ("share", "lock"):
        return shorts(data)
    if database == "reference":
        return f"{shorts(data[:-8])} by name {struct.unpack('>Q', data[-8:])[0]}"
    found, rest = fields(KEYS.get(database, ""), data, ">")
    if rest:
        found.append(rest.decode() if rest.isascii() and rest.decode().isprintable() else rest.hex())
    return ", ".join(found)


def parts(database, data):
    if data is None:
        return ["not there"]
    if database == "outcome":
        return outcomes(data[1:])
    if database not in LAYOUTS:
        return [data.hex()]
    found, rest = fields(LAYOUTS[database], data[1:], "<")
    return found + ([f"and {rest.hex()}"] if rest else [])


def difference(database, at, wanted, found):
    wanted, found = parts(database, wanted), parts(database, found)
    both = [part for part in wanted if part in found]
    kept = f" ({', '.join(both)})" if both and database != "outcome" else ""
    return (f"{database} [{key(database, at)}]{kept}: expected {', '.join(p for p in wanted if p not in both)}; "
            f"found {', '.join(p for p in found if p not in both)}")
