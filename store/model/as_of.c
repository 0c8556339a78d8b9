#include "store/model/as_of.h"

#include <stdio.h>
#include <string.h>

#include "store/error.h"
#include "store/history.h"
#include "store/log/state.h"
#include "store/model/core.h"

/* When a place came that is there at a revision: the commit of the record of its presence. */
static int came(struct snapshot *snapshot, struct presence *presence, int64_t *time,
                uint32_t environment, uint32_t service, uint64_t rev)
{
    struct commit_info commit;
    int found = state_presence(snapshot_txn(snapshot), presence, environment, service, rev);
    if (!found && !presence->is_there)
        found = NOT_THERE;
    if (found)
        return snapshot_answer(snapshot, found);
    found = history_commit(snapshot, &commit, presence->rev);
    if (found > 0)
        found = snapshot_answer(snapshot, error_set(ERR_CORRUPT,
                                                    "revision %llu made a place and is not there",
                                                    (unsigned long long)presence->rev));
    if (!found)
        *time = commit.time;
    return found;
}

int as_of_environment_by_id(struct snapshot *snapshot, struct environment *out, uint32_t id,
                            uint64_t rev)
{
    struct environment environment = {.id = id, .changed_rev = rev, .shown_rev = rev};
    struct presence presence;
    uint32_t before;
    int found = state_environment_name(snapshot_txn(snapshot), environment.name, &before, id);
    if (!found)
        found = state_environment_base(snapshot_txn(snapshot), &environment.base, id);
    if (found)
        return snapshot_answer(snapshot, found);
    found = came(snapshot, &presence, &environment.made_time, id, 0, rev);
    if (found)
        return found;
    environment.made_rev = presence.rev;
    environment.listed_time = environment.made_time;
    *out = environment;
    return 0;
}

int as_of_environment(struct snapshot *snapshot, struct environment *out, const char *name,
                      uint64_t rev)
{
    uint32_t id;
    const int found = history_environment(snapshot, &id, name, rev);
    return found ? found : as_of_environment_by_id(snapshot, out, id, rev);
}

int as_of_next_environment(struct snapshot *snapshot, struct environment *out, const char *after,
                           uint64_t rev)
{
    char name[ENVIRONMENT_NAME_MAX + 1];
    uint32_t id;
    (void)snprintf(name, sizeof name, "%s", after);
    const int found = history_next_environment(snapshot, &id, name, rev);
    return found ? found : as_of_environment_by_id(snapshot, out, id, rev);
}

int as_of_service_by_id(struct snapshot *snapshot, struct service *out, uint32_t environment,
                        uint32_t id, uint32_t incarnation, uint64_t rev)
{
    struct service service = {
        .environment = environment, .id = id, .changed_rev = rev, .shown_rev = rev};
    struct presence presence;
    int found = state_service_name(snapshot_txn(snapshot), service.name, id);
    if (found)
        return snapshot_answer(snapshot, found);
    found = came(snapshot, &presence, &service.made_time, environment, id, rev);
    if (found)
        return found;
    if (incarnation != SERVICE_ANY && incarnation != presence.incarnation)
        return NOT_THERE;
    service.incarnation = presence.incarnation;
    service.made_rev = presence.rev;
    service.listed_time = service.made_time;
    *out = service;
    return 0;
}

int as_of_service(struct snapshot *snapshot, struct service *out, uint32_t environment,
                  const char *name, uint64_t rev)
{
    uint32_t id;
    const int found = history_service(snapshot, &id, environment, name, rev);
    return found ? found : as_of_service_by_id(snapshot, out, environment, id, SERVICE_ANY, rev);
}

int as_of_next_service(struct snapshot *snapshot, struct service *out, uint32_t environment,
                       const char *after, uint64_t rev)
{
    char name[SERVICE_NAME_MAX + 1];
    uint32_t id;
    (void)snprintf(name, sizeof name, "%s", after);
    const int found = history_next_service(snapshot, &id, name, environment, rev);
    return found ? found : as_of_service_by_id(snapshot, out, environment, id, SERVICE_ANY, rev);
}
