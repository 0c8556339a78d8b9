#include "tools/service/holdings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "store/error.h"
#include "store/snapshot.h"
#include "tools/service/proof.h"

bool holdings_own(struct store *store, const struct caller *caller)
{
    struct stat folder;
    if (caller->uid == 0)
        return true;
    return stat(store_path(store), &folder) == 0 && folder.st_uid == caller->uid;
}

static unsigned with_what_they_hold(unsigned rights)
{
    return rights & GRANT_ADMIN ? GRANT_ALL : rights | GRANT_LIST;
}

/* The place of a grant, in names. NOT_THERE: it went meanwhile. */
static int place_of(struct snapshot *snapshot, struct path *out, const struct grant *grant)
{
    char environment[ENVIRONMENT_NAME_MAX + 1] = "", service[SERVICE_NAME_MAX + 1] = "";
    int found = 0;
    if (grant->environment != 0)
        found = snapshot_environment_name(snapshot, environment, grant->environment);
    if (found == 0 && grant->service != 0)
        found = snapshot_service_name(snapshot, service, grant->service);
    return found != 0 ? found : path_make(out, environment, service, NULL);
}

static int take(struct holdings *holdings, struct snapshot *snapshot, const struct grant *grant)
{
    struct path place = {0};
    if (!people_have(&holdings->people, grant->principal))
        return 0;
    int found = place_of(snapshot, &place, grant);
    if (found != 0)
        return found < 0 ? found : 0;
    void *grown = realloc(holdings->list, (holdings->count + 1) * sizeof *holdings->list);
    if (grown == NULL)
        return error_set(ERR_NOMEM, "no memory for what a caller may do");
    holdings->list = grown;
    holdings->list[holdings->count++] =
        (struct holding){.place = place, .rights = with_what_they_hold(grant->rights)};
    return 0;
}

static int take_all(struct holdings *holdings, struct snapshot *snapshot)
{
    struct grant grant = {0};
    for (;;) {
        int found = grant_next(snapshot, &grant);
        if (found == 0)
            found = take(holdings, snapshot, &grant);
        if (found != 0)
            return found < 0 ? found : 0;
    }
}

static int take_identity(struct holdings *holdings, struct snapshot *snapshot,
                         const struct proof *proof)
{
    struct known_identity known;
    char principal[PRINCIPAL_MAX + 1];
    const int found = grant_signer(snapshot, &known, proof->key);
    if (found != 0)
        return found < 0 ? found : 0;
    snprintf(principal, sizeof principal, "%s%s", PRINCIPAL_IDENTITY, known.name);
    memcpy(holdings->identity, known.name, sizeof holdings->identity);
    return people_add(&holdings->people, principal);
}

static int read_log(struct holdings *holdings, struct snapshot *snapshot,
                    const struct caller *caller)
{
    int error = 0;
    if (holdings->is_proven && !caller->is_as_user)
        error = take_identity(holdings, snapshot, caller->proof);
    return error < 0 || holdings->everything ? error : take_all(holdings, snapshot);
}

static int read_grants(struct holdings *holdings, struct store *store, const struct caller *caller)
{
    struct snapshot *snapshot;
    int error = snapshot_new(&snapshot, store);
    if (error < 0)
        return error;
    error = snapshot_begin(snapshot);
    if (error == 0) {
        error = read_log(holdings, snapshot, caller);
        snapshot_end(snapshot);
    }
    snapshot_free(snapshot);
    return error;
}

int holdings_load(struct holdings **out, struct store *store, const struct caller *caller)
{
    struct holdings *holdings = calloc(1, sizeof *holdings);
    if (holdings == NULL)
        return error_set(ERR_NOMEM, "no memory for what a caller may do");
    holdings->everything = holdings_own(store, caller);
    holdings->is_proven = caller->proof != NULL && caller->proof->is_proven;
    int error = holdings->everything ? 0 : people_of(&holdings->people, caller);
    if (error == 0 && (holdings->people.count > 0 || holdings->is_proven))
        error = read_grants(holdings, store, caller);
    if (error < 0) {
        holdings_free(holdings);
        return error;
    }
    *out = holdings;
    return 0;
}

void holdings_free(struct holdings *holdings)
{
    if (holdings == NULL)
        return;
    people_release(&holdings->people);
    free(holdings->list);
    free(holdings);
}

/* Whether the place lies at or beneath the other one. */
static bool lies_in(const struct path *place, const struct path *other)
{
    return (other->environment[0] == '\0' || strcmp(place->environment, other->environment) == 0) &&
           (other->service[0] == '\0' || strcmp(place->service, other->service) == 0);
}

bool holdings_cover(const struct holdings *holdings, unsigned rights, const struct path *place)
{
    unsigned held = holdings->everything ? GRANT_ALL : 0;
    for (size_t i = 0; i < holdings->count; i++)
        if (lies_in(place, &holdings->list[i].place))
            held |= holdings->list[i].rights;
    return (held & rights) == rights;
}

bool holdings_see(const struct holdings *holdings, const struct path *place)
{
    if (holdings_cover(holdings, GRANT_LIST, place))
        return true;
    for (size_t i = 0; i < holdings->count; i++)
        if (path_depth(place) < PATH_SERVICE && lies_in(&holdings->list[i].place, place))
            return true;
    return false;
}

bool holdings_any(const struct holdings *holdings)
{
    return holdings->everything || holdings->count > 0;
}
