#include "store/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/history.h"
#include "store/log/history.h"
#include "store/log/state.h"
#include "store/log/state_relation.h"
#include "store/model/as_of.h"
#include "store/model/core.h"
#include "store/model/inforce.h"
#include "store/model/resolve.h"
#include "store/model/value.h"

struct outcomes { /* a chunk of those of a commit, as it was read last */
    uint64_t rev; /* 0: none */
    uint32_t chunk;
    size_t count;
    struct outcome list[OUTCOMES_A_CHUNK];
};

struct snapshot {
    struct store *store;
    struct txn *txn;
    uint64_t revision;
    uint64_t as_of;  /* what places are asked of; 0: the newest */
    uint64_t stamp;  /* that the revision is of */
    uint64_t alarms; /* of the environment, at snapshot_begin */
    struct outcomes outcomes;
};

int snapshot_new(struct snapshot **out, struct store *store)
{
    struct snapshot *snapshot = calloc(1, sizeof *snapshot);
    if (!snapshot)
        return error_set(ERR_NOMEM, "no memory for a snapshot");
    snapshot->store = store;
    const int error = txn_reader_new(&snapshot->txn, store->env);
    if (error) {
        free(snapshot);
        return error;
    }
    *out = snapshot;
    return 0;
}

void snapshot_free(struct snapshot *snapshot)
{
    if (!snapshot)
        return;
    txn_free(snapshot->txn);
    free(snapshot);
}

/* Every answer goes through here, so that no damage is met in silence. */
static int answer(struct snapshot *snapshot, int result)
{
    return result >= 0 ? result : store_damage(snapshot->store, snapshot->alarms, result);
}

int snapshot_answer(struct snapshot *snapshot, int result)
{
    return answer(snapshot, result);
}

struct txn *snapshot_txn(struct snapshot *snapshot)
{
    return snapshot->txn;
}

int snapshot_begin(struct snapshot *snapshot)
{
    struct head head;
    snapshot->alarms = env_alarms(snapshot->store->env);
    int error = txn_renew(snapshot->txn);
    if (error)
        return answer(snapshot, error);
    const uint64_t stamp = txn_stamp(snapshot->txn);
    if (stamp && stamp == snapshot->stamp)
        return 0;
    error = state_head(snapshot->txn, &head);
    if (error) {
        txn_reset(snapshot->txn);
        return answer(snapshot, error);
    }
    snapshot->revision = head.rev;
    snapshot->stamp = stamp;
    return 0;
}

void snapshot_end(struct snapshot *snapshot)
{
    txn_reset(snapshot->txn);
}

uint64_t snapshot_stamp(const struct snapshot *snapshot)
{
    return snapshot->stamp;
}

uint64_t snapshot_newest(const struct snapshot *snapshot)
{
    return env_stamp(snapshot->store->env);
}

uint64_t snapshot_revision(const struct snapshot *snapshot)
{
    return snapshot->revision;
}

void snapshot_stand(struct snapshot *snapshot, uint64_t rev)
{
    snapshot->as_of = rev;
}

uint64_t snapshot_shown(const struct snapshot *snapshot)
{
    return snapshot->as_of && snapshot->as_of < snapshot->revision ? snapshot->as_of
                                                                   : snapshot->revision;
}

uint64_t snapshot_as_of(const struct snapshot *snapshot)
{
    return snapshot->as_of;
}

struct store *snapshot_store(const struct snapshot *snapshot)
{
    return snapshot->store;
}

int snapshot_environment(struct snapshot *snapshot, struct environment *out, const char *name)
{
    struct environment_state state;
    if (snapshot->as_of)
        return as_of_environment(snapshot, out, name, snapshot->as_of);
    const int found = state_environment(snapshot->txn, &state, name);
    if (found)
        return answer(snapshot, found);
    if (!state.alive)
        return NOT_THERE;
    *out = state.is;
    return 0;
}

int snapshot_environment_by_id(struct snapshot *snapshot, struct environment *out, uint32_t id)
{
    char name[ENVIRONMENT_NAME_MAX + 1];
    struct environment environment;
    uint32_t before;
    if (snapshot->as_of)
        return as_of_environment_by_id(snapshot, out, id, snapshot->as_of);
    int found = state_environment_name(snapshot->txn, name, &before, id);
    if (found)
        return answer(snapshot, found);
    found = snapshot_environment(snapshot, &environment, name);
    if (found)
        return found;
    if (environment.id != id)
        return NOT_THERE;
    *out = environment;
    return 0;
}

int snapshot_next_environment(struct snapshot *snapshot, struct environment *out, const char *after)
{
    struct environment_state state = {0};
    if (snapshot->as_of)
        return as_of_next_environment(snapshot, out, after, snapshot->as_of);
    do {
        const int found = state_next_environment(snapshot->txn, &state, after);
        if (found)
            return answer(snapshot, found);
        after = state.is.name;
    } while (!state.alive);
    *out = state.is;
    return 0;
}

int snapshot_service(struct snapshot *snapshot, struct service *out, uint32_t environment,
                     const char *name)
{
    struct place_state state;
    if (snapshot->as_of)
        return as_of_service(snapshot, out, environment, name, snapshot->as_of);
    const int found = state_place(snapshot->txn, &state, environment, name);
    if (found)
        return answer(snapshot, found);
    if (!state.alive)
        return NOT_THERE;
    *out = state.is;
    return 0;
}

int snapshot_service_by_id(struct snapshot *snapshot, struct service *out, uint32_t environment,
                           uint32_t id, uint32_t incarnation)
{
    char name[SERVICE_NAME_MAX + 1];
    struct service service;
    if (snapshot->as_of)
        return as_of_service_by_id(snapshot, out, environment, id, incarnation, snapshot->as_of);
    int found = state_service_name(snapshot->txn, name, id);
    if (found)
        return answer(snapshot, found);
    found = snapshot_service(snapshot, &service, environment, name);
    if (found)
        return found;
    if (service.id != id)
        return answer(snapshot, error_set(ERR_CORRUPT, "service '%s' has two ids", name));
    if (incarnation != SERVICE_ANY && incarnation != service.incarnation)
        return NOT_THERE;
    *out = service;
    return 0;
}

int snapshot_next_service(struct snapshot *snapshot, struct service *out, uint32_t environment,
                          const char *after)
{
    struct place_state state = {0};
    if (snapshot->as_of)
        return as_of_next_service(snapshot, out, environment, after, snapshot->as_of);
    do {
        const int found = state_next_place(snapshot->txn, &state, environment, after);
        if (found)
            return answer(snapshot, found);
        after = state.is.name;
    } while (!state.alive);
    *out = state.is;
    return 0;
}

/* --- entries --- */

/* As it is now, or was at a revision. A revision that is the newest is the same as now, and found
 * with fewer look-ups. */
static void begin_resolver(struct snapshot *snapshot, struct resolver *resolver,
                           uint32_t environment, uint64_t rev)
{
    resolver_begin(resolver, snapshot->store, snapshot->txn, environment,
                   rev >= snapshot->revision ? UINT64_MAX : rev);
}

/* What can't be resolved shows nothing. Changes that would leave such a thing are refused; only
 * what ends by itself can. */
#define FAULT_SHOWS NOT_THERE

/* An own value needs no look at any other place. */
static bool is_plain_own(const struct spot *spot)
{
    return spot->kind == ENTRY_PLAIN;
}

static void fill_plain(struct entry *out, const struct spot *spot)
{
    out->environment = spot->environment;
    out->service = spot->service;
    out->name_id = spot->name_id;
    memcpy(out->key, spot->key, strlen(spot->key) + 1);
    out->kind = ENTRY_PLAIN;
    out->origin = ORIGIN_OWN;
    out->rev = spot->rev;
    out->time = spot->time;
    out->first_rev = spot->first_rev;
    out->first_time = spot->first_time;
    out->expires = spot->expires;
    out->stored_size = spot->stored_size;
    out->defined = out->value = spot_definition(spot);
}

/* What a spot that is in effect now comes to. */
static int show(struct snapshot *snapshot, struct entry *out, const struct spot *spot)
{
    struct resolver resolver;
    if (is_plain_own(spot)) {
        fill_plain(out, spot);
    } else {
        begin_resolver(snapshot, &resolver, spot->environment, UINT64_MAX);
        const int found = resolve(&resolver, out, spot);
        if (found)
            return found > 0 ? FAULT_SHOWS : found;
    }
    out->as_of = snapshot->revision;
    return 0;
}

static int entry_of(struct snapshot *snapshot, struct entry *out, const struct spot *spot)
{
    struct entry entry;
    const int error = show(snapshot, &entry, spot);
    if (!error)
        *out = entry;
    return error;
}

int snapshot_entry(struct snapshot *snapshot, struct entry *out, uint32_t environment,
                   uint32_t service, const char *key)
{
    struct spot spot;
    if (snapshot->as_of)
        return history_entry(snapshot, out, environment, service, key, snapshot->as_of);
    int found = state_current(snapshot->txn, &spot, environment, service, key);
    if (!found)
        found = entry_of(snapshot, out, &spot);
    return answer(snapshot, found);
}

int snapshot_entry_by_name(struct snapshot *snapshot, struct entry *out, uint32_t environment,
                           uint64_t name_id)
{
    char key[KEY_NAME_MAX + 1];
    struct spot spot;
    uint32_t service;
    if (snapshot->as_of)
        return snapshot_entry_at(snapshot, out, environment, name_id, snapshot->as_of);
    int found = state_name(snapshot->txn, &service, key, name_id);
    if (!found)
        found = state_current(snapshot->txn, &spot, environment, service, key);
    if (found)
        return answer(snapshot, found);
    if (spot.name_id != name_id)
        return answer(snapshot, error_set(ERR_CORRUPT, "the record of '%s' is another key's", key));
    return answer(snapshot, entry_of(snapshot, out, &spot));
}

int snapshot_next_now(struct snapshot *snapshot, struct entry *out, uint32_t environment,
                      uint32_t service, const char *after)
{
    struct spot spot;
    int found;
    while (!(found = state_next_current(snapshot->txn, &spot, environment, service, after))) {
        found = entry_of(snapshot, out, &spot);
        if (found != FAULT_SHOWS)
            break;
        after = spot.key;
    }
    return answer(snapshot, found);
}

int snapshot_next_entry(struct snapshot *snapshot, struct entry *out, uint32_t environment,
                        uint32_t service, const char *after)
{
    return snapshot->as_of
               ? history_next_entry(snapshot, out, environment, service, after, snapshot->as_of)
               : snapshot_next_now(snapshot, out, environment, service, after);
}

int snapshot_entry_at(struct snapshot *snapshot, struct entry *out, uint32_t environment,
                      uint64_t name_id, uint64_t rev)
{
    struct resolver resolver;
    struct entry entry;
    struct spot spot;
    int found = resolve_moment(snapshot->txn, &spot, environment, name_id, rev);
    if (!found && spot.kind == SPOT_NONE)
        found = NOT_THERE;
    if (found)
        return answer(snapshot, found);
    found = state_name(snapshot->txn, &spot.service, spot.key, name_id);
    if (found > 0)
        found = error_set(ERR_CORRUPT, "name %llu has history and no name",
                          (unsigned long long)name_id);
    if (found)
        return answer(snapshot, found);
    if (is_plain_own(&spot)) {
        fill_plain(&entry, &spot);
    } else {
        begin_resolver(snapshot, &resolver, environment, rev);
        found = resolve(&resolver, &entry, &spot);
        if (found)
            return answer(snapshot, found > 0 ? FAULT_SHOWS : found);
    }
    entry.as_of = rev < snapshot->revision ? rev : snapshot->revision;
    *out = entry;
    return 0;
}

/* Commits in a row that made a key and removed it again, which are looked past. */
#define IN_VAIN_MAX 16

int snapshot_entry_last(struct snapshot *snapshot, struct entry *out, uint32_t environment,
                        uint64_t name_id)
{
    uint64_t rev = snapshot->as_of ? snapshot->as_of : UINT64_MAX;
    struct spot spot;
    for (unsigned i = 0; i < IN_VAIN_MAX && rev; i++) {
        int found = state_moment(snapshot->txn, &spot, environment, name_id, rev);
        if (found)
            return answer(snapshot, found);
        if (spot.kind != SPOT_NONE)
            return snapshot_entry_at(snapshot, out, environment, name_id, rev);
        rev = spot.since - 1;
    }
    return NOT_THERE;
}

int snapshot_definition(struct snapshot *snapshot, struct entry *out, uint32_t environment,
                        uint32_t service, const char *key)
{
    struct spot spot;
    const int found = state_current(snapshot->txn, &spot, environment, service, key);
    if (found || !spot_is_own(&spot))
        return answer(snapshot, found ? found : NOT_THERE);
    fill_plain(out, &spot);
    out->kind = out->defined.kind = out->value.kind = (enum entry_kind)spot.kind;
    out->as_of = snapshot->revision;
    return 0;
}

static int load_schema(struct snapshot *snapshot, struct schema *out, struct schema_place *place,
                       const struct state_schema *found)
{
    const int error = inforce_load(snapshot->txn, out, found, NULL, 0);
    if (!error && place)
        *place = (struct schema_place){.layer = found->layer, .rev = found->rev, .op = found->op};
    return error;
}

int snapshot_schema(struct snapshot *snapshot, struct schema *out, struct schema_place *place,
                    uint32_t environment, uint32_t service)
{
    struct state_schema schema;
    struct resolver resolver;
    begin_resolver(snapshot, &resolver, environment, UINT64_MAX);
    int found = inforce_find(&resolver, &schema, service);
    if (!found)
        found = load_schema(snapshot, out, place, &schema);
    return answer(snapshot, found);
}

int snapshot_schema_of(struct snapshot *snapshot, struct schema *out, struct schema_place *place,
                       uint32_t layer, uint32_t service)
{
    struct state_schema schema = {.layer = layer, .service = service};
    int found = state_schema(snapshot->txn, &schema);
    if (!found)
        found = load_schema(snapshot, out, place, &schema);
    return answer(snapshot, found);
}

int snapshot_text(struct snapshot *snapshot, const unsigned char **data, size_t *size,
                  const struct definition *definition, struct secret *scratch)
{
    return answer(snapshot,
                  value_bytes(snapshot->store, snapshot->txn, data, size, definition, scratch));
}

bool entry_is_composed(const struct entry *entry)
{
    return entry->value.kind == ENTRY_TEMPLATE && entry->kind != ENTRY_TEMPLATE;
}

int snapshot_name(struct snapshot *snapshot, uint32_t *service, char key[static KEY_NAME_MAX + 1],
                  uint64_t name_id)
{
    return answer(snapshot, state_name(snapshot->txn, service, key, name_id));
}

int snapshot_service_name(struct snapshot *snapshot, char name[static SERVICE_NAME_MAX + 1],
                          uint32_t service)
{
    return answer(snapshot, state_service_name(snapshot->txn, name, service));
}

int snapshot_environment_name(struct snapshot *snapshot, char name[static ENVIRONMENT_NAME_MAX + 1],
                              uint32_t environment)
{
    uint32_t before;
    return answer(snapshot, state_environment_name(snapshot->txn, name, &before, environment));
}

/* Beside 0 and failures. */
static int composed(struct snapshot *snapshot, const struct entry *entry, int result)
{
    if (result > 0) /* it was resolved before */
        result =
            error_set(ERR_CORRUPT, "what '%s' is made of is not there (emsa verify)", entry->key);
    return answer(snapshot, result);
}

int snapshot_size(struct snapshot *snapshot, size_t *size, const struct entry *entry)
{
    struct resolver resolver;
    if (!entry_is_composed(entry))
        return answer(snapshot, value_size(snapshot->store, snapshot->txn, size, &entry->value));
    begin_resolver(snapshot, &resolver, entry->environment, entry->as_of);
    return composed(snapshot, entry, resolve_size(&resolver, size, entry));
}

int snapshot_value(struct snapshot *snapshot, const unsigned char **data, size_t *size,
                   const struct entry *entry, struct secret *scratch)
{
    struct resolver resolver;
    if (!entry_is_composed(entry))
        return snapshot_text(snapshot, data, size, &entry->value, scratch);
    begin_resolver(snapshot, &resolver, entry->environment, entry->as_of);
    return composed(snapshot, entry, resolve_bytes(&resolver, data, size, entry, scratch));
}

int snapshot_sealed(struct snapshot *snapshot, const unsigned char **data, size_t *size,
                    const struct entry *entry)
{
    return answer(snapshot, value_sealed(snapshot->txn, data, size, &entry->value));
}

int snapshot_reopen(struct snapshot *snapshot, const struct entry *entry,
                    const unsigned char *sealed, size_t sealed_size, struct secret *scratch)
{
    return answer(snapshot,
                  value_reopen(snapshot->store, scratch, &entry->value, sealed, sealed_size));
}

int history_commit(struct snapshot *snapshot, struct commit_info *out, uint64_t rev)
{
    return answer(snapshot, past_commit(snapshot->txn, out, rev));
}

int history_operation(struct snapshot *snapshot, struct operation_info *out, uint64_t rev,
                      uint32_t op)
{
    return answer(snapshot, past_operation(snapshot->txn, out, rev, op));
}

int history_touched(struct snapshot *snapshot, uint64_t *found, const struct path *path,
                    uint64_t rev)
{
    return answer(snapshot, past_touched(snapshot->txn, found, path, rev));
}

int history_outcome(struct snapshot *snapshot, struct outcome *out, uint64_t rev, uint32_t index)
{
    struct outcomes *kept = &snapshot->outcomes;
    const uint32_t chunk = index / OUTCOMES_A_CHUNK, place = index % OUTCOMES_A_CHUNK;
    if (kept->rev != rev || kept->chunk != chunk) {
        /* A commit's outcomes never change: what was read once is good in any later snapshot. */
        kept->rev = 0;
        const int found = state_outcomes(snapshot->txn, kept->list, &kept->count, rev, chunk);
        if (found)
            return answer(snapshot, found);
        kept->rev = rev;
        kept->chunk = chunk;
    }
    if (place >= kept->count)
        return NOT_THERE;
    *out = kept->list[place];
    return 0;
}

int history_outcome_path(struct snapshot *snapshot, struct path *out, const struct outcome *outcome)
{
    struct path path = {0};
    uint32_t before, service;
    int found =
        state_environment_name(snapshot->txn, path.environment, &before, outcome->environment);
    if (!found && outcome->service)
        found = state_service_name(snapshot->txn, path.service, outcome->service);
    if (!found && outcome->name_id)
        found = state_name(snapshot->txn, &service, path.key, outcome->name_id);
    if (found > 0)
        found = error_set(ERR_CORRUPT, "an outcome names a place that never was");
    if (!found)
        *out = path;
    return answer(snapshot, found);
}
