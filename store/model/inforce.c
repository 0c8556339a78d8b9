#include "store/model/inforce.h"

#include <string.h>

#include "store/db/keys.h"
#include "store/error.h"
#include "store/model/resolve.h"

int inforce_find(struct resolver *resolver, struct state_schema *out, uint32_t service)
{
    int found = resolver_layers(resolver);
    if (found)
        return found;
    const uint32_t layers[] = {resolver->environment, resolver->base,
                               resolver->is_all ? 0 : resolver->all};
    for (unsigned i = 0; i < 3; i++) {
        struct state_schema schema = {.layer = layers[i], .service = service};
        if (!layers[i])
            continue;
        found = state_schema(resolver->txn, &schema);
        if (!found)
            *out = schema;
        if (found <= 0)
            return found;
    }
    return NOT_THERE;
}

int inforce_default(struct resolver *resolver, unsigned *kind, struct spot *out, uint32_t service,
                    const char *key)
{
    struct state_schema schema;
    int found = inforce_find(resolver, &schema, service);
    if (!found)
        found = resolve_layer(resolver, out, schema.layer | LAYER_OF_DEFAULTS, service, key);
    if (found)
        return found;
    *kind = schema.layer == resolver->environment ? SPOT_IN_SCHEMA
            : schema.layer == resolver->base      ? SPOT_IN_BASE_SCHEMA
                                                  : SPOT_IN_ALL_SCHEMA;
    return 0;
}

int inforce_bytes(struct txn *txn, const unsigned char **data, size_t *size,
                  const struct state_schema *schema, const struct plan *plan, uint64_t plan_rev)
{
    struct slice body;
    struct key key;
    if (plan && schema->rev == plan_rev) {
        *data = plan->steps[schema->op].wish->value;
        *size = plan->steps[schema->op].wish->size;
        return 0;
    }
    const int found = txn_get(txn, &body, DB_VALUE, key_operation(&key, schema->rev, schema->op));
    if (found > 0)
        return error_set(ERR_CORRUPT, "the schema of revision %llu, operation %u is gone",
                         (unsigned long long)schema->rev, schema->op);
    return found ? found : value_decode(data, size, OPERATION_SCHEMA_SET, body);
}

int inforce_load(struct txn *txn, struct schema *out, const struct state_schema *schema,
                 const struct plan *plan, uint64_t plan_rev)
{
    const unsigned char *data;
    size_t size;
    const int error = inforce_bytes(txn, &data, &size, schema, plan, plan_rev);
    return error ? error : schema_decode(out, data, size);
}
