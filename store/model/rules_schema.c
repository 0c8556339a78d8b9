/* What may be said of a service's keys: its schema in a layer, and with it the defaults, which are
 * definitions in a layer of their own. */
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/model/inforce.h"
#include "store/model/resolve.h"
#include "store/model/rules_internal.h"

static int line_of(struct judge *judge, char mark, const struct wish *wish, uint64_t was)
{
    const int error =
        plan_line(judge->plan, mark, false, was, wish->environment, wish->service, "");
    return error ? error : plan_line_subject(judge->plan, CHANGE_SCHEMA, "");
}

/* What was in force there before this change, for whoever asks what was wrong then: only the first
 * change of a schema says so. */
static int note_before(struct judge *judge, const struct state_schema *was)
{
    for (size_t i = 0; i < judge->schema_count; i++)
        if (judge->schemas[i].layer == was->layer && judge->schemas[i].service == was->service)
            return 0;
    struct state_schema *grown =
        realloc(judge->schemas, (judge->schema_count + 1) * sizeof *judge->schemas);
    if (!grown)
        return error_set(ERR_NOMEM, "no memory to judge a schema");
    judge->schemas = grown;
    judge->schemas[judge->schema_count++] = *was;
    return 0;
}

static struct operation operation_of(enum operation_kind kind, const struct service *service)
{
    return (struct operation){.kind = kind,
                              .environment = service->environment,
                              .service = service->id,
                              .turn = service->incarnation};
}

/* --- defaults --- */

static int remove_default(struct judge *judge, const struct service *service,
                          const struct spot *spot)
{
    struct operation operation = operation_of(OPERATION_DEFAULT_REMOVE, service);
    const char *key = gather_copy(judge->gather, spot->key, strlen(spot->key));
    if (!key)
        return -ERR_NOMEM;
    operation.name_id = spot->name_id;
    operation.entry_id = spot->entry_id;
    return judge_step(judge, &operation, key, NULL);
}

/* Those that the schema has not; NULL: all. */
static int remove_defaults(struct judge *judge, const struct service *service,
                           const struct schema *schema)
{
    const uint32_t layer = service->environment | LAYER_OF_DEFAULTS;
    struct spot spot = {0};
    int found;
    while (!(found = state_next_current(judge->index->txn, &spot, layer, service->id, spot.key))) {
        const struct schema_key *key = schema ? schema_find(schema, spot.key) : NULL;
        if (key && key->has_default)
            continue;
        found = remove_default(judge, service, &spot);
        if (found)
            return found;
    }
    return found < 0 ? found : 0;
}

/* Whether the default is that of the spot already: 1, 0, or a failure. */
static int is_default(struct judge *judge, const struct spot *spot, const struct schema_key *key)
{
    const struct definition definition = spot_definition(spot);
    struct resolver resolver;
    const unsigned char *data;
    size_t size;
    if (spot->stored_size != key->default_size)
        return 0;
    resolver_begin(&resolver, judge->store, judge->index->txn, spot->environment, UINT64_MAX);
    resolver.plan = judge->plan;
    resolver.plan_rev = judge->index->rev;
    const int error = resolve_text(&resolver, &data, &size, &definition, NULL);
    if (error)
        return error;
    return size == key->default_size && (!size || memcmp(data, key->default_value, size) == 0);
}

/* A wish as if the value had been set in the layer; what it holds is the gather's. */
static int make_wish(struct judge *judge, struct wish **out, const struct wish *wish,
                     const struct schema_key *key)
{
    struct wish *made = gather_keep(judge->gather);
    if (!made)
        return -ERR_NOMEM;
    *made = (struct wish){.kind = OPERATION_SET_PLAIN,
                          .environment = wish->environment,
                          .service = wish->service,
                          .key = gather_copy(judge->gather, key->name, strlen(key->name)),
                          .size = key->default_size};
    made->value = (const unsigned char *)gather_copy(
        judge->gather, key->default_value ? key->default_value : "", key->default_size);
    if (!made->key || !made->value)
        return -ERR_NOMEM;
    judge->copied += made->size;
    *out = made;
    return 0;
}

static int set_default(struct judge *judge, const struct service *service, const struct wish *wish,
                       const struct schema_key *key)
{
    struct txn *txn = judge->index->txn;
    struct operation operation = operation_of(OPERATION_DEFAULT_SET, service);
    struct wish *made;
    struct spot spot;
    int found =
        state_current(txn, &spot, service->environment | LAYER_OF_DEFAULTS, service->id, key->name);
    operation.first = found > 0;
    operation.stored_size = (uint32_t)key->default_size;
    if (!found) {
        operation.name_id = spot.name_id;
        operation.entry_id = spot.entry_id;
        const int equal = is_default(judge, &spot, key);
        if (equal)
            return equal < 0 ? equal : 0;
    } else if (found > 0) {
        operation.entry_id = index_new_entry(judge->index);
        found = state_name_id(txn, &operation.name_id, service->id, key->name);
        if (found > 0)
            found = index_new_name(judge->index, &operation.name_id);
    }
    if (!found)
        found = make_wish(judge, &made, wish, key);
    if (!found)
        found = judge_guard_default(judge, &operation, made);
    return found ? found : judge_step(judge, &operation, made->key, made);
}

static int move_defaults(struct judge *judge, const struct service *service,
                         const struct wish *wish)
{
    struct schema schema = {0};
    int error = schema_decode(&schema, wish->value, wish->size);
    if (error)
        return error;
    error = remove_defaults(judge, service, &schema);
    for (size_t i = 0; i < schema.count && !error; i++)
        if (schema.keys[i].has_default)
            error = set_default(judge, service, wish, &schema.keys[i]);
    schema_release(&schema);
    return error;
}

/* --- schemas --- */

/* Whether the schema is what the wish would set: 1, 0, or a failure. */
static int is_equal(struct judge *judge, const struct state_schema *schema, const struct wish *wish)
{
    const unsigned char *data;
    size_t size;
    const int error =
        inforce_bytes(judge->index->txn, &data, &size, schema, judge->plan, judge->index->rev);
    return error ? error : size == wish->size && memcmp(data, wish->value, size) == 0;
}

/* The wish's service: in `all` it is placed, elsewhere it must be there. NOT_THERE: refused. */
static int find_service(struct judge *judge, struct service *service, const struct wish *wish)
{
    struct environment environment;
    bool refused;
    int found = judge_find_service(judge, &environment, service, wish, &refused);
    if (found <= 0 || refused)
        return found;
    if (strcmp(wish->environment, ALL) == 0)
        return judge_make_service(judge, service, &environment, wish);
    judge_refuse(judge, ERR_NOT_FOUND,
                 "no service '%s/%s' (emsa service add %s/%s); a schema for every environment is "
                 "set in 'all'",
                 wish->environment, wish->service, wish->environment, wish->service);
    return NOT_THERE;
}

static int set_schema(struct judge *judge, const struct service *service, const struct wish *wish)
{
    struct state_schema schema = {.layer = service->environment, .service = service->id};
    struct operation operation = operation_of(OPERATION_SCHEMA_SET, service);
    const int found = state_schema(judge->index->txn, &schema);
    if (found < 0)
        return found;
    if (!found) {
        const int equal = is_equal(judge, &schema, wish);
        if (equal)
            return equal < 0 ? equal : line_of(judge, '=', wish, schema.rev);
    }
    operation.first = found > 0;
    operation.stored_size = (uint32_t)wish->size;
    int error = note_before(judge, &schema);
    if (!error)
        error = judge_step(judge, &operation, wish->service, wish);
    if (!error)
        error = line_of(judge, found ? '+' : '~', wish, schema.rev);
    return error ? error : move_defaults(judge, service, wish);
}

int judge_schema_set(struct judge *judge, const struct wish *wish)
{
    struct service service;
    const int found = find_service(judge, &service, wish);
    return found ? (found < 0 ? found : 0) : set_schema(judge, &service, wish);
}

int judge_drop_schema(struct judge *judge, const struct service *service, const char *name,
                      uint64_t *was)
{
    struct state_schema schema = {.layer = service->environment, .service = service->id};
    struct operation operation = operation_of(OPERATION_SCHEMA_REMOVE, service);
    const int found = state_schema(judge->index->txn, &schema);
    if (found)
        return found;
    if (was)
        *was = schema.rev;
    int error = note_before(judge, &schema);
    if (!error)
        error = remove_defaults(judge, service, NULL);
    return error ? error : judge_step(judge, &operation, name, NULL);
}

int judge_schema_remove(struct judge *judge, const struct wish *wish)
{
    struct environment environment;
    struct service service;
    uint64_t was = 0;
    bool refused;
    int found = judge_find_service(judge, &environment, &service, wish, &refused);
    if (found > 0)
        return refused ? 0 : judge_no_service(judge, wish, environment.id);
    if (!found)
        found = judge_drop_schema(judge, &service, wish->service, &was);
    if (found > 0)
        return judge_refuse(judge, ERR_NOT_FOUND,
                            "'%s/%s' has no schema of its own (emsa schema show %s/%s tells which "
                            "one is in force)",
                            wish->environment, wish->service, wish->environment, wish->service);
    return found ? found : line_of(judge, '-', wish, was);
}
