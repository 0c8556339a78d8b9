#include "store/model/resolve.h"

#include <string.h>

#include "store/db/keys.h"
#include "store/error.h"
#include "store/log/operation.h"
#include "store/log/state_relation.h"
#include "store/model/inforce.h"
#include "store/model/value.h"

#define SHARED "shared"
#define ALL "all"

void resolver_begin(struct resolver *resolver, struct store *store, struct txn *txn,
                    uint32_t environment, uint64_t as_of)
{
    /* Only what is read of it is begun: the path is long, and most of it is never used. */
    resolver->txn = txn;
    resolver->store = store;
    resolver->as_of = as_of;
    resolver->environment = environment;
    resolver->base = resolver->all = 0;
    resolver->has_layers = resolver->is_all = resolver->judges = resolver->lasts = false;
    resolver->plan = NULL;
    resolver->plan_rev = 0;
    resolver->is_old = NULL;
    resolver->judging = NULL;
    resolver->lookups = resolver->depth = 0;
    resolver->fault = FAULT_NONE;
    resolver->met = NULL;
}

int resolver_layers(struct resolver *resolver)
{
    struct environment_state all;
    if (resolver->has_layers)
        return 0;
    int found = state_environment_base(resolver->txn, &resolver->base, resolver->environment);
    if (found)
        return found;
    found = state_environment(resolver->txn, &all, ALL);
    if (found < 0)
        return found;
    resolver->all = found ? 0 : all.is.id;
    resolver->is_all = resolver->all == resolver->environment;
    resolver->has_layers = true;
    return 0;
}

static int lay_fault(struct resolver *resolver, enum fault fault, const struct hop *target)
{
    resolver->fault = fault;
    if (target != &resolver->target)
        resolver->target = *target;
    return RESOLVE_FAULT;
}

/* --- spots --- */

static bool is_now(const struct resolver *resolver)
{
    return resolver->as_of == UINT64_MAX;
}

/* Whether the value was destroyed: 1, 0, or a failure. */
static int is_destroyed(struct txn *txn, const struct spot *spot)
{
    struct slice body;
    struct key key;
    uint64_t rev;
    uint32_t op;
    const int found = txn_get(txn, &body, DB_VALUE, key_operation(&key, spot->since, spot->op));
    return found ? (found < 0 ? found : 0) : value_purged(&rev, &op, body);
}

/* The record behind this one of the same name; NOT_THERE. */
static int find_next(struct txn *txn, struct spot *out, const struct spot *spot)
{
    uint64_t rev;
    const int found = state_moment_after(txn, &rev, spot->environment, spot->name_id, spot->since);
    return found ? found : state_moment(txn, out, spot->environment, spot->name_id, rev);
}

/* What was destroyed may have been set once more to what it was (encrypted anew, say): then that is
 * where the value stands. */
static int find_standing(struct txn *txn, struct spot *spot)
{
    struct spot at = *spot;
    int destroyed = 0, found = 0;
    if (spot->kind != ENTRY_PLAIN && spot->kind != ENTRY_SECRET)
        return 0;
    while (!found && (destroyed = is_destroyed(txn, &at)) > 0) {
        found = find_next(txn, &at, &at);
        if (!found && (at.rev != spot->rev || at.kind != spot->kind))
            found = NOT_THERE;
    }
    if (found < 0 || destroyed < 0)
        return found < 0 ? found : destroyed;
    if (found)
        return 0; /* it is gone, as its reader will be told */
    spot->since = at.since;
    spot->op = at.op;
    spot->entry_id = at.entry_id;
    spot->stored_size = at.stored_size;
    return 0;
}

int resolve_moment(struct txn *txn, struct spot *out, uint32_t environment, uint64_t name_id,
                   uint64_t as_of)
{
    const int found = state_moment(txn, out, environment, name_id, as_of);
    return found ? found : find_standing(txn, out);
}

/* What an environment's record says of a name, whatever layer that is of the resolver. */
static int find_in(const struct resolver *resolver, struct spot *out, uint32_t environment,
                   uint32_t service, const char *key)
{
    uint64_t name_id;
    struct spot spot;
    if (is_now(resolver))
        return state_current(resolver->txn, out, environment, service, key);
    int found = state_name_id(resolver->txn, &name_id, service, key);
    if (!found)
        found = resolve_moment(resolver->txn, &spot, environment, name_id, resolver->as_of);
    if (found)
        return found;
    if (spot.kind == SPOT_NONE)
        return NOT_THERE;
    spot.service = service;
    memcpy(spot.key, key, strlen(key) + 1);
    *out = spot;
    return 0;
}

int resolve_find(struct resolver *resolver, struct spot *out, uint32_t service, const char *key)
{
    return find_in(resolver, out, resolver->environment, service, key);
}

int resolve_find_name(struct resolver *resolver, struct spot *out, uint64_t name_id)
{
    struct spot spot;
    uint32_t service;
    char key[KEY_NAME_MAX + 1];
    int found = state_name(resolver->txn, &service, key, name_id);
    if (!found)
        found = resolve_find(resolver, &spot, service, key);
    if (found)
        return found;
    if (spot.name_id != name_id)
        return error_set(ERR_CORRUPT, "the record of '%s' is another key's", key);
    *out = spot;
    return 0;
}

int resolve_layer(struct resolver *resolver, struct spot *out, uint32_t layer, uint32_t service,
                  const char *key)
{
    struct spot spot;
    if (!layer)
        return NOT_THERE;
    const int found = find_in(resolver, &spot, layer, service, key);
    if (found)
        return found;
    if (!spot_is_own(&spot))
        return NOT_THERE;
    *out = spot;
    return 0;
}

struct definition spot_definition(const struct spot *spot)
{
    return (struct definition){.environment = spot->environment,
                               .service = spot->service,
                               .name_id = spot->name_id,
                               .entry_id = spot->entry_id,
                               .rev = spot->since,
                               .op = spot->op,
                               .kind = (enum entry_kind)spot->kind,
                               .stored_size = spot->stored_size};
}

/* --- texts --- */

/* What the commit in hand brings and has not stored yet; NULL: it is stored. */
static const struct wish *pending(const struct resolver *resolver,
                                  const struct definition *definition)
{
    if (!resolver->plan || definition->rev != resolver->plan_rev)
        return NULL;
    return resolver->plan->steps[definition->op].wish;
}

int resolve_text(struct resolver *resolver, const unsigned char **data, size_t *size,
                 const struct definition *definition, struct secret *scratch)
{
    const struct wish *wish = pending(resolver, definition);
    if (!wish)
        return value_bytes(resolver->store, resolver->txn, data, size, definition, scratch);
    if (wish->resealed)
        return value_bytes(resolver->store, resolver->txn, data, size, wish->resealed, scratch);
    *data = definition->kind == ENTRY_SECRET ? wish->secret.data : wish->value;
    *size = wish->size;
    return 0;
}

int resolve_references(struct resolver *resolver, const unsigned char **data, size_t *size,
                       const struct definition *definition)
{
    return pending(resolver, definition)
               ? resolve_text(resolver, data, size, definition, NULL)
               : value_references(resolver->store, resolver->txn, data, size, definition);
}

int resolve_length(struct resolver *resolver, size_t *size, const struct definition *definition)
{
    const struct wish *wish = pending(resolver, definition);
    if (!wish || wish->resealed)
        return value_size(resolver->store, resolver->txn, size, wish ? wish->resealed : definition);
    *size = wish->size;
    return 0;
}

void reference_walk_begin(struct reference_walk *walk, enum entry_kind kind, const void *text,
                          size_t size)
{
    *walk = (struct reference_walk){.template = {.text = text, .size = size},
                                    .is_link = kind == ENTRY_LINK,
                                    .is_over = kind != ENTRY_LINK && kind != ENTRY_TEMPLATE};
}

int reference_walk_next(struct reference_walk *walk, struct reference *out)
{
    struct template_piece piece;
    if (walk->is_over)
        return TEMPLATE_END;
    if (walk->is_link) {
        walk->is_over = true;
        return link_parse(out, walk->template.text, walk->template.size);
    }
    for (;;) {
        const int found = template_next(&walk->template, &piece);
        if (found)
            return found;
        if (piece.kind != TEMPLATE_REFERENCE)
            continue;
        *out = piece.reference;
        return 0;
    }
}

/* --- sharing --- */

int resolve_is_shared(struct resolver *resolver, struct state_share *out, const char *service,
                      const char *key, const char *consumer, bool is_secret)
{
    struct state_share share;
    int found = resolver_layers(resolver);
    if (found)
        return found < 0 ? found : 0;
    const uint32_t layers[] = {resolver->environment, resolver->base, resolver->all};
    if (!is_secret && strcmp(service, SHARED) == 0) {
        if (out)
            *out = (struct state_share){0};
        return 1;
    }
    for (unsigned i = 0; i < 3; i++) {
        if (!layers[i])
            continue;
        share = (struct state_share){.layer = layers[i]};
        memcpy(share.service, service, strlen(service) + 1);
        memcpy(share.key, key, strlen(key) + 1);
        memcpy(share.consumer, consumer, strlen(consumer) + 1);
        found = state_share(resolver->txn, &share);
        if (found > 0) {
            memcpy(share.consumer, "*", 2);
            found = state_share(resolver->txn, &share);
        }
        if (found < 0)
            return found;
        if (found == 0) {
            if (out)
                *out = share;
            return 1;
        }
    }
    return 0;
}

/* --- resolution --- */

static int reach(struct resolver *resolver, struct entry *out, const struct spot *spot);

/* An id must mean the text that was looked for: else a row that was moved to another key would
 * open, since an envelope knows its key as an id. */
static int check_name(struct resolver *resolver, const struct spot *spot)
{
    char key[KEY_NAME_MAX + 1];
    uint32_t service;
    const int error = state_name(resolver->txn, &service, key, spot->name_id);
    if (error < 0)
        return error;
    if (error || service != spot->service || strcmp(key, spot->key) != 0)
        return error_set(ERR_CORRUPT, "the record of '%s' is another key's", spot->key);
    return 0;
}

/* What would show if the definition of that origin were gone. NOT_THERE. */
static int find_beneath(struct resolver *resolver, struct spot *out, const struct spot *spot,
                        enum entry_origin origin)
{
    const uint32_t layers[] = {resolver->base, resolver->all};
    unsigned kind;
    for (unsigned i = origin == ORIGIN_OWN ? 0 : origin == ORIGIN_BASE ? 1 : 2; i < 2; i++) {
        const int found = resolve_layer(resolver, out, layers[i], spot->service, spot->key);
        if (found <= 0)
            return found;
    }
    return inforce_default(resolver, &kind, out, spot->service, spot->key);
}

/* What ends by itself may be referred to only where what then shows is as good: a value that
 * stays, and is no secret where this is none. */
static int check_stays(struct resolver *resolver, const struct spot *spot,
                       const struct entry *entry)
{
    struct spot beneath;
    const struct hop *hop = &resolver->path[resolver->depth];
    if (!entry->expires)
        return 0;
    const int found = find_beneath(resolver, &beneath, spot, entry->origin);
    if (found < 0)
        return found;
    if (!found && !beneath.expires &&
        (beneath.kind == ENTRY_PLAIN ||
         (beneath.kind == ENTRY_SECRET && entry->kind == ENTRY_SECRET)))
        return 0;
    const int is_old = resolver->is_old ? resolver->is_old(resolver, spot) : 0;
    if (is_old)
        return is_old < 0 ? is_old : 0;
    return lay_fault(resolver, FAULT_ENDS, hop);
}

static int judge_hop(struct resolver *resolver, const struct spot *spot, const struct entry *entry)
{
    const struct hop *from = &resolver->path[resolver->depth - 1];
    const struct hop *to = &resolver->path[resolver->depth];
    if (from->service != to->service) {
        const int shared = resolve_is_shared(resolver, NULL, to->name, to->key, from->name,
                                             entry->kind == ENTRY_SECRET);
        if (shared < 0)
            return shared;
        if (!shared)
            return lay_fault(resolver, FAULT_NOT_SHARED, to);
    }
    return resolver->lasts ? check_stays(resolver, spot, entry) : 0;
}

/* Steps on to what a reference names: it is the last of the path then, and *spot what stands
 * there. */
static int step_to(struct resolver *resolver, struct spot *spot, const struct reference *reference)
{
    const struct hop *from = &resolver->path[resolver->depth];
    struct hop *to = &resolver->path[resolver->depth + 1];
    int found = 0;
    to->service = from->service;
    memcpy(to->name, reference->service[0] ? reference->service : from->name, sizeof to->name);
    memcpy(to->key, reference->key, sizeof to->key);
    if (reference->service[0]) {
        found = state_service_id(resolver->txn, &to->service, reference->service);
        if (found > 0)
            to->service = 0;
    }
    if (found < 0)
        return found;
    for (unsigned i = 0; i <= resolver->depth && to->service; i++)
        if (resolver->path[i].service == to->service && strcmp(resolver->path[i].key, to->key) == 0)
            return lay_fault(resolver, FAULT_CIRCLE, to);
    if (resolver->depth == RESOLVE_DEPTH_MAX)
        return lay_fault(resolver, FAULT_DEPTH, to);
    if (resolver->lookups++ >= RESOLVE_LOOKUPS_MAX)
        return lay_fault(resolver, FAULT_LOOKUPS, to);
    found = to->service ? resolve_find(resolver, spot, to->service, to->key) : NOT_THERE;
    if (found > 0)
        return lay_fault(resolver, FAULT_DANGLING, to);
    if (!found)
        resolver->depth++;
    return found;
}

static int follow(struct resolver *resolver, struct entry *reached,
                  const struct reference *reference)
{
    struct spot spot;
    int found = step_to(resolver, &spot, reference);
    if (found)
        return found;
    found = reach(resolver, reached, &spot);
    if (!found && resolver->judges)
        found = judge_hop(resolver, &spot, reached);
    if (!found)
        resolver->depth--; /* a fault leaves the path as it was met */
    return found;
}

/* The last change of what was reached counts where it came after the record was written. */
static void take_newer(struct entry *out, const struct spot *record, uint64_t rev, int64_t time)
{
    if (rev <= record->since || rev <= out->rev)
        return;
    out->rev = rev;
    out->time = time;
}

/* A reference of a text, and what it gives to the entry. */
static int take_reference(struct resolver *resolver, struct entry *out, const struct spot *record,
                          const struct reference *reference)
{
    struct entry reached;
    const bool is_first = resolver->depth == 0;
    int found = follow(resolver, &reached, reference);
    if (found == RESOLVE_FAULT && is_first && resolver->met) {
        found = resolver->met(resolver);
        resolver->depth = 0;
        return found;
    }
    if (found)
        return found;
    if (reached.kind == ENTRY_SECRET)
        out->kind = ENTRY_SECRET;
    if (out->defined.kind == ENTRY_LINK)
        out->value = reached.value;
    take_newer(out, record, reached.rev, reached.time);
    return 0;
}

static int follow_text(struct resolver *resolver, struct entry *out, const struct spot *record)
{
    const unsigned char *text;
    size_t size;
    struct reference_walk walk;
    struct reference reference;
    int found = resolve_references(resolver, &text, &size, &out->defined);
    if (found)
        return found;
    out->kind = ENTRY_PLAIN;
    out->value = out->defined;
    reference_walk_begin(&walk, out->defined.kind, text, size);
    while (!(found = reference_walk_next(&walk, &reference))) {
        found = take_reference(resolver, out, record, &reference);
        if (found)
            return found;
    }
    return found == TEMPLATE_END ? 0
                                 : error_set(ERR_CORRUPT, "the text of '%s' is none", record->key);
}

uint32_t resolve_defined(const struct resolver *resolver, const struct spot *spot)
{
    const uint32_t base = resolver->base, all = resolver->all;
    switch (spot->kind) {
    case SPOT_IN_BASE:
        return base;
    case SPOT_IN_ALL:
        return all;
    case SPOT_IN_SCHEMA:
        return resolver->environment | LAYER_OF_DEFAULTS;
    case SPOT_IN_BASE_SCHEMA:
        return base ? base | LAYER_OF_DEFAULTS : 0;
    case SPOT_IN_ALL_SCHEMA:
        return all ? all | LAYER_OF_DEFAULTS : 0;
    default:
        return resolver->environment;
    }
}

static enum entry_origin origin_of(const struct spot *spot)
{
    if (spot_is_default(spot->kind))
        return ORIGIN_SCHEMA;
    return spot->kind == SPOT_IN_BASE  ? ORIGIN_BASE
           : spot->kind == SPOT_IN_ALL ? ORIGIN_ALL
                                       : ORIGIN_OWN;
}

/* The record that has the definition: the spot's own, or a layer's. */
static int find_definition(struct resolver *resolver, struct spot *out, struct entry *entry,
                           const struct spot *record)
{
    entry->origin = origin_of(record);
    *out = *record;
    if (spot_is_own(record))
        return 0;
    int found = resolver_layers(resolver);
    if (!found)
        found = resolve_layer(resolver, out, resolve_defined(resolver, record), record->service,
                              record->key);
    if (found > 0)
        return error_set(ERR_CORRUPT, "'%s' is said to be defined where it is not (emsa verify)",
                         record->key);
    if (!found)
        take_newer(entry, record, out->rev, out->time);
    return found;
}

/* The spot is the last of the path. */
static int reach(struct resolver *resolver, struct entry *out, const struct spot *record)
{
    struct spot definition;
    out->environment = record->environment;
    out->service = record->service;
    out->name_id = record->name_id;
    memcpy(out->key, record->key, strlen(record->key) + 1);
    out->rev = record->rev;
    out->time = record->time;
    out->first_rev = record->first_rev;
    out->first_time = record->first_time;
    out->as_of = resolver->as_of;
    int error = find_definition(resolver, &definition, out, record);
    if (error)
        return error;
    out->defined = spot_definition(&definition);
    out->expires = definition.expires;
    out->kind = out->defined.kind;
    out->value = out->defined;
    if (out->kind == ENTRY_SECRET)
        error = check_name(resolver, &definition);
    else if (out->kind != ENTRY_PLAIN)
        error = resolver_layers(resolver);
    if (!error && (out->kind == ENTRY_LINK || out->kind == ENTRY_TEMPLATE) && !resolver->is_all)
        error = follow_text(resolver, out, record);
    if (error)
        return error;
    out->stored_size = entry_is_composed(out) ? 0 : out->value.stored_size;
    return 0;
}

/* The place that the path begins with. */
static int begin_path(struct resolver *resolver, uint32_t service, const char *key)
{
    struct hop *first = &resolver->path[0];
    resolver->depth = 0;
    first->service = service;
    first->name[0] = '\0';
    memcpy(first->key, key, strlen(key) + 1);
    return resolver->judges ? state_service_name(resolver->txn, first->name, service) : 0;
}

int resolve(struct resolver *resolver, struct entry *out, const struct spot *spot)
{
    resolver->lookups = 0;
    resolver->fault = FAULT_NONE;
    const int error = begin_path(resolver, spot->service, spot->key);
    return error ? error : reach(resolver, out, spot);
}
