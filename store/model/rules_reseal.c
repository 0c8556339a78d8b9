/* Secrets that are encrypted anew: set to what they are, with a data key of their own, for the keys
 * that those have who may read them now. The log says of each that it is the same. */
#include <string.h>

#include "store/error.h"
#include "store/limits.h"
#include "store/log/state.h"
#include "store/model/resolve.h"
#include "store/model/rules_internal.h"

static int reseal_one(struct judge *judge, const struct service *service, const struct spot *spot)
{
    struct gather *gather = judge->gather;
    struct operation operation = {.kind = OPERATION_SET_SECRET,
                                  .environment = service->environment,
                                  .service = service->id,
                                  .turn = service->incarnation,
                                  .name_id = spot->name_id,
                                  .entry_id = spot->entry_id,
                                  .stored_size = spot->stored_size,
                                  .expires = spot->expires,
                                  .from = {spot->environment, spot->name_id, spot->since}};
    const struct definition definition = spot_definition(spot);
    judge->copied += spot->stored_size;
    if (judge->copied > COMMIT_BYTES_MAX - gather->value_bytes)
        return error_set(ERR_INVALID,
                         "more than %u bytes of values in one commit: encrypt one service after "
                         "the other anew",
                         COMMIT_BYTES_MAX);
    struct wish *made = gather_keep_resealed(gather, &definition);
    const char *name = made ? gather_copy(gather, spot->key, strlen(spot->key)) : NULL;
    if (!name)
        return -ERR_NOMEM;
    made->kind = OPERATION_SET_SECRET;
    made->key = name;
    return judge_step(judge, &operation, name, made);
}

static int reseal_service(struct judge *judge, const struct service *service)
{
    struct spot spot = {0};
    for (;;) {
        int found = judge_next_own(judge, &spot, service);
        if (!found && spot.kind == ENTRY_SECRET)
            found = reseal_one(judge, service, &spot);
        if (found)
            return found < 0 ? found : 0;
    }
}

int judge_reseal(struct judge *judge, uint32_t environment, uint32_t service)
{
    struct place_state place = {0};
    int error = 0;
    while (!error) {
        const int found = state_next_place(judge->index->txn, &place, environment, place.is.name);
        if (found)
            return found < 0 ? found : 0;
        if (place.alive && (!service || place.is.id == service))
            error = reseal_service(judge, &place.is);
    }
    return error;
}
