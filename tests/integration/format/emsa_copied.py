"""store/FORMAT.md, "Copies", in Python: that what is said to be a copy is what stood where it comes from. A part of emsa_settle."""
import struct

import emsa_format as form
import emsa_request


class Copies:
    """Goes through a Store's log once; `wrong` has a line for each set that is no copy of what it names."""

    def __init__(self, store, identity=None):
        self.store, self.identity, self.wrong, self.set = store, identity, [], {}
        self.schemas, self.shared, self.alive, self.tags = {}, set(), {}, {}
        self.read = self.request = None
        self.places = emsa_request.Places(store.log.values())
        for (rev, op), operation in sorted(store.log.items()):
            if rev in store.signers and not self._is_brought(rev, op, operation):
                self.wrong.append(f"commit {rev}: operation {op}: is not what stood where it was asked to come from")
            self._learn(rev, op, operation)
            if operation["kind"] in form.SETS:
                if operation["from"] and not self._is_copy(rev, op, operation):
                    self.wrong.append(f"commit {rev}: operation {op}: is said to be a copy, and is not what stood there")
            if operation["kind"] in (*form.SETS, form.REMOVE):
                place = (operation["environment"], operation["name_id"])
                self.set.setdefault(place, []).append((rev, op, operation["kind"] != form.REMOVE))

    def _learn(self, rev, op, operation):
        kind, place = operation["kind"], (operation["environment"], operation["service"])
        if kind in (form.SCHEMA_SET, form.SCHEMA_REMOVE):
            self.schemas[place] = (rev, op) if kind == form.SCHEMA_SET else None
        elif kind == form.SHARE:
            self.shared.add((*place, operation["name"], operation["consumer"]))
        elif kind in (form.TAG, form.UNTAG):
            self.tags[operation["name"]] = operation["tagged"] if kind == form.TAG else 0
        elif kind in (form.ENVIRONMENT_ADD, form.ENVIRONMENT_REMOVE):
            self.alive[operation["name"]] = place[0] if kind == form.ENVIRONMENT_ADD else 0

    def _is_brought(self, rev, op, operation):
        """Of what a request has from elsewhere, and which does not say so of itself."""
        request, kind = self._request(rev), operation["kind"]
        if kind == form.PURGE and self.store.log[operation["purged"]]["kind"] in form.SETS:
            named = min(request["parameters"]["rev"], rev - 1)
            return self._stood((operation["environment"], operation["name_id"]), named) == operation["purged"]
        if request["method"] not in ("EnvironmentCopy", "Move"):
            return True
        environment, service, key = emsa_request.parts(request["parameters"]["from"])
        environment = self.alive.get(environment, 0)
        services = [id for id, name in self.places.services.items() if name == service] or [operation["service"]]
        if kind in form.SETS and not operation["from"]:
            was = self._stood((environment, operation["name_id"]), rev - 1)
            return was and self.store.log[was]["expires"] and self.store.log[was]["kind"] == kind and \
                self._content(*was) in (None, self._content(rev, op))
        if kind == form.SCHEMA_SET:
            was = self.schemas.get((environment, services[0]))
            return was and self._schema(*was) == self._schema(rev, op)
        return kind != form.SHARE or operation["overridden"] or \
            (environment, services[0], key or operation["name"], operation["consumer"]) in self.shared

    def _schema(self, rev, op):
        """Behind the service's name."""
        content = self.store.content(rev, op)
        return content[3 + content[2]:]

    def _stood(self, place, as_of):
        """What was defined there, as far as the log was gone through: (rev, op), or None."""
        said = [it for it in self.set.get(place, []) if it[0] <= as_of]
        return said[-1][:2] if said and said[-1][2] else None

    def _request(self, rev):
        """Read once: it may ask for as much as the commit has operations."""
        if self.read != rev:
            self.read, self.request = rev, emsa_request.read_request(self.store.bodies["signed"][struct.pack(">Q", rev)])
        return self.request

    def _as_of(self, rev):
        """The revision that a signed request copies from; None: it does not say."""
        if rev not in self.store.signers:
            return None
        request = self._request(rev)
        if request["method"] != "Rollback":
            return rev - 1
        to = request["parameters"]["to"]
        return int(to) if to.isdigit() else self.tags.get(to, 0)

    def _is_copy(self, rev, op, operation):
        environment, name, of = operation["from"]
        place, as_of = (environment, name), self._as_of(rev)
        source = self._stood(place, of)
        if of == rev:  # set by this commit, and perhaps removed by it
            source = next(((at, by) for at, by, is_set in reversed(self.set.get(place, [])) if at == rev and is_set), None)
        elif source and source[0] == of and as_of is not None and self._stood(place, as_of) != source:
            return False
        if not source or source[0] != of:
            return False
        was, is_there, copied = self.store.log[source], self._content(*source), self._content(rev, op)
        return was["kind"] == operation["kind"] and was["stored_size"] == operation["stored_size"] and \
            operation["expires"] in (0, was["expires"]) and (is_there is None or copied is None or is_there == copied)

    def _content(self, rev, op):
        """None: nobody can tell."""
        content = self.store.content(rev, op)
        if content is None or self.store.log[rev, op]["kind"] != form.SET_SECRET:
            return content
        try:
            return self.store.open(self.identity, rev, op, content) if self.identity else None
        except form.NoKey:
            return None
