"""What takes signed changes only takes them from who was granted that: store/FORMAT.md, "Signed environments". A part of emsa_settle."""
import emsa_format as form

LIST, READ, SET, SHARE, AUDIT, ADMIN = 1, 2, 4, 8, 16, 32
ALL = 63
TAKES = {**dict.fromkeys((form.SET_PLAIN, form.SET_SECRET, form.REMOVE, form.LOCK, form.SERVICE_ADD), SET),
         **dict.fromkeys((form.SET_LINK, form.SET_TEMPLATE, *form.SCHEMAS), SET | READ),
         **dict.fromkeys((form.SHARE, form.UNSHARE, form.VALUE_KEY), SHARE)}


class Entitled:
    """Of a Settled, which it is a part of."""

    def _takes(self, operation):
        if operation["overridden"]:
            return ADMIN
        place = self.places.get((operation["environment"], operation["service"]))
        if operation["kind"] == form.SERVICE_KEY and place.made_rev == self.rev:
            return SET
        return TAKES.get(operation["kind"], ADMIN) | (READ if 21 in operation["fields"] else 0)

    def _service_of(self, operation):
        """Of what it is copied from."""
        return next(it["service"] for it in self.store.log.values() if it["name_id"] == operation["from"][1])

    def _check_entitled(self, commit, operations, outcomes, granted):
        """granted: to whom which rights at which place, before the commit."""
        signer = "id:" + self.signer_names.get(commit["signature"][:32], "")
        self.signer_names.update({it["fields"][4]: it["name"] for it in operations if it["kind"] == form.IDENTITY})

        def holds(environment, service, rights):
            founder = self.identities.get(signer[3:], (b"", 0))[1] == 1
            held = ALL if founder and granted.get((0, 0, signer), (0,))[0] & READ else 0
            for place in {(environment, 0), (environment, service)}:
                said = granted.get((*place, signer), (0,))[0]
                held |= ALL if said & ADMIN else said
            return held & rights == rights

        strict = {id for id, it in self.environments.items() if it.protected & 2}
        asked = form.without_due(operations)
        everywhere = [(it, id) for it in operations for id in strict if it["kind"] == form.COMPACT and not it["environment"]]
        there = [(it, it["environment"]) for it in asked if it["environment"] in strict]
        for operation, environment in there + everywhere:
            if not holds(environment, operation["service"], self._takes(operation)):
                self._tell(f"'{signer}' was not granted what it did")
            if operation["from"] and operation["from"][0] in strict and not holds(operation["from"][0], self._service_of(operation), READ):
                self._tell(f"'{signer}' was not granted what it copied")
        if any(it["environment"] == self._everywhere() != 0 for it in asked):
            for environment in {it[0] for it in outcomes} & strict:
                if not holds(environment, 0, SET):
                    self._tell(f"'{signer}' was not granted what it did in 'all'")
