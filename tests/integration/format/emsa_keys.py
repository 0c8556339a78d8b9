"""Identities, key pairs and their generations, who holds which, and that they open what is set."""
import struct

import emsa_format as form

READ = 2


def body(layout, *values):
    return b"\1" + struct.pack("<" + layout, *values)


class Keys:
    """What Settled (emsa_settle) makes of operations 32 to 36; its state is there."""

    def _apply_key(self, operation, op):
        kind, fields = operation["kind"], operation["fields"]
        if kind == form.IDENTITY:
            name = operation["name"]
            form.must(form.PRINCIPAL.fullmatch("id:" + name), "an identity's name")
            form.must(b"i" + name.encode() not in self.keys and b"I" + fields[1] not in self.keys, "an identity that was known")
            form.must(fields[4] not in self.signers, "an identity whose signing key was another's")
            self.signers.add(fields[4])
            self.keys[b"I" + fields[1]] = body("Q", self.rev) + fields[4] + bytes([len(name)]) + name.encode()
            self.keys[b"i" + name.encode()] = body("") + fields[1]
            self.identities[name] = (fields[1], self.rev)
            return
        place = (operation["environment"], operation["service"])
        owner = struct.pack(">III", *place, operation["turn"])
        if kind in (form.ENVIRONMENT_KEY, form.SERVICE_KEY):
            form.must(operation["turn"] == self.pairs.get(place, (0, b"", 0))[0] + 1, "a generation")
            form.must(kind == form.ENVIRONMENT_KEY or fields[2] == self.pairs[place[0], 0][1], "a pair for another than its environment")
            self.pairs[place] = (operation["turn"], fields[1], self.rev)
        else:
            form.must(operation["turn"] == self.pairs[place][0], "a key that is not the newest")
        if kind == form.GRANT:
            holders = [name for name, (key, _) in self.identities.items() if key == fields[2]]
            form.must(holders, "a grant to nobody")
            who = "id:" + holders[0]
            form.must(self._reads(*place, who) or not place[1] and self._reads(0, 0, who), "a key for who may not read")
        if kind == form.VALUE_KEY:
            set_by = self.store.log[operation["sealed"]]
            form.must(operation["sealed"][0] < self.rev and set_by["kind"] == form.SET_SECRET, "the key of no secret")
            self.keys[b"V" + struct.pack(">QI", *operation["sealed"]) + owner] = body("") + fields[25]
        if 1 in fields:
            self.keys[b"K" + owner] = body("QI", self.rev, op) + fields[1]
        if 3 in fields:
            self.keys[b"W" + owner + fields[2]] = body("") + fields[3]

    def _reads(self, environment, service, who):
        return self.grants.get((environment, service, who), (0,))[0] & READ

    def _living_environments(self):
        return [id for id, it in self.environments.items() if it.alive]

    def _take_reading(self, environment, service, who):
        """Where one may not read any more, whatever else it may: places whose keys are made anew."""
        if environment:
            return [(environment, service)]
        return [(id, 0) for id in self._living_environments() if not self._reads(id, 0, who)]

    def _check_keys(self):
        """After a commit: whoever may read has the newest keys, and they open what is set."""
        for place in self.taken:
            form.must(all(rev == self.rev for (environment, service), (_, _, rev) in self.pairs.items()
                          if environment == place[0] and place[1] in (0, service)), "reading taken and no new keys")
        self.taken = []
        for (environment, service, who), (rights, _, _) in self.grants.items():
            if who.startswith("id:") and rights & READ:
                for layer in [environment] if environment else [0, *self._living_environments()]:
                    owner = struct.pack(">III", layer, service, self.pairs[layer, service][0])
                    form.must(b"W" + owner + self.identities[who[3:]][0] in self.keys, "who may read has not the newest key")
        for (layer, name_id), it in self.definitions.items():
            if it.kind != form.SET_SECRET or it.content is None:
                continue
            service = self.names[name_id][0]
            newest = (layer, service, self.pairs[layer, service][0])
            slots = [struct.unpack_from("<III", it.content, 64 + 92 * i) for i in range(struct.unpack_from("<H", it.content, 2)[0])]
            wrapped = b"V" + struct.pack(">QI", it.rev, it.op) + struct.pack(">III", *newest)
            form.must(newest in slots or wrapped in self.keys, "a secret that is not sealed for the newest key")
