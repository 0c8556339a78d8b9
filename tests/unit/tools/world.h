/* A store of a test's own with the dispatcher over it, and calls written as JSON with single
 * quotes. */
#ifndef EMSA_TESTS_UNIT_TOOLS_WORLD_H
#define EMSA_TESTS_UNIT_TOOLS_WORLD_H

#include "store/store.h"
#include "tools/service/service.h"

struct world {
    char folder[64];
    char path[96];
    struct store *store;
    struct dispatcher *dispatcher;
    uint64_t published;
};

/* For cmocka: *state is the world. */
int world_begin(void **state);
int world_end(void **state);

/* A JSON text, in which ' stands for " and %s are texts. Owned by the caller. */
json_t *world_json(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Calls io.emsa.METHOD as that user, with these bytes (or none) as the stream; parameters are taken
 * over. call_release afterwards. */
void world_ask(struct world *world, struct call *call, uid_t uid, const char *method,
               json_t *parameters, const char *stream);

/* The same as root, and it must succeed. The reply is the caller's. */
json_t *world_reply(struct world *world, const char *method, json_t *parameters);

/* A Set of these operations (a list, as in world_json), which must succeed; the revision. */
uint64_t world_set(struct world *world, const char *operations, const char *stream);

/* The same as world_reply, for who wants to know no more of it: members (as world_member, or
 * "lines.*.path" as world_members of "lines") and what they are, and NULL. */
void world_tells(struct world *world, const char *method, json_t *parameters, ...)
    __attribute__((sentinel));

/* Fails with that error ("Refused"), whose message or reasons have these words; nothing is changed.
 */
void world_fails(struct world *world, const char *method, json_t *parameters, const char *error,
                 const char *words);

/* A member, followed down: "steps.0.path"; "" where it is none. Numbers as texts, true and false as
 * those. Valid until the next call. */
const char *world_member(json_t *object, const char *names);

/* "a b c": that member of each of the list's objects. Valid until the next call. */
const char *world_members(json_t *list, const char *name);

#endif
