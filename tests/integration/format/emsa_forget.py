"""store/FORMAT.md, "What is forgotten", in Python: which values a store's log says were destroyed."""
import struct

from emsa_format import (COMPACT, DEFAULT_REMOVE, DEFAULT_SET, H, PURGE, REMOVE, SCHEMA_REMOVE, SCHEMA_SET, SET_PLAIN, SET_SECRET,
                         SET_TEMPLATE, SETS, TAG, UNTAG, must)
from emsa_resolve import DEFAULTS, parse_template

MAY = (SET_PLAIN, SET_SECRET, SET_TEMPLATE, SCHEMA_SET, DEFAULT_SET)
REMOVALS = (REMOVE, SCHEMA_REMOVE, DEFAULT_REMOVE)


def purged(value, kind):
    """What destroyed a value: (rev, op), and of a template what remains, else None; (None, None): it is there."""
    if value[1] != 0:
        return None, None
    must(len(value) >= 14 and value[0] == 1, "value: destroyed, and does not say by what")
    remains = value[14:]
    must(not remains or kind == SET_TEMPLATE and all(isinstance(piece, tuple) for piece in parse_template(remains, "")),
         "value: destroyed, and says more than by what")
    return struct.unpack("<QI", value[2:14]), remains if kind == SET_TEMPLATE else None


def add_remains(sum, at, remains):
    return H("emsa-remains-1", sum, struct.pack("<QI", *at), remains)


class Forgetting:
    """Goes through the log once; then `gone` is {(rev, op) of a set: (rev, op) of what destroyed it}."""

    def __init__(self, store):
        self.store, self.gone, self.tags = store, {}, {}
        self.current, self.until = {}, {}  # of a place: its set; of a set: the revision that replaced it
        for (rev, op), operation in sorted(store.log.items()):
            kind = operation["kind"]
            if kind in (*SETS, *REMOVALS, SCHEMA_SET, DEFAULT_SET):
                self._set(operation, rev, op)
            elif kind == TAG:
                self.tags[operation["name"]] = operation["tagged"]
            elif kind == UNTAG:
                del self.tags[operation["name"]]
            elif kind == PURGE:
                self._purge(operation, rev, op)
            elif kind == COMPACT:
                self._compact(operation, rev, op)

    def _set(self, operation, rev, op):
        layer = DEFAULTS if operation["kind"] in (DEFAULT_SET, DEFAULT_REMOVE) else 0
        place = (operation["environment"] | layer, operation["name_id"])
        if operation["kind"] in (SCHEMA_SET, SCHEMA_REMOVE):
            place = ("schema", operation["environment"], operation["service"])
        was = self.current.pop(place, None)
        if was:
            self.until[was] = rev
        if operation["kind"] not in REMOVALS:
            self.current[place] = (rev, op)

    def _purge(self, operation, rev, op):
        at = operation["purged"]
        it = self.store.log.get(at)
        must(it and at[0] < rev and it["kind"] in MAY and all(
            it[name] == operation[name] for name in ("environment", "service", "turn", "name_id", "entry_id", "name")),
            "a purge of what is no value of its place")
        must(at in self.until and at not in self.gone, "a purge of what is set, or was destroyed")
        is_text = it["kind"] == SET_TEMPLATE
        must(is_text == (34 in operation["fields"]), "a purge that says of what is no template what is left")
        must(not is_text or operation["fields"][34] == self._sum([at]), "a purge that left something else")
        self.gone[at] = (rev, op)

    def _sum(self, sets):
        """Of what is left of templates."""
        sum = bytes(32)
        for at in sorted(sets):
            if self.store.remains.get(at) is not None:
                sum = add_remains(sum, at, self.store.remains[at])
        return sum

    def _compact(self, operation, rev, op):
        until, environment, service = operation["until"], operation["environment"], operation["service"]
        must(until < rev and not operation["name_id"], "a compaction of what is newer")
        must(self.store.commits[rev]["operations"] == 1, "a compaction that does not stand alone")
        taken = []
        for at, ended in self.until.items():
            it = self.store.log[at]
            if ended <= until and it["kind"] in MAY and environment in (0, it["environment"]) and service in (0, it["service"]) \
                    and not any(at[0] <= tagged < ended for tagged in self.tags.values()):
                if at not in self.gone:
                    taken.append(at)
                self.gone.setdefault(at, (rev, op))
        must(operation["fields"][34] == self._sum(taken), "a compaction that left something else")


def check(store):
    """That exactly those values are gone, each by what destroyed it."""
    said = {at: by for at, by in store.gone.items()}
    found = Forgetting(store).gone
    for at in sorted(said.keys() | found.keys()):
        must(said.get(at) == found.get(at), f"commit {at[0]}, operation {at[1]}: its value was destroyed by "
             f"{said.get(at) or 'nothing'}, and not by {found.get(at) or 'nothing'}")
