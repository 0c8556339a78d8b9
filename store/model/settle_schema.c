/* From operations on schemas to the spots that may show a default otherwise. */
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/model/settle_internal.h"

static int look_at_default(struct settling *settling, const struct known *environment,
                           uint32_t service, uint64_t name_id, const char *key)
{
    struct look *look;
    return settle_look(settling, &look, environment->is.id, service, name_id, key);
}

/* All keys of a service that a layer of the environment has defaults of. */
static int look_at_defaults(struct settling *settling, const struct known *environment,
                            uint32_t service)
{
    struct resolver *now = settle_now(settling, environment->is.id);
    int found = resolver_layers(now);
    if (found)
        return found < 0 ? found : 0;
    const uint32_t layers[] = {environment->is.id, now->base, now->all};
    for (unsigned i = 0; i < 3; i++) {
        struct spot spot = {0};
        if (!layers[i])
            continue;
        while (!(found = state_next_current(settling->txn, &spot, layers[i] | LAYER_OF_DEFAULTS,
                                            service, spot.key))) {
            found = look_at_default(settling, environment, service, spot.name_id, spot.key);
            if (found)
                return found;
        }
        if (found < 0)
            return found;
    }
    return 0;
}

/* Those of schemas are asked for again, when it is judged by them. */
static int note_step(struct settling *settling, uint32_t op)
{
    uint32_t *grown = realloc(settling->schema_steps,
                              (settling->schema_step_count + 1) * sizeof *settling->schema_steps);
    if (!grown)
        return error_set(ERR_NOMEM, "no memory to settle a change");
    settling->schema_steps = grown;
    settling->schema_steps[settling->schema_step_count++] = op;
    return 0;
}

int settle_collect_schema(struct settling *settling, uint32_t op)
{
    const struct operation *operation = &settling->judge->plan->steps[op].operation;
    const bool is_default = operation_is_of_default(operation->kind);
    const struct known *environment;
    char key[KEY_NAME_MAX + 1];
    size_t at = 0;
    int found = 0;
    if (!is_default && !operation_is_of_schema(operation->kind))
        return 0;
    if (!is_default)
        found = note_step(settling, op);
    memcpy(key, operation->name, operation->name_size);
    key[operation->name_size] = '\0';
    while (!found && !(found = settle_next_above(settling, &environment, &at,
                                                 operation->environment, operation->service)))
        found = is_default ? look_at_default(settling, environment, operation->service,
                                             operation->name_id, key)
                           : look_at_defaults(settling, environment, operation->service);
    return found < 0 ? found : 0;
}
