"""What store/FORMAT.md says that no commit does: what is left faulty, what is said to be the same and is not, what is against a schema. A
part of emsa_settle. Nothing here was taken from the store's own code."""
import sys

import emsa_format as form
import emsa_schema
from emsa_resolve import DEFAULTS

KEY, SERVICE, ENVIRONMENT = 1, 2, 3
DESTROYED = object()  # a schema of which nobody can say what it was
STRICT = "--strict" in sys.argv  # also tells of operations that could have said SAME


class Judge:
    """Of a Settled, which it is a part of."""

    @staticmethod
    def _spots(view):
        return (spot for spot in view.records if not spot[0] & DEFAULTS)

    @staticmethod
    def _objection(result):
        return result.fault or ("it ends by itself" if result.ends else "")

    def _check(self, before, after, is_expiry):
        """What no commit may do: leave something faulty, say SAME of what is another, set a secret in `all`."""
        for spot in self._spots(after):
            fault = self._objection(after.resolve(*spot)) if self.environments[spot[0]].name != "all" else ""
            if fault and not is_expiry and not (spot in before.records and self._objection(before.resolve(*spot))):
                self._tell(f"{self._path(spot)} is faulty: {fault}")
        for spot, same in self.last.items():
            self._check_same(spot, same, before, after)
        for (environment, _), definition in self.definitions.items():
            if definition.kind == form.SET_SECRET and not environment & DEFAULTS and self.environments[environment].name == "all":
                self._tell("a secret in 'all'")

    def _check_defaults(self, operations):
        """Each schema's defaults are those that it says, and none was set to what it was."""
        for layer, service in {(o["environment"], o["service"]) for o in operations if o["kind"] in form.SCHEMAS}:
            schema = self._schema(layer, service)
            if schema is DESTROYED:
                continue
            wanted = {name: key.default for name, key in schema.keys.items() if key.default is not None} if schema else {}
            found = {it.key: it.content for (at, name_id), it in self.definitions.items()
                     if at == layer | DEFAULTS and self.names[name_id][0] == service}
            is_so = wanted.keys() == found.keys() and all(it in (None, wanted[key]) for key, it in found.items())
            form.must(is_so, f"revision {self.rev}: defaults that the schema has not")

    def _schema(self, layer, service):
        said = self.schemas.get((layer, service))
        if said is None:
            return None
        if self.store.content(*said) is None:
            return DESTROYED
        if said not in self.read:
            self.read[said] = emsa_schema.read(self.store.content(*said))
            form.must(self.read[said].service == self.services[service], "a schema of another service")
        return self.read[said]

    def _check_verdicts(self, before, after, placed, outcomes, by_schemas):
        """What changed is by its schema what it must be, unless it was wrong in the same way, or a schema is what changed."""
        for environment, service, name_id, kind, _, _, _ in outcomes:
            name = self.services.get(service)
            layer = after.schema_layer(environment, name) if kind == KEY and environment in after.layers else 0
            if not layer or self.schemas[layer, service][0] == self.rev:
                continue
            if self._schema(layer, service) is DESTROYED:
                continue
            if before.schema_layer(environment, name) != layer if environment in before.layers else True:
                continue
            it = self.environments[environment]
            names = [it.name] + [self.environments[it.base].name for _ in (1,) if it.base]
            said = [emsa_schema.verdict(self._schema(layer, service), names, self.names[name_id][1], self._shown(view, environment, name_id))
                    for view in (before, after)]
            is_same = said[0] == said[1] != "wrong" and (environment, service) in placed
            is_new = self.places[environment, service].incarnation != placed.get((environment, service))
            own = self.definitions.get((environment, name_id))
            # what came along with its service, or is other because of a default, nobody set
            is_carried = (is_new or by_schemas) and not (own and own.rev == self.rev)
            if said[1] and self.places[environment, service].alive and not is_same and not is_carried:
                self._tell(f"{self._path((environment, name_id))} is {said[1]} by its schema")

    @staticmethod
    def _shown(view, environment, name_id):
        result = view.resolve(environment, name_id) if (environment, name_id) in view.records else None
        return result if result and not result.fault else None

    def _check_same(self, spot, same, before, after):
        if spot not in before.records or spot not in after.records:
            if same:
                self._tell(f"{self._path(spot)} has SAME, and was not there before and after")
            return
        old, new = before.resolve(*spot), after.resolve(*spot)
        if None in (old.value, new.value) or old.fault or new.fault:
            return
        equal = [(it.value, it.secret, it.definition.expires) for it in (old, new)]
        is_beneath = self.environments[spot[0]].name == "all" or any(
            it.alive and it.base == spot[0] for it in self.environments.values())
        kinds = [it.definition.kind for it in (old, new)]
        is_all = self.environments[spot[0]].name == "all"
        are_values = kinds[0] == kinds[1] if is_all else max(kinds) <= form.SET_SECRET
        if same and (equal[0] != equal[1] or (is_beneath and not are_values)):
            self._tell(f"{self._path(spot)} has SAME, and is another, or others stand on it")
        if STRICT and not same and equal[0] == equal[1] and not is_beneath:
            self._tell(f"{self._path(spot)} has no SAME, and is the same")

    def _tell(self, text):
        self.wrong.append(f"commit {self.rev}: {text}")

    def _path(self, spot):
        service, key = self.names[spot[1]]
        return f"{self.environments[spot[0]].name}/{self.services[service]}/{key}"
