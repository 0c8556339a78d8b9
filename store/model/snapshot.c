#include "store/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/history.h"
#include "store/log/history.h"
#include "store/log/state.h"
#include "store/model/core.h"
#include "store/model/value.h"

struct snapshot {
    struct store *store;
    struct txn *txn;
    uint64_t revision;
    uint64_t stamp;  /* that the revision is of */
    uint64_t alarms; /* of the environment, at snapshot_begin */
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

struct store *snapshot_store(const struct snapshot *snapshot)
{
    return snapshot->store;
}

int snapshot_environment(struct snapshot *snapshot, struct environment *out, const char *name)
{
    struct environment_state state;
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
    do {
        const int found = state_next_place(snapshot->txn, &state, environment, after);
        if (found)
            return answer(snapshot, found);
        after = state.is.name;
    } while (!state.alive);
    *out = state.is;
    return 0;
}

int snapshot_entry(struct snapshot *snapshot, struct entry *out, uint32_t environment,
                   uint32_t service, const char *key)
{
    return answer(snapshot, state_current(snapshot->txn, out, environment, service, key));
}

int snapshot_entry_by_name(struct snapshot *snapshot, struct entry *out, uint32_t environment,
                           uint64_t name_id)
{
    char key[KEY_NAME_MAX + 1];
    struct entry entry;
    uint32_t service;
    int found = state_name(snapshot->txn, &service, key, name_id);
    if (!found)
        found = state_current(snapshot->txn, &entry, environment, service, key);
    if (found)
        return answer(snapshot, found);
    if (entry.name_id != name_id)
        return answer(snapshot, error_set(ERR_CORRUPT, "the record of '%s' is another key's", key));
    *out = entry;
    return 0;
}

int snapshot_next_entry(struct snapshot *snapshot, struct entry *out, uint32_t environment,
                        uint32_t service, const char *after)
{
    return answer(snapshot, state_next_current(snapshot->txn, out, environment, service, after));
}

int snapshot_entry_at(struct snapshot *snapshot, struct entry *out, uint32_t environment,
                      uint64_t name_id, uint64_t rev)
{
    struct moment moment;
    int found = state_moment(snapshot->txn, &moment, environment, name_id, rev);
    if (found)
        return answer(snapshot, found);
    if (moment.removed)
        return NOT_THERE;
    found = state_name(snapshot->txn, &moment.entry.service, moment.entry.key, name_id);
    if (found > 0)
        found = error_set(ERR_CORRUPT, "name %llu has history and no name",
                          (unsigned long long)name_id);
    if (found)
        return answer(snapshot, found);
    *out = moment.entry;
    return 0;
}

/* Commits in a row that made a key and removed it again, which are looked past. */
#define IN_VAIN_MAX 16

int snapshot_entry_last(struct snapshot *snapshot, struct entry *out, uint32_t environment,
                        uint64_t name_id)
{
    uint64_t rev = UINT64_MAX;
    struct moment moment;
    for (unsigned i = 0; i < IN_VAIN_MAX; i++) {
        int found = state_moment(snapshot->txn, &moment, environment, name_id, rev);
        if (found)
            return answer(snapshot, found);
        if (!moment.removed)
            return snapshot_entry_at(snapshot, out, environment, name_id, rev);
        rev = moment.entry.rev - 1;
    }
    return NOT_THERE;
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

int snapshot_size(struct snapshot *snapshot, size_t *size, const struct entry *entry)
{
    return answer(snapshot, value_size(snapshot->store, snapshot->txn, size, entry));
}

int snapshot_value(struct snapshot *snapshot, const unsigned char **data, size_t *size,
                   const struct entry *entry, struct secret *scratch)
{
    return answer(snapshot,
                  value_bytes(snapshot->store, snapshot->txn, data, size, entry, scratch));
}

int snapshot_sealed(struct snapshot *snapshot, const unsigned char **data, size_t *size,
                    const struct entry *entry)
{
    return answer(snapshot, value_sealed(snapshot->txn, data, size, entry));
}

int snapshot_reopen(struct snapshot *snapshot, const struct entry *entry,
                    const unsigned char *sealed, size_t sealed_size, struct secret *scratch)
{
    return answer(snapshot, value_reopen(snapshot->store, scratch, entry, sealed, sealed_size));
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
