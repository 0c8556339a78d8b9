/* Whence what a request copies is taken: the places that were signed and no others, since whoever
 * may choose the source chooses the value. */
#include <string.h>

#include "store/error.h"
#include "store/log/follow_internal.h"
#include "store/log/state.h"

/* Whether an environment of that name stands on the one with this id, or did once. */
static int is_base_of(struct txn *txn, const char *name, uint32_t base)
{
    char same[ENVIRONMENT_NAME_MAX + 1];
    struct environment_state state;
    int found = state_environment(txn, &state, name);
    for (uint32_t id = found ? 0 : state.is.id, under; !found && id;) {
        found = state_environment_base(txn, &under, id);
        if (!found && under == base)
            return 1;
        if (!found)
            found = state_environment_name(txn, same, &id, id);
    }
    return found < 0 ? found : 0;
}

int follow_from_stands_on(const struct follow *follow, struct txn *txn, uint32_t base)
{
    return is_base_of(txn, follow->from.environment, base);
}

int follow_find_source(struct follow *follow, struct txn *txn, const struct operation *operation)
{
    struct path *source = &follow->source;
    uint32_t before, service;
    int found =
        state_environment_name(txn, source->environment, &before, operation->from.environment);
    if (!found)
        found = state_name(txn, &service, source->key, operation->from.name_id);
    if (!found)
        found = state_service_name(txn, source->service, service);
    if (found)
        return found > 0 ? error_set(ERR_CORRUPT, "a copy is of a place that never was") : found;
    /* What an environment shows of its base is its own to be promoted. */
    if (!follow_takes_base(follow->method) ||
        strcmp(source->environment, follow->from.environment) == 0)
        return 0;
    found = is_base_of(txn, follow->from.environment, operation->from.environment);
    if (found > 0)
        memcpy(source->environment, follow->from.environment, sizeof source->environment);
    return found < 0 ? found : 0;
}

static bool is_part(const char *found, const char *asked, const char *here)
{
    return strcmp(found, asked[0] ? asked : here) == 0;
}

bool follow_is_source(const struct follow *follow, const struct asked *asked,
                      const struct operation *operation)
{
    const struct path *source = &follow->source, *here = &follow->names;
    struct path named;
    const struct path *place = &follow->from;
    if (!asked->is_whole) {
        if (!asked->from.data ||
            path_parse(&named, (const char *)asked->from.data, asked->from.size) < 0) {
            error_clear();
            return false;
        }
        place = &named;
    }
    return is_part(source->environment, place->environment, here->environment) &&
           is_part(source->service, place->service, here->service) &&
           is_part(source->key, place->key, here->key) &&
           (!follow->to_rev || operation->from.rev <= follow->to_rev);
}
