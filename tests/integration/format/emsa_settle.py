#!/usr/bin/python3
"""Everything that is derived, made anew from `commit`, `log` and `value` alone as store/FORMAT.md says, and compared with what a
store has.

emsa_settle.py STORE [--identity FILE] [--strict]     prints each difference; exit 1 where there is one

With an identity what is secret is opened: then sizes of what is put together from secrets are judged, and the SAME of operations is
compared with the values. The store must not be owned meanwhile.
"""
import re
import struct
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import emsa_copied
import emsa_describe
import emsa_format as form
import lmdb_file
from emsa_entitled import Entitled
from emsa_judge import ENVIRONMENT, KEY, SERVICE, Judge
from emsa_keys import READ, Keys, body
from emsa_resolve import (AS_IN_ALL, AS_IN_BASE, DEFAULT, DEFAULT_OF_ALL, DEFAULT_OF_BASE, DEFAULTS, Definition, Record, View,
                          references)

PLACES = (form.ENVIRONMENT_ADD, form.ENVIRONMENT_REMOVE, form.SERVICE_ADD, form.SERVICE_REMOVE)
MADE, CHANGED, GONE = 0, 1, 2
CHUNK = 64


def short(text):
    return bytes([len(text)]) + text.encode()


@dataclass
class Environment:
    name: str
    id: int
    before: int
    made_rev: int
    made_time: int
    changed: int
    shown: int
    listed: int
    base: int
    protected: int
    moment: int
    said: tuple  # the operation that added it
    alive: bool = True


@dataclass
class Place:
    incarnation: int
    made_rev: int
    made_time: int
    changed: int
    shown: int
    listed: int
    alive: bool = True


class Settled(Judge, Keys, Entitled):
    """Goes through a Store's log; then `derived` is {database: {key: body}}, and `wrong` what the log itself should not hold."""

    def __init__(self, store, identity=None):
        self.store, self.identity, self.opened, self.wrong = store, identity, {}, []
        self.environments, self.latest, self.places = {}, {}, {}
        self.services, self.service_ids, self.names, self.name_ids = {}, {}, {}, {}
        self.definitions, self.records, self.shares, self.locks = {}, {}, {}, {}
        self.schemas, self.read = {}, {}
        self.history, self.outcomes, self.keys, self.requests, self.tags = {}, {}, {}, {}, {}
        self.presences, self.set_there, self.grants = {}, set(), {}
        self.identities, self.signers, self.pairs, self.taken = {}, set(), {}, []
        self.signer_names = {}
        self.last_entry = 0
        self.views = {0: self._view(self.records)}
        for rev in range(1, store.rev + 1):
            self._commit(rev)
        self.wrong += emsa_copied.Copies(store, identity).wrong
        self.derived = self._encode()

    # --- where things are

    def _everywhere(self):
        found = self.environments.get(self.latest.get("all"))
        return found.id if found and found.alive else 0

    def _view(self, records):
        layers = {}
        for id, environment in self.environments.items():
            if environment.alive:
                layers[id] = [id, environment.base, self._everywhere()] if environment.name != "all" else [id]
        schemas = {(layer, self.services[service]) for layer, service in self.schemas}
        return View(layers, self._everywhere(), dict(records), dict(self.shares), schemas, dict(self.name_ids), self._open)

    def _open(self, definition):
        if self.identity is None or definition.content is None:
            return None
        place = (definition.rev, definition.op)
        if place not in self.opened:
            self.opened[place] = self.store.open(self.identity, *place, definition.content)
        return self.opened[place]

    # --- one commit

    def _commit(self, rev):
        commit = self.store.commits[rev]
        self.rev, self.time = rev, commit["time"]
        operations = [self.store.log[rev, op] for op in range(commit["operations"])]
        before = self.views[rev - 1]
        alive = {id for id, environment in self.environments.items() if environment.alive}
        placed = {spot: place.incarnation for spot, place in self.places.items() if place.alive}
        self.touched, self.last = set(), {}
        granted = dict(self.grants)
        for op, operation in enumerate(operations):
            self._apply(operation, op)
            if operation["kind"] in PLACES:
                at = struct.pack(">IIQI", operation["environment"], operation["service"], rev, op)
                self.presences[at] = body("BH", operation["kind"] in (form.ENVIRONMENT_ADD, form.SERVICE_ADD), operation["turn"])
        for layer, service in {(o["environment"], o["service"]) for o in operations
                               if o["kind"] in (form.SCHEMA_SET, form.SCHEMA_REMOVE)}:
            self._touch_defaults(layer, service)
        if any(commit["request"]):
            self.requests[commit["request"]] = body("Q", rev)
        is_expiry = any(o["expires"] and o["kind"] in (form.REMOVE, form.ENVIRONMENT_REMOVE) for o in operations)
        after = self.views[rev] = self._settle(before, is_expiry)
        self._check(before, after, is_expiry)
        self._check_defaults(operations)
        self._check_keys()
        outcomes = self._outcomes(before, after, alive, placed, {o["environment"] for o in operations})
        if not is_expiry and not any(o["overridden"] for o in operations):
            self._check_verdicts(before, after, placed, outcomes, any(o["kind"] in form.SCHEMAS for o in operations))
        self._check_entitled(commit, operations, outcomes, granted)
        self._mark(operations, outcomes)
        for at in range(0, len(outcomes), CHUNK):
            packed = b"".join(struct.pack("<BBHIIQ", kind, mark | secret << 2, incarnation, environment, service, name_id)
                              for environment, service, name_id, kind, mark, secret, incarnation in outcomes[at:at + CHUNK])
            self.outcomes[struct.pack(">QI", rev, at // CHUNK)] = b"\1" + packed

    def _apply(self, operation, op):
        kind, environment = operation["kind"], operation["environment"]
        if kind in form.SETS or kind in (form.REMOVE, form.SHARE, form.UNSHARE, form.LOCK, form.UNLOCK, form.DEFAULT_SET,
                                         form.DEFAULT_REMOVE):
            self._learn(operation)
        if kind in form.SCHEMAS:
            self._apply_schema(operation, op)
        elif kind in form.SETS or kind == form.REMOVE:
            self._apply_definition(operation, op)
        elif kind in (form.SHARE, form.UNSHARE, form.LOCK, form.UNLOCK):
            self._apply_relation(operation, op)
        elif kind in (form.PURGE, form.COMPACT):
            pass  # nothing is derived from it: see emsa_forget
        elif kind in (form.TAG, form.UNTAG):
            self._apply_tag(operation, op)
        elif kind in (form.RIGHTS_GRANT, form.RIGHTS_REVOKE):
            self._apply_rights(operation, op)
        elif kind == form.ENVIRONMENT_ADD:
            self._add_environment(operation, op)
        elif kind == form.ENVIRONMENT_REMOVE:
            found = self.environments[environment]
            form.must(found.alive and found.name == operation["name"] != "all", "an environment's removal")
            form.must(not any(it.alive and it.base == environment for it in self.environments.values()), "a base's removal")
            form.must(operation["expires"] in (0, found.moment), "an environment's expiry")
            found.alive = False
            self._drop_grants(environment, 0)
        elif kind == form.SERVICE_ADD:
            self._add_service(operation)
        elif kind == form.SERVICE_REMOVE:
            self._living(operation).alive = False
            form.must((environment, operation["service"]) not in self.schemas, "a service that went without its schema")
            self._touch_service(environment, operation["service"])
            service = self.services[operation["service"]]
            self.shares = {what: said for what, said in self.shares.items() if what[:2] != (environment, service)}
            self._drop_grants(environment, operation["service"])
        else:
            self._apply_key(operation, op)

    def _living(self, operation):
        place = self.places.get((operation["environment"], operation["service"]))
        form.must(place and place.alive and place.incarnation == operation["turn"], "an operation in a service that is not there")
        return place

    def _learn(self, operation):
        name_id, service = operation["name_id"], operation["service"]
        if not name_id:
            form.must(operation["kind"] in (form.LOCK, form.UNLOCK), "no name id")
            return
        if name_id not in self.names:
            form.must(name_id == len(self.names) + 1, "a name id out of order")
            self.names[name_id] = (service, operation["name"])
            self.name_ids[self.services[service], operation["name"]] = name_id
        form.must(self.names[name_id] == (service, operation["name"]), "a name id of another name")

    def _apply_schema(self, operation, op):
        self._living(operation)
        layer, service = operation["environment"], operation["service"]
        if operation["kind"] in (form.DEFAULT_SET, form.DEFAULT_REMOVE):
            self._define(operation, op, (layer | DEFAULTS, operation["name_id"]))
            self.touched.update((id, operation["name_id"]) for id in [layer | DEFAULTS, *self._above(layer)])
            return
        form.must(operation["name"] == self.services[service], "a schema of another service")
        if operation["kind"] == form.SCHEMA_SET:
            form.must(operation["first"] == ((layer, service) not in self.schemas), "a schema that was made, or was not")
            self.schemas[layer, service] = (self.rev, op)
        else:
            form.must(self.schemas.pop((layer, service), None), "a removal of no schema")

    def _apply_definition(self, operation, op):
        self._living(operation)
        spot = (operation["environment"], operation["name_id"])
        self.last[spot] = operation["same"]
        self._touch_name(*spot)
        self._define(operation, op, spot)

    def _define(self, operation, op, spot):
        was = self.definitions.pop(spot, None)
        if operation["kind"] in (form.REMOVE, form.DEFAULT_REMOVE):
            form.must(was and was.entry_id == operation["entry_id"], "a removal of another entry")
            if operation["expires"]:
                form.must(was.expires == operation["expires"] <= self.time, "an expiry of another moment")
                form.must(self.store.commits[self.rev]["author"].startswith("emsa (expiry of rev"), "an expiry by somebody")
            return
        form.must(operation["first"] == (was is None), "a definition that was made, or was not")
        form.must(not operation["from"] or operation["from"] in self.set_there, "a copy of what was not there")
        self.set_there.add((*spot, self.rev))
        if was is None:
            self.last_entry += 1
        form.must(operation["entry_id"] == (was.entry_id if was else self.last_entry), "an entry id")
        service, key = self.names[operation["name_id"]]
        form.must(operation["kind"] != form.DEFAULT_SET or not was or None in (was.content, self.store.content(self.rev, op)) or
                  was.content != self.store.content(self.rev, op),
                  "a default that was so before")
        self.definitions[spot] = Definition(spot[0], self.services[service], key, spot[1], form.VALUES[operation["kind"]],
                                            operation["entry_id"],
                                            self.rev, op, operation["stored_size"], operation["expires"],
                                            self.store.content(self.rev, op), self.store.text(self.rev, op))

    def _apply_relation(self, operation, op):
        kind, environment = operation["kind"], operation["environment"]
        service = self.services[operation["service"]] if operation["service"] else ""
        form.must(self.environments[environment].alive, "an operation in an environment that is not there")
        if service:
            self._living(operation)
        where, what = (self.shares, (environment, service, operation["name"], operation["consumer"]))
        if kind in (form.LOCK, form.UNLOCK):
            where, what = (self.locks, (environment, service, operation["name"] if operation["name_id"] else ""))
        if kind in (form.SHARE, form.LOCK):
            where[what] = (self.rev, op)
        else:
            form.must(where.pop(what, None), "a share or lock taken back that there was not")

    def _apply_tag(self, operation, op):
        name = operation["name"]
        form.must(re.fullmatch("[A-Za-z0-9][A-Za-z0-9_.-]{0,62}", name) and not name.isdigit(), "a tag's name")
        form.must(not (operation["environment"] or operation["service"] or operation["name_id"] or operation["entry_id"]),
                  "a tag in a place")
        if operation["kind"] == form.TAG:
            form.must(operation["tagged"] < self.rev, "a tag of no revision before it")
            self.tags[name] = (operation["tagged"], self.rev, op)
        else:
            form.must(self.tags.pop(name, None), "a tag taken back that there was not")

    def _drop_grants(self, environment, service):
        self.grants = {what: said for what, said in self.grants.items() if what[:2] != (environment, service)}

    def _apply_rights(self, operation, op):
        environment, service, rights = operation["environment"], operation["service"], operation["rights"]
        form.must(not operation["name_id"] and not operation["entry_id"], "rights to a key")
        name = ""
        if environment:
            form.must(self.environments[environment].alive, "rights in an environment that is not there")
            name = self.environments[environment].name
        if service:
            self._living(operation)
            name = self.services[service]
        form.must(operation["name"] == name, "rights at a place of another name")
        what = (environment, service, operation["principal"])
        held = self.grants.pop(what, (0, 0, 0))[0]
        if operation["kind"] == form.RIGHTS_GRANT:
            form.must(not held & rights, "a grant of what was granted")
        else:
            form.must(held & rights == rights, "rights taken back that were not granted")
        if what[2].startswith("id:"):
            form.must(what[2][3:] in self.identities, "rights of an identity that is not known")
            above = (service and self._reads(environment, 0, what[2])) or (environment and self._reads(0, 0, what[2]))
            if operation["kind"] == form.RIGHTS_REVOKE and rights & READ and not above:
                self.taken += self._take_reading(environment, service, what[2])
                self.keys[b"X" + struct.pack(">IIQI", environment, service, self.rev, op)] = \
                    body("") + bytes([len(what[2])]) + what[2].encode()
        if held ^ rights:
            self.grants[what] = (held ^ rights, self.rev, op)

    def _add_environment(self, operation, op):
        id, name = operation["environment"], operation["name"]
        form.must(id == len(self.environments) + 1, "an environment's id out of order")
        before = self.latest.get(name, 0)
        form.must(not before or not self.environments[before].alive, "an environment that was there")
        if operation["base"]:
            base = self.environments[operation["base"]]
            form.must(base.alive and not (base.base or base.protected or base.moment) and base.name != "all", "what can't be a base")
        form.must(name != "all" or not (operation["fields"] or operation["protected"]), "'all' with terms")
        self.environments[id] = Environment(name, id, before, self.rev, self.time, self.rev, self.rev, self.time,
                                            operation["base"], operation["protected"] + 2 * operation["signed"], operation["expires"], (self.rev, op))
        self.latest[name] = id

    def _add_service(self, operation):
        environment, service, name = operation["environment"], operation["service"], operation["name"]
        form.must(self.environments[environment].alive, "a service in no environment")
        if service not in self.services:
            form.must(service == len(self.services) + 1 and name not in self.service_ids, "a service's id out of order")
            self.services[service], self.service_ids[name] = name, service
        form.must(self.services[service] == name, "a service's id of another name")
        was = self.places.get((environment, service))
        form.must(not was or not was.alive, "a service that was there")
        form.must(operation["turn"] == (was.incarnation + 1 if was else 0), "an incarnation")
        self.places[environment, service] = Place(operation["turn"], self.rev, self.time, self.rev, self.rev, self.time)
        self._touch_service(environment, service)

    # --- the records

    def _touch_name(self, layer, name_id):
        self.touched.update((id, name_id) for id in self._above(layer))

    def _touch_service(self, environment, service):
        self.touched.update((environment, name_id) for name_id, (owner, _) in self.names.items() if owner == service)

    def _above(self, layer):
        """The environments that a layer is, or is beneath."""
        is_all = self.environments[layer].name == "all"
        return [id for id, environment in self.environments.items() if is_all or layer in (id, environment.base)]

    def _touch_defaults(self, layer, service):
        """Where a default of the service may show otherwise because another schema is in force."""
        names = [name_id for name_id, (owner, _) in self.names.items() if owner == service]
        for id in self._above(layer):
            layers = (id, self.environments[id].base, self._everywhere())
            self.touched.update((id, name_id) for name_id in names
                                if any((it | DEFAULTS, name_id) in self.definitions for it in layers))

    def _kind(self, spot):
        """What its record is, faults not looked for."""
        if spot[0] & DEFAULTS:
            return self.definitions[spot].kind if spot in self.definitions else 0
        environment, name_id = self.environments[spot[0]], spot[1]
        if not environment.alive:
            return 0
        if spot in self.definitions:
            return self.definitions[spot].kind
        place = self.places.get((environment.id, self.names[name_id][0]))
        if environment.name == "all" or not place or not place.alive:
            return 0
        if environment.base and (environment.base, name_id) in self.definitions:
            return AS_IN_BASE
        if (self._everywhere(), name_id) in self.definitions:
            return AS_IN_ALL
        for layer, kind in ((environment.id, DEFAULT), (environment.base, DEFAULT_OF_BASE), (self._everywhere(), DEFAULT_OF_ALL)):
            if (layer, self.names[name_id][0]) in self.schemas:
                return kind if (layer | DEFAULTS, name_id) in self.definitions else 0
        return 0

    def _settle(self, before, is_expiry):
        """The view after the commit."""
        records = dict(self.records)
        for spot in sorted(self.touched):
            record = self._record(spot, before)
            if record is None:
                records.pop(spot, None)
                continue
            records[spot] = record
        view = self._view(records)
        if is_expiry:
            faulty = [spot for spot, record in records.items() if not record.own and view.resolve(*spot).fault]
            for spot in faulty:
                del records[spot]
                self.touched.add(spot)
                view = None
        for spot in self.touched:
            was, now = self.records.get(spot), records.get(spot)
            if was != now:
                self.history[(*spot, self.rev)] = now
        self.records = records
        return view or self._view(records)

    def _record(self, spot, before):
        kind, was, own = self._kind(spot), self.records.get(spot), self.definitions.get(spot)
        is_set = own is not None and own.rev == self.rev
        if not kind:
            return None
        if was and was.kind == kind and not is_set:
            return was
        rev, time = self.rev, self.time
        if self.last.get(spot):
            form.must(was, f"revision {self.rev}: SAME where there was nothing")
            rev = before.resolve(*spot).rev
            time = self.store.commits[rev]["time"]
        first = (was.first_rev, was.first_time) if was else (self.rev, self.time)
        return Record(kind, spot[1], self.rev, rev, time, *first, own)

    # --- what readers see otherwise

    def _outcomes(self, before, after, alive, placed, touched):
        """(environment, service, name id, kind, mark, secret, incarnation), in order"""
        found = []
        for id, environment in self.environments.items():
            if environment.alive != (id in alive):
                found.append((id, 0, 0, ENVIRONMENT, MADE if environment.alive else GONE, 0, 0))
        for (environment, service), place in self.places.items():
            was = placed.get((environment, service))
            now = place.incarnation if place.alive else None
            if was != now and was is not None:
                found.append((environment, service, 0, SERVICE, GONE, 0, was))
            if was != now and now is not None:
                found.append((environment, service, 0, SERVICE, MADE, 0, now))
        for spot in set(self._spots(before)) | set(self._spots(after)):
            layers = after.layers.get(spot[0]) or before.layers[spot[0]]
            if touched & set(layers) or after.everywhere != before.everywhere:
                found += self._outcome(spot, before, after, placed)
        order = {GONE: 0, MADE: 1, CHANGED: 1}
        return sorted(found, key=lambda outcome: (*outcome[:3], order[outcome[4]]))

    def _outcome(self, spot, before, after, placed):
        environment, name_id = spot
        service = self.names[name_id][0]
        place = self.places[environment, service]
        was, now = spot in before.records, spot in after.records
        is_another = was and placed[environment, service] != place.incarnation
        marks = []
        if was and (not now or is_another):
            old = before.resolve(*spot)
            marks.append((GONE, old.secret and not old.fault, placed[environment, service]))
        new = after.resolve(*spot)
        if now and (not was or is_another):
            marks.append((MADE, new.secret, place.incarnation))
        elif now and new.rev == self.rev and not new.fault:
            marks.append((CHANGED, new.secret, place.incarnation))
        return [(environment, service, name_id, KEY, mark, int(secret), incarnation) for mark, secret, incarnation in marks]

    def _mark(self, operations, outcomes):
        for environment, service in [(o["environment"], o["service"]) for o in operations if o["kind"] < form.IDENTITY] + [o[:2] for o in outcomes]:
            if environment:
                self.environments[environment].changed = self.rev
            if service:
                self.places[environment, service].changed = self.rev
        for environment, service, _, kind, mark, _, _ in outcomes:
            if self.environments[environment].alive:
                self.environments[environment].shown = self.rev
            if kind == KEY and self.places[environment, service].alive:
                self.places[environment, service].shown = self.rev
            if kind == KEY and mark != CHANGED and self.places[environment, service].alive:
                self.places[environment, service].listed = self.time
            if kind == SERVICE and self.environments[environment].alive:
                self.environments[environment].listed = self.time

    # --- as bytes

    @staticmethod
    def _tail(record):
        own = record.own
        if not own:
            return b""
        return struct.pack("<QII", own.entry_id, own.op, own.size) + (struct.pack("<q", own.expires) if own.expires else b"")

    @staticmethod
    def _flags(record):
        return int(bool(record.own and record.own.expires))

    def _encode(self):
        made = {"request": self.requests, "key": self.keys, "outcome": self.outcomes,
                "tag": {name.encode(): body("QQI", *said) for name, said in self.tags.items()},
                "environment": {}, "place": {}, "current": {}, "history": {}, "name": {}, "expiry": {}, "reference": {},
                "share": {}, "lock": {}, "schema": {}, "grant": {}, "presence": self.presences}
        self._encode_places(made)
        for (environment, name_id), record in self.records.items():
            service, key = self.names[name_id]
            made["current"][struct.pack(">II", environment, service) + key.encode()] = body(
                "BHQQQqQq", record.kind, self._flags(record), name_id, record.since, record.rev, record.time, record.first_rev,
                record.first_time) + self._tail(record)
        for (environment, name_id, rev), record in self.history.items():
            made["history"][struct.pack(">IQQ", environment, name_id, rev)] = body("BH", 0, 0) if record is None else body(
                "BHQqQq", record.kind, self._flags(record), record.rev, record.time, record.first_rev,
                record.first_time) + self._tail(record)
        for (environment, name_id), own in self.definitions.items():
            if own.expires:
                made["expiry"][struct.pack(">QIQ", own.expires, environment, name_id)] = body("QI", own.rev, own.op)
            for service, key in references(own.kind, own.text, own.service):
                made["reference"][struct.pack(">I", environment) + short(service) + short(key) + struct.pack(">Q", name_id)] = b"\1"
        for (environment, service, key, consumer), said in self.shares.items():
            made["share"][struct.pack(">I", environment) + short(service) + short(key) + short(consumer)] = body("QI", *said)
        for (layer, service), said in self.schemas.items():
            made["schema"][struct.pack(">II", layer, service)] = body("QI", *said)
        for (environment, service, key), said in self.locks.items():
            made["lock"][struct.pack(">I", environment) + short(service) + short(key)] = body("QI", *said)
        for (environment, service, principal), said in self.grants.items():
            made["grant"][struct.pack(">II", environment, service) + principal.encode()] = body("HQI", *said)
        return made

    def _encode_places(self, made):
        for id, it in self.environments.items():
            made["name"][b"E" + struct.pack(">I", id)] = body("II", it.before, it.base) + short(it.name)
            if self.latest[it.name] == id:
                made["environment"][it.name.encode()] = body(
                    "BIIQQQqqIBq", it.alive, id, it.before, it.made_rev, it.changed, it.shown, it.made_time, it.listed, it.base,
                    it.protected, it.moment)
            if it.alive and it.moment:
                made["expiry"][struct.pack(">QIQ", it.moment, id, 0)] = body("QI", *it.said)
        for (environment, service), it in self.places.items():
            made["place"][struct.pack(">I", environment) + self.services[service].encode()] = body(
                "BIHQQQqq", it.alive, service, it.incarnation, it.made_rev, it.changed, it.shown, it.made_time, it.listed)
        for id, name in self.services.items():
            made["name"][b"S" + struct.pack(">I", id)] = body("") + short(name)
            made["name"][b"s" + name.encode()] = body("I", id)
        for id, (service, key) in self.names.items():
            made["name"][b"N" + struct.pack(">Q", id)] = body("I", service) + short(key)
            made["name"][b"n" + struct.pack(">I", service) + key.encode()] = body("Q", id)
        alive = [it for it in self.environments.values() if it.alive]
        made["meta"] = {b"counters": body(
            "IIQQQQQ", len(self.environments), len(self.services), len(self.names), self.last_entry, len(alive),
            sum(it.alive for it in self.places.values()), sum(not layer & DEFAULTS for layer, _ in self.definitions))}

    # --- for who asks what was

    def values(self, rev):
        """{path: bytes} of every spot that is not faulty, as of rev."""
        view, found = self.views[rev], {}
        for spot in self._spots(view):
            result = view.resolve(*spot)
            if not result.fault and not (result.value is None and self.identity):
                found[self._path(spot)] = result.value
        return found

    def destroyed(self, rev):
        """Paths of what was in effect as of rev and was destroyed since, there or in the effective rev."""
        view = self.views[rev]
        results = {spot: view.resolve(*spot) for spot in self._spots(view)}
        return {self._path(spot) for spot, result in results.items()
                if not result.fault and None in (result.value, self.views[result.rev].resolve(*spot).value)}


def differences(store, settled):
    """One line each."""
    found = list(settled.wrong)
    for name, wanted in settled.derived.items():
        there = store.bodies[name]
        if name == "meta":
            there = {key: body for key, body in there.items() if key == b"counters"}
        for key in sorted(wanted.keys() | there.keys()):
            if wanted.get(key) != there.get(key):
                found.append(emsa_describe.difference(name, key, wanted.get(key), there.get(key)))
    return found


def open_store(path, identity=None):
    store = form.Store(lmdb_file.File(Path(path) / "data.mdb").databases())
    return store, Settled(store, form.read_identity(Path(identity).read_text()) if identity else None)


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--strict"]
    identity = None
    if "--identity" in arguments:
        at = arguments.index("--identity")
        identity = arguments[at + 1]
        del arguments[at:at + 2]
    if len(arguments) != 1:
        sys.exit(__doc__)
    store, settled = open_store(arguments[0], identity)
    found = differences(store, settled)
    for line in found:
        print(line)
    records = sum(map(len, settled.derived.values()))
    print(f"{store.rev} revisions, {len(store.log)} operations, {records} derived records: {len(found)} differences")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
