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
    "# kind: plain, secret, template (value: a small text; otherwise size bytes of the stream), "
    "link\n"
    "# (value: SERVICE/KEY), remove, copy and move (from), service, environment (base, protected), "
    "share\n"
    "# and unshare (with: a service, * for all), lock, unlock; ttl: seconds after which what is "
    "set\n"
    "# is removed.\n"
    "type Operation (path: string, kind: string, size: ?int, value: ?string, ttl: ?int, from: "
    "?string,\n"
    "  with: ?string, base: ?string, protected: ?bool)\n\n"
    "# mark: + made, ~ changed, - removed, = as it was; note: of what is about a name and no "
    "value.\n"
    "type Line (path: string, mark: string, secret: bool, was_rev: ?int, expires: ?int, note: "
    "?string)\n\n"
    "# kind: environment, service, plain, secret, or in 'all' link or template; origin, of a key: "
    "own,\n"
    "# base or all; via: link or template, where its value comes by one; base and protected: of "
    "an\n"
    "# environment; times: nanoseconds since 1970.\n"
    "type Item (name: string, path: string, kind: string, size: ?int, rev: int, time: int,\n"
    "  expires: ?int, origin: ?string, via: ?string, base: ?string, protected: ?bool)\n\n"
    "# depth: of who refers to it, and one more; filter: that its value goes through there; kind "
    "and rev:\n"
    "# of the definition at defined; secret: its value is one.\n"
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
    "type Commit (rev: int, time: int, author: string, signed: bool, reason: string, operations: "
    "int,\n"
    "  hash: string, parent: string)\n\n"
    "# mark: + made, ~ changed, - removed.\n"
    "type Change (rev: int, time: int, author: string, signed: bool, reason: string,\n"
    "  changes: [](mark: string, path: string, secret: bool))\n\n"
    "type Done (op: int, kind: string, path: string, secret: bool, first: bool, size: ?int, value: "
    "?string,\n"
    "  expires: ?int, with: ?string, same: ?bool, allowed_equal: ?bool)"
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
