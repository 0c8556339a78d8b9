/*
 * Schemas against their defaults, both ways: a schema that is there can be read, is its service's,
 * and its defaults are the definitions of its layer of defaults, with their bytes, and no others
 * are. And what shows a default shows the one that is in force.
 */
#include <inttypes.h>
#include <string.h>

#include "store/error.h"
#include "store/log/verify_internal.h"
#include "store/schema.h"

/* The bytes that an operation set, as a kind of value. */
static int find_bytes(struct verify *verify, const unsigned char **data, size_t *size,
                      enum operation_kind kind, uint64_t rev, uint32_t op)
{
    struct slice body;
    struct key key;
    const int found = txn_get(verify->txn, &body, DB_VALUE, key_operation(&key, rev, op));
    return found ? found : value_decode(data, size, kind, body);
}

static int check_default(struct verify *verify, const struct state_schema *is,
                         const struct schema_key *key)
{
    const unsigned char *data = NULL;
    size_t size = 0;
    struct spot spot;
    verify->report->derived++;
    int found =
        state_current(verify->txn, &spot, is->layer | LAYER_OF_DEFAULTS, is->service, key->name);
    if (!found)
        found = find_bytes(verify, &data, &size, OPERATION_SET_PLAIN, spot.since, spot.op);
    if (!found &&
        (size != key->default_size || (size && memcmp(data, key->default_value, size) != 0)))
        found = TXN_NOT_FOUND;
    found = verify_read(verify, found, "default");
    if (found == TXN_NOT_FOUND)
        verify_fault(verify,
                     "the schema of service %u in environment %u has a default of '%s' that is not "
                     "recorded",
                     is->service, is->layer, key->name);
    return found < 0 ? found : 0;
}

static int check_defaults(struct verify *verify, const struct state_schema *is,
                          const struct schema *schema)
{
    struct spot spot = {0};
    size_t wanted = 0, there = 0;
    int error = 0, found;
    for (size_t i = 0; i < schema->count && !error; i++) {
        if (!schema->keys[i].has_default)
            continue;
        wanted++;
        error = check_default(verify, is, &schema->keys[i]);
        error = error ? error : verify_go_on(verify);
    }
    if (error)
        return error;
    while (!(found = state_next_current(verify->txn, &spot, is->layer | LAYER_OF_DEFAULTS,
                                        is->service, spot.key)))
        there++;
    found = verify_read(verify, found, "default");
    if (found == TXN_NOT_FOUND && there != wanted)
        verify_fault(verify,
                     "the schema of service %u in environment %u has %zu defaults, and %zu are "
                     "recorded",
                     is->service, is->layer, wanted, there);
    return found < 0 ? found : 0;
}

int verify_schema_of(struct verify *verify, const struct state_schema *is)
{
    struct schema schema = {0};
    const unsigned char *data;
    size_t size;
    char name[SERVICE_NAME_MAX + 1];
    int found = find_bytes(verify, &data, &size, OPERATION_SCHEMA_SET, is->rev, is->op);
    if (!found)
        found = schema_decode(&schema, data, size);
    if (!found)
        found = state_service_name(verify->txn, name, is->service);
    found = verify_read(verify, found, "schema");
    if (found == TXN_NOT_FOUND || (!found && strcmp(name, schema.service) != 0))
        verify_fault(verify,
                     "the schema of service %u in environment %u is not there, or another's",
                     is->service, is->layer);
    else if (!found)
        found = check_defaults(verify, is, &schema);
    schema_release(&schema);
    return found < 0 ? found : 0;
}

int verify_in_force(struct verify *verify, uint32_t *layer, const uint32_t layers[static 3],
                    uint32_t service)
{
    *layer = 0;
    for (unsigned i = 0; i < 3; i++) {
        struct state_schema schema = {.layer = layers[i], .service = service};
        const int found = layers[i] ? state_schema(verify->txn, &schema) : TXN_NOT_FOUND;
        if (!found)
            *layer = layers[i];
        if (found <= 0)
            return found;
    }
    return 0;
}
