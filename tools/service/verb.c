#include "tools/service/verb.h"

#define TERMS                                                                                      \
    "reason: ?string, if_rev: ?int, if_path: ?string, if_paths: ?[]string, dry_run: ?bool, "       \
    "allow_new: ?bool, allow_equal: ?bool, override: ?[]string, request_id: ?string, quiet: "      \
    "?bool, grouped: ?bool, signature: ?Signature"

#define CHANGED                                                                                    \
    "(rev: int, committed: bool, repeated: bool, dry_run: bool, made: int, changed: int, "         \
    "removed: int, same: int, late: bool, lines: []Line, notes: [](path: string, text: string, "   \
    "asked: ?bool))"

#define COPIED                                                                                     \
    "(rev: int, committed: bool, repeated: bool, dry_run: bool, made: int, changed: int, "         \
    "removed: int, same: int, late: bool, lines: []Line, notes: [](path: string, text: string, "   \
    "asked: ?bool), "                                                                              \
    "secrets: [](path: string, from: string), shares: [](path: string, with: string), left: "      \
    "[](path: string, from: string, "                                                              \
    "needs: ?string), out: [](path: string, "                                                      \
    "needs: string, because: string))"

#define LISTED "(rev: int, path: string, items: []Item, more: bool)"

const struct verb verbs[] = {
    {"EnvironmentAdd", verb_environment_add, RIGHT_ADMIN, "names",
     "names: []string, base: ?string, protected: ?bool, signed: ?bool, ttl: ?int, " TERMS, CHANGED,
     "Makes environments; base: that stand on another one and have its services; ttl: seconds "
     "after\n"
     "# which they go with all that is in them."},
    {"EnvironmentCopy", verb_environment_copy, RIGHT_ADMIN, "to",
     "from: string, to: string, protected: ?bool, signed: ?bool, ttl: ?int, " TERMS, COPIED,
     "Makes an environment with what another one defines. Secrets are not copied: they are listed, "
     "and\n"
     "# what cannot be there without them, in the order in which it can be added: with whom they "
     "are shared,\n"
     "# services (out) of which something that is inherited needs one, and single keys (left)."},
    {"EnvironmentRemove", verb_environment_remove, RIGHT_ADMIN, "names",
     "names: []string, all: ?bool, " TERMS, CHANGED,
     "Removes environments; all: with everything in them."},
    {"EnvironmentList", verb_environment_list, RIGHT_SEE, NULL, "after: ?string, limit: ?int",
     LISTED, "The environments."},
    {"ServiceAdd", verb_service_add, RIGHT_SET, "paths", "paths: []string, " TERMS, CHANGED,
     "Places services in environments."},
    {"ServiceRemove", verb_service_remove, RIGHT_ADMIN, "paths",
     "paths: []string, all: ?bool, " TERMS, CHANGED,
     "Removes services; all: with every key in them."},
    {"ServiceList", verb_service_list, RIGHT_SEE, "path",
     "path: string, after: ?string, limit: ?int", LISTED, "The services of an environment."},
    {"Set", verb_set, RIGHT_OF_EACH, NULL, "operations: []Operation, values: ?int, " TERMS, CHANGED,
     "Changes what is set, shared or locked, all or nothing of it. Where an operation has a size "
     "and no\n"
     "# value, its bytes are the next ones of the stream behind the descriptor with index "
     "values."},
    {"Remove", verb_remove, RIGHT_SET, "paths", "paths: []string, " TERMS, CHANGED,
     "Removes keys."},
    {"Copy", verb_copy, RIGHT_EDIT, "to", "from: string, to: string, " TERMS, CHANGED,
     "Sets a key to what another one is, or makes a service with what another one defines."},
    {"Move", verb_move, RIGHT_EDIT, "to", "from: string, to: string, " TERMS, CHANGED,
     "The same, and removes what was copied; within one environment."},
    {"Get", verb_get, RIGHT_READ, "paths",
     "paths: []string, reveal: ?bool, skip_secrets: ?bool, door: ?string",
     "(rev: int, entries: []Item, values: ?int)",
     "Values of keys or whole services, in one revision. The bytes of all entries follow each "
     "other in the\n"
     "# stream behind the descriptor with index values. Secrets are refused without reveal. door: "
     "what they\n"
     "# are wanted for (get, export, exec, edit), for the audit record."},
    {"Definitions", verb_definitions, RIGHT_READ, "paths",
     "paths: []string, environments: ?[]string, reveal: ?bool, absent: ?bool, "
     "since: ?int, door: ?string",
     "(rev: int, environments: [string](protected: bool, signed: bool, base: ?string, expires: "
     "?int), entries: "
     "[]Defined,\n"
     "  values: ?int, changed: ?[](rev: int, time: int, author: ?string, reason: ?string, paths: "
     "[]string))",
     "What is defined in services, environments or everywhere: the texts of links and templates, "
     "and no value\n"
     "# of a secret without reveal. The bytes of all entries follow each other in the stream "
     "behind "
     "the\n"
     "# descriptor with index values. environments: of these only what they themselves are; "
     "absent: "
     "what is not there is left out, and no failure; "
     "since: tells\n"
     "# which commits after that revision changed what is asked for."},
    {"List", verb_list, RIGHT_SEE, "path", "path: ?string, after: ?string, limit: ?int", LISTED,
     "What is at a place: environments, services or keys. Never values."},
    {"Tree", verb_tree, RIGHT_SEE, "path", "path: ?string, after: ?string, limit: ?int", LISTED,
     "Everything beneath a place, in the order of a walk."},
    {"Explain", verb_explain, RIGHT_READ, "path", "path: string",
     "(rev: int, entry: Item, steps: []Step, beneath: []Beneath, elsewhere: []Elsewhere, lock: "
     "?Lock, cut: bool)",
     "Where a key's value comes from: the definitions it is put together from, each followed by "
     "those\n"
     "# that it refers to; what they cover; what the key is in other environments. Secrets are "
     "masked."},
    {"Refs", verb_refs, RIGHT_LIST, "path", "path: string",
     "(rev: int, path: string, common: bool, shares: []Share, referrers: []Referrer, cut: bool)",
     "Who uses a key, directly or through others, in every environment where it is in effect; "
     "common: as\n"
     "# a plain value of 'shared' it may be used by every service."},
    {"Find", verb_find, RIGHT_SOME, NULL, "pattern: string, value: ?string, after: ?string",
     "(rev: int, items: []Item, more: bool, after: string)",
     "Keys whose path matches a pattern (KEY, SERVICE/KEY or ENVIRONMENT/SERVICE/KEY, with *, ? "
     "and [])\n"
     "# and, of plain ones, whose value is this. after: where the next piece goes on."},
    {"Locks", verb_locks, RIGHT_AUDIT, "path", "path: ?string", "(rev: int, locks: []Lock)",
     "What is locked, in one environment or in all."},
    {"SchemaShow", verb_schema_show, RIGHT_READ, "path", "path: string",
     "(rev: int, path: string, defined: string, set: int, time: ?int, author: ?string, reason: "
     "?string,\n"
     "  schema: Schema)",
     "The schema that is in force for a service in an environment, where it is defined and since "
     "when."},
    {"SchemaInfer", verb_schema_infer, RIGHT_READ, "path", "path: string",
     "(rev: int, schema: Schema, environments: []string, unopened: int)",
     "A first draft of a service's schema, from what is there in all environments that have it; "
     "unopened:\n"
     "# secrets whose values could not be looked at."},
    {"Check", verb_check, RIGHT_READ, "path",
     "path: ?string, against: ?[]Schema, parity: ?[]string",
     "(rev: int, path: string, findings: []Finding, services: []Checked, errors: int, warnings: "
     "int,\n"
     "  notes: int, keys: int, cut: bool)",
     "Everything that is wrong at a place, at once; against: by these schemas, of their services "
     "alone;\n"
     "# parity: keys that are in one of these environments and not in another, and nothing else "
     "where\n"
     "# neither path nor against is given; cut: there are more findings than are listed."},
    {"Log", verb_log, RIGHT_AUDIT, "path",
     "path: ?string, before: ?int, limit: ?int, author: ?string, since: ?int, until: ?int, key: "
     "?string",
     "(commits: []Commit, more: bool, next: int)",
     "Commits that touched a place, newest first; before: older than this revision (next, where "
     "there are\n"
     "# more); author: a part of it; since, until: nanoseconds since 1970; key: a pattern, of "
     "which "
     "one was\n"
     "# changed."},
    {"Show", verb_show, RIGHT_SOME, NULL, "rev: ?int, tag: ?string, from: ?int, limit: ?int",
     "(commit: Commit, operations: []Done, more: bool)",
     "One commit, by its revision or a tag. Secrets are masked."},
    {"Blame", verb_blame, RIGHT_AUDIT, "path", "path: string, after: ?string, limit: ?int",
     "(rev: int, lines: []Blamed, more: bool)",
     "The commit that last changed what is in effect, for each key at a place."},
    {"Audit", verb_audit, RIGHT_AUDIT, "path",
     "path: ?string, uid: ?int, identity: ?string, since: ?int, from: ?int, limit: ?int",
     "(lines: []Audited, more: bool, next: int)",
     "Lines of the audit record, oldest first: of what is at or beneath a place, by one user, as "
     "one identity\n"
     "# (its name), since a time (nanoseconds since 1970); from: a position, 0 or what next said."},
    {"AuditAuditor", verb_audit_auditor, RIGHT_ADMIN, NULL, "identity: string", "()",
     "Names the identity (its public text) that checks the audit record from here on."},
    {"Tag", verb_tag, RIGHT_SET, NULL, "name: string, rev: ?string, " TERMS,
     "(rev: int, committed: bool, repeated: bool, dry_run: bool, made: int, changed: int, removed: "
     "int, same: int, late: bool, lines: []Line, tagged: ?int)",
     "A name for a revision (else for the newest); one that is given already moves."},
    {"Untag", verb_untag, RIGHT_SET, NULL, "name: string, " TERMS, CHANGED, "Takes a name back."},
    {"Tags", verb_tags, RIGHT_AUDIT, NULL, "",
     "(tags: [](name: string, rev: int, said_rev: int, time: ?int, author: ?string, reason: "
     "?string))",
     "What revisions are called, and who said so."},
    {"Purge", verb_purge, RIGHT_ADMIN, "path", "path: string, rev: int, " TERMS,
     "(rev: int, committed: bool, repeated: bool, dry_run: bool, made: int, changed: int, removed: "
     "int, same: int, late: bool, lines: []Line, set: ?int, until: ?int, by: ?int, copies: "
     "[](path: "
     "string, rev: int), hidden: int, scrubbed: ?bool, unscrubbed: ?string)",
     "Destroys the value that a key had as of a revision, which none has now. set: the revision "
     "that had\n"
     "# set it; until: the one that replaced it; by: the one that had destroyed it before; copies: "
     "sets of the\n"
     "# same bytes, which are not touched; hidden: how many more there are where the caller may "
     "not "
     "list;\n"
     "# scrubbed: nothing of it is in the store's file any more (unscrubbed: why it may be)."},
    {"Compact", verb_compact, RIGHT_ADMIN, "path", "path: string, rev: int, " TERMS,
     "(rev: int, committed: bool, repeated: bool, dry_run: bool, made: int, changed: int, removed: "
     "int, same: int, late: bool, lines: []Line, scrubbed: ?bool, unscrubbed: ?string)",
     "Destroys the values of all that was replaced or removed by a revision, but what a tag shows. "
     "The line\n"
     "# says how many they were."},
    {"Diff", verb_diff, RIGHT_READ, "path",
     "path: string, at: ?string, other: ?string, other_at: ?string, after: ?string, limit: ?int",
     "(rev: int, left: (path: string, rev: int), right: (path: string, rev: int), lines: "
     "[]Difference, more: bool, after: string)",
     "What is in effect at two places (other: else the same), each as of a revision (a number or a "
     "tag:\n"
     "# at, other_at; else now), where it differs. after: where the next piece goes on."},
    {"Promote", verb_promote, RIGHT_EDIT, "to", "from: string, to: string, keys: ?[]string, " TERMS,
     "(rev: int, committed: bool, repeated: bool, dry_run: bool, made: int, changed: int, removed: "
     "int, same: int, late: bool, lines: []Line, left: ?[](path: string, why: string))",
     "Defines in a service of another environment (or in all services that two have) what one "
     "defines: all\n"
     "# but secrets, or these keys. left: what stays as it is, why: secret (it is not named), "
     "fixed, "
     "elsewhere\n"
     "# (by the schema), ends (by itself), only-there (the source has it not), inherited (in the "
     "source it "
     "is that of\n"
     "# 'all'), not-placed (a service)."},
    {"Rollback", verb_rollback, RIGHT_EDIT, "path",
     "path: string, to: string, with_secrets: ?bool, " TERMS,
     "(rev: int, committed: bool, repeated: bool, dry_run: bool, made: int, changed: int, removed: "
     "int, same: int, late: bool, lines: []Line, to: ?int, left: ?[](path: string, why: string, "
     "ended: ?int), beneath: ?[](path: string, in: ?string, rev: ?int))",
     "Sets what a key, a service or an environment defined as of a revision (a number or a tag), "
     "and\n"
     "# removes what was not defined then. left: keys that stay as they are, why: secret (without "
     "\n"
     "# with_secrets) or ended (what was there then has come to its end); beneath: keys that show "
     "\n"
     "# otherwise than then because of what is defined beneath (in)."},
    {"Watch", verb_watch, RIGHT_READ, "paths", "paths: []string, from: ?int, op: ?int",
     "(commits: []Change, from: int, op: int, more: bool)",
     "What changed at places from a revision on (else: from now on), a piece of it. from and op "
     "say "
     "where the\n"
     "# next piece begins; the first reply tells at once where this one does. Called with more, it "
     "goes on\n"
     "# with what changes later."},
    {"Grants", verb_grants, RIGHT_SOME, NULL, "path: ?string, who: ?string",
     "(rev: int, grants: []Grant)",
     "Who was granted which rights: at a place, above it and beneath it; or to one principal. Of "
     "places that\n"
     "# the caller may neither audit nor administer only what the caller holds itself."},
    {"IdentityKeys", verb_identity_keys, RIGHT_LIST, NULL, "public: string",
     "(rev: int, name: string, store_id: string, everything: bool, keys: [](path: string, held: "
     "bool, environment: int, service: int, generation: int, public: string, wrapped: ?string))",
     "The newest keys of environments, held or not, and those of services that are, as they are "
     "wrapped\n"
     "# for the identity of that public text, which alone can open them. everything: it may read "
     "every\n"
     "# environment, also those that come later."},
    {"Exposed", verb_exposed, RIGHT_AUDIT, "path", "path: ?string, skip: ?int",
     "(rev: int, secrets: [](path: string, rev: int, who: string, since: int, time: ?int), more: "
     "bool)",
     "Secrets at a place that are what somebody could read who may not any more: each is to be "
     "changed.\n"
     "# rev: the value's; since, time: when reading was taken away; skip: the first so many, which "
     "an "
     "earlier\n"
     "# reply told of."},
    {"SealKey", verb_seal_key, RIGHT_LIST, "path", "path: string",
     "(store: string, environment: int, service: int, generation: int, key: string)",
     "For whom a value is sealed that a service is to have: its newest public key, in hex digits "
     "as "
     "the\n"
     "# store's id is."},
    {"CallerChallenge", verb_caller_challenge, RIGHT_NONE, NULL, "",
     "(store: string, uid: int, challenge: ?string)",
     "What to sign (with the store's id and the caller's user, as the server sees it) to prove "
     "that "
     "one holds\n"
     "# an identity. Good for one answer on this connection; none: there is nothing to prove."},
    {"CallerProve", verb_caller_prove, RIGHT_NONE, NULL, "key: string, signature: string",
     "(identity: ?string)",
     "The answer: a public key (Ed25519) and its signature of the challenge, in hex digits. The "
     "calls that\n"
     "# follow on this connection have the rights of that identity too, changes if they are signed "
     "by it;\n"
     "# identity: its name, where the store knows one."},
    {"StoreId", verb_store_id, RIGHT_SOME, NULL, "", "(id: string)",
     "What tells this store from every other one, in hex digits: part of what an author signs."},
    {"Status", verb_status, RIGHT_LIST, NULL, "", "(rev: int, store: string, pid: int)",
     "The store and the process that serves it (more members than these)."},
    {"Metrics", verb_metrics, RIGHT_LIST, NULL, "", "(text: string)",
     "The numbers of Status in the text format of Prometheus."},
    {"Verify", verb_verify, RIGHT_AUDIT, NULL, "",
     "(checked: (commits: int, operations: int, values: int, derived: int), faults: int, lines: "
     "[]string, rev: int, head: string, pinned: bool)",
     "Checks every record against its hash and everything derived against the log; pins the head."},
    {"Mount", verb_mount, RIGHT_READ, "path",
     "path: ?string, layout: ?string, uid: ?int, gid: ?int, mode: ?int, at: ?string, history: "
     "?bool, cache: "
     "?bool, masked: ?bool, idmap: ?bool, directory: ?string, directory_mode: ?int, file_mode: "
     "?int, max_read: ?int",
     "(mount: int, view: int)",
     "A new view, of everything, an environment or a service: a detached mount behind the "
     "descriptor with\n"
     "# index mount. layout: tree (below its names) or flat (at the root of the mount); uid, gid, "
     "mode: of what\n"
     "# is in it; at: the revision or tag that it is held at until it is moved; history: past "
     "revisions too; masked: secrets cannot be opened; idmap: owners may "
     "be mapped to\n"
     "# those of a user namespace; directory: where the caller will mount it."},
    {"Views", verb_views, RIGHT_SOME, NULL, "path: ?string", "(views: []View)",
     "The views that there are, of what is at or beneath a place: those that the caller may list, "
     "and\n"
     "# who read last of those that it may audit."},
    {"ViewMove", verb_view_move, RIGHT_SOME, NULL, "view: string, to: string, dry_run: ?bool",
     "(view: int, path: string, from: ?int, to: ?int, late: bool)",
     "Holds a view, by its number or where it stands, at a revision or a tag, or has it follow the "
     "newest\n"
     "# again ('live': from and to are null then), for who made it and may read what it shows, or\n"
     "# administers that; late: who reads in it was not told in time, and is as soon as that can "
     "be."},
    {"VolumeCreate", verb_volume_create, RIGHT_ADMIN, NULL, "name: string, options: VolumeOptions",
     "(volume: Volume)",
     "A view that stands in a folder of the daemon's own under a name, from now until it is "
     "removed. The\n"
     "# same name with equal options is fine, with others refused."},
    {"VolumeGet", verb_volume_get, RIGHT_ADMIN, NULL, "name: string", "(volume: Volume)",
     "A volume by its name."},
    {"VolumeList", verb_volume_list, RIGHT_ADMIN, NULL, "", "(volumes: []Volume)", "All volumes."},
    {"VolumeRemove", verb_volume_remove, RIGHT_ADMIN, NULL, "name: string", "()",
     "Forgets a volume's name; who still has it mounted keeps that."},
    {"VolumeMount", verb_volume_mount, RIGHT_ADMIN, NULL, "name: string, id: ?string",
     "(mountpoint: string)",
     "Where a volume stands; it stands there again, if somebody took it away."},
    {"VolumeUnmount", verb_volume_unmount, RIGHT_ADMIN, NULL, "name: string, id: ?string", "()",
     "Somebody uses a volume no more; it stands until it is removed."},
    {"VolumePath", verb_volume_path, RIGHT_ADMIN, NULL, "name: string", "(mountpoint: string)",
     "The same as VolumeMount, for who does not use it yet."},
    {"UnlockIdentity", verb_unlock_identity, RIGHT_ADMIN, NULL, "size: int, values: ?int",
     "(was_open: bool)",
     "Opens the identity of the daemon with its passphrase, size bytes through the descriptor with "
     "index values."},
    {"Upgrade", verb_upgrade, RIGHT_ADMIN, NULL, "", "()",
     "Begins to replace the daemon's binary by the one that lies at its path now; Status counts "
     "how "
     "that ends."},
    {"TakeOver", verb_take_over, RIGHT_ADMIN, NULL, "channel: int", "()",
     "For emsad alone, when its supervisor has died: the next one has what the server keeps, over "
     "the socket\n"
     "# behind the descriptor with index channel."},
    {"Stop", verb_stop, RIGHT_ADMIN, NULL, "", "()", "Ends the daemon, cleanly."},
};
const size_t verb_count = sizeof verbs / sizeof verbs[0];
