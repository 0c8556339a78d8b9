/* The interface description, made from the verb table and the table of failures. */
#include <pthread.h>
#include <string.h>

#include "store/bytes.h"
#include "tools/service/failure.h"
#include "tools/service/service.h"
#include "tools/service/verb.h"

#define DESCRIPTION_MAX (64u * 1024u)

static struct bytes description;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static const char types[] =
    "# Values never travel inside these objects, but as bytes through descriptors beside them. Of "
    "a change,\n"
    "# late: a view has not come back yet, and is told as soon as it does; of a list, more: there "
    "are others\n"
    "# after the last one.\n"
    "interface " SERVICE_INTERFACE "\n\n"
    "# kind: plain, secret, template, sealed (value: a small text, of all but secret; otherwise "
    "size bytes\n"
    "# of the stream; sealed: a text that 'emsa seal' made, of a secret), link\n"
    "# (value: SERVICE/KEY), remove, copy and move (from), service, environment (base, protected), "
    "share\n"
    "# and unshare (with: a service, * for all), lock, unlock, schema (schema), unschema, grant "
    "and "
    "revoke\n"
    "# (who: user:NAME or group:NAME; rights: list, read, set, share, audit, admin; of revoke "
    "none: all);\n"
    "# ttl: seconds\n"
    "# after which what is set is removed; keys and sizes, of plain, secret and template: many "
    "keys "
    "of the\n"
    "# service at path, whose values follow each other in the stream.\n"
    "type Operation (path: string, kind: string, size: ?int, value: ?string, ttl: ?int, from: "
    "?string,\n"
    "  with: ?string, base: ?string, protected: ?bool, signed: ?bool, schema: ?Schema, keys: "
    "?[]string, sizes: "
    "?[]int,\n"
    "  who: ?string, rights: ?[]string, key: ?string)\n\n"
    "# As emsa-schema(5) has it; keys: by name.\n"
    "type Schema (service: string, strict: ?bool, description: ?string, keys: object)\n\n"
    "# severity: error, warning, note; verdict: a word of emsa(1)'s table; rev: of what it is "
    "about.\n"
    "type Finding (path: string, severity: string, verdict: string, text: string, rev: ?int)\n\n"
    "# A service that was looked at, and by which schema.\n"
    "type Checked (path: string, keys: int, schema: ?string, schema_rev: ?int, against: "
    "?bool)\n\n"
    "# mark: + made, ~ changed, - removed, = as it was; note: of what is about a name and no "
    "value;\n"
    "# keys: those of the service at path of which all of it holds, where grouped was asked for.\n"
    "type Line (path: string, mark: string, secret: bool, was_rev: ?int, expires: ?int, note: "
    "?string,\n"
    "  keys: ?[]string)\n\n"
    "# kind: environment, service, plain, secret, or in 'all' link or template; origin, of a key: "
    "own,\n"
    "# base or all; via: link or template, where its value comes by one; base and protected: of "
    "an\n"
    "# environment; times: nanoseconds since 1970.\n"
    "type Item (name: string, path: string, kind: string, size: ?int, rev: int, time: int,\n"
    "  expires: ?int, origin: ?string, via: ?string, base: ?string, protected: ?bool, signed: "
    "?bool)\n\n"
    "# A service: its keys, side by side in names, kinds (a letter each: p plain, s secret, l "
    "link, "
    "t\n"
    "# template) and sizes; size: of all of them; shares: services that each may be used by; "
    "schema:\n"
    "# the one that is said there.\n"
    "type Defined (path: string, kind: string, size: int, names: []string, kinds: string, sizes: "
    "[]int,\n"
    "  expires: ?[string]int, shares: ?[string][]string, schema: ?Schema)\n\n"
    "# depth: of who refers to it, and one more; filter: that its value goes through there; kind "
    "and rev:\n"
    "# of the definition at defined; secret: its value is one.\n"
    "type Audited (n: int, time: string, event: string, door: ?string, method: ?string, uid: ?int, "
    "pid: ?int,\n"
    "  program: ?string, cgroup: ?string, container: ?string, view: ?int, path: ?string, rev: "
    "?int, "
    "count: ?int,\n"
    "  since: ?string, identity: ?string, auditor: ?string, hash: ?string)\n\n"
    "type Step (depth: int, path: string, filter: ?string, missing: ?bool, kind: ?string, secret: "
    "?bool,\n"
    "  origin: ?string, defined: ?string, rev: ?int, time: ?int, author: ?string, reason: "
    "?string,\n"
    "  size: ?int, value: ?string, text: ?string, share: ?(with: string, shared: bool, rev: ?int, "
    "path:\n"
    "  ?string, time: ?int, author: ?string, reason: ?string))\n\n"
    "type Beneath (path: string, kind: string, rev: int, size: ?int, value: ?string, text: "
    "?string)\n\n"
    "type Elsewhere (environment: string, path: string, missing: bool, kind: ?string, origin: "
    "?string,\n"
    "  rev: ?int, value: ?string)\n\n"
    "type Lock (path: string, rev: int, time: ?int, author: ?string, reason: ?string)\n\n"
    "type Share (with: string, path: string, rev: int, time: ?int, author: ?string, reason: "
    "?string)\n\n"
    "# through: the path of the user by which it is one.\n"
    "type Referrer (path: string, environment: string, kind: string, origin: string, secret: "
    "bool,\n"
    "  rev: int, through: ?string)\n\n"
    "# mark: + in the right one only, - in the left one only, ~ another value, ? a secret in both "
    "that no\n"
    "# key at hand opens; left and right: what is there, of a key.\n"
    "type Difference (mark: string, path: string, left: ?Side, right: ?Side)\n\n"
    "type Side (kind: string, origin: string, rev: int, size: ?int, value: ?string)\n\n"
    "type Commit (rev: int, time: int, author: string, signed: bool, signer: ?Signer, reason: "
    "string,\n"
    "  operations: int, hash: string, parent: string, tags: ?[]string)\n\n"
    "# known: the key is that of an identity which the store knew before.\n"
    "type Signer (key: string, known: bool)\n\n"
    "# key: Ed25519; hash and signature: see store/FORMAT.md, \"Request\"; seeded: the stream of "
    "values begins\n"
    "# with the 32 bytes of the seed.\n"
    "type Signature (key: string, hash: string, signature: string, seeded: ?bool)\n\n"
    "# defined: where its definition stands, where that is elsewhere; from: what that is a copy "
    "of.\n"
    "type Blamed (path: string, kind: string, origin: string, rev: int, time: ?int, author: "
    "?string, reason: "
    "?string,\n"
    "  defined: ?string, from: ?Source)\n\n"
    "type Source (path: string, rev: int)\n\n"
    "# mark: + made, ~ changed, - removed.\n"
    "type Change (rev: int, time: int, author: string, signed: bool, signer: ?Signer, reason: "
    "string,\n"
    "  changes: [](mark: string, path: string, secret: bool))\n\n"
    "# enforced: by the server; known: the host has a user or group of that name.\n"
    "type Grant (path: string, who: string, rights: []string, rev: int, time: ?int, author: "
    "?string, reason: "
    "?string,\n"
    "  enforced: string, known: bool)\n\n"
    "# rev: what its kernel was told of; pin: the revision that it is held at; read: who had a "
    "value from it last, and of which revision "
    "(uid "
    "and pid\n"
    "# are hints: -1 in a mapped mount); directory: where it is mounted, as far as that is known; "
    "volume: its name, of one that is "
    "one; uid,\n"
    "# gid and modes: of what is in it; made: nanoseconds since 1970, maker: by whom, for who may "
    "audit.\n"
    "type View (id: int, path: string, layout: string, uid: int, gid: int, directory_mode: int, "
    "file_mode:\n"
    "  int, cache: bool, masked: bool, history: bool, idmap: bool, made: int, maker: ?int, rev: "
    "int, read: "
    "?(time: "
    "int,\n"
    "  rev: int, uid: int, pid: int), directory: "
    "?string,\n"
    "  volume: ?string, pin: ?int)\n\n"
    "# As Mount takes them.\n"
    "type VolumeOptions (path: string, layout: ?string, uid: ?int, gid: ?int, mode: ?int, at: "
    "?string, history: "
    "?bool,\n"
    "  cache: ?bool, masked: ?bool, idmap: ?bool)\n\n"
    "# mountpoint: an absolute path, valid as long as the daemon runs; created: nanoseconds since "
    "1970.\n"
    "type Volume (name: string, mountpoint: string, created: int, options: VolumeOptions)\n\n"
    "type Done (op: int, kind: string, path: string, secret: bool, first: bool, size: ?int, value: "
    "?string,\n"
    "  expires: ?int, with: ?string, same: ?bool, allowed_equal: ?bool, override: ?bool, from: "
    "?Source, tag: "
    "?string,\n"
    "  tagged: ?int, rights: ?[]string)"
    "\n\n";

static void describe_method(const struct verb *verb)
{
    bytes_append_format(&description, "# %s\nmethod %s(%s) -> %s\n\n", verb->about, verb->name,
                        verb->takes, verb->gives);
}

static void describe(void)
{
    description = BYTES_INIT(DESCRIPTION_MAX);
    bytes_append_text(&description, types);
    for (size_t i = 0; i < verb_count; i++)
        describe_method(&verbs[i]);
    const char *name;
    for (unsigned i = 0; (name = failure_listed(i)) != NULL; i++)
        bytes_append_format(&description, "error %s (message: string, reasons: []string)\n",
                            name + strlen(SERVICE_INTERFACE) + 1);
    bytes_append(&description, "", 1);
}

const char *service_description(void)
{
    pthread_once(&once, describe);
    return description.error == 0 && description.data != NULL ? (const char *)description.data : "";
}
