#include "store/model/reach.h"

#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/grant.h"
#include "store/log/state_relation.h"
#include "store/model/resolve.h"

#define EVERY "*"

/* --- who was granted what --- */

static int no_memory(void)
{
    return error_set(ERR_NOMEM, "no memory for who may read a secret");
}

static int add_reader(struct reach *reach, size_t *capacity, const struct reach_reader *reader)
{
    const struct reach_reader *last = reach->count ? &reach->readers[reach->count - 1] : NULL;
    if (last && last->environment == reader->environment && last->service == reader->service)
        return 0;
    if (reach->count == *capacity) {
        const size_t grown = *capacity ? *capacity * 2 : 16;
        struct reach_reader *readers = realloc(reach->readers, grown * sizeof *readers);
        if (!readers)
            return no_memory();
        reach->readers = readers;
        *capacity = grown;
    }
    reach->readers[reach->count++] = *reader;
    return 0;
}

int reach_begin(struct reach *reach, struct store *store, struct txn *txn)
{
    struct state_grant grant = {.environment = 0};
    struct reach_reader reader = {.environment = 0};
    size_t capacity = 0;
    *reach = (struct reach){.store = store, .txn = txn};
    for (;;) {
        int found = state_next_grant(txn, &grant);
        if (found)
            return found < 0 ? found : 0;
        if (!grant.environment || !principal_is_identity(grant.principal) ||
            !(grant.rights & GRANT_READ))
            continue;
        if (grant.environment != reader.environment)
            found = state_environment_base(txn, &reader.base, grant.environment);
        reader.environment = grant.environment;
        reader.service = grant.service;
        if (!found && (reader.service || reader.base))
            found = add_reader(reach, &capacity, &reader);
        if (found)
            return found < 0 ? found : error_set(ERR_CORRUPT, "rights at what is not there");
    }
}

void reach_end(struct reach *reach)
{
    free(reach->readers);
    *reach = (struct reach){.count = 0};
}

static int by_place(const void *a, const void *b)
{
    const struct reach_reader *one = a, *other = b;
    if (one->environment != other->environment)
        return one->environment < other->environment ? -1 : 1;
    return (one->service > other->service) - (one->service < other->service);
}

static bool is_granted(const struct reach *reach, uint32_t environment, uint32_t service)
{
    const struct reach_reader wanted = {.environment = environment, .service = service};
    return reach->count &&
           bsearch(&wanted, reach->readers, reach->count, sizeof wanted, by_place) != NULL;
}

bool reach_reads(const struct reach *reach, uint32_t environment, uint32_t service)
{
    return is_granted(reach, environment, service) || is_granted(reach, environment, 0);
}

/* --- from a secret to who reaches it, in one environment --- */

struct node { /* a name that comes to the secret */
    uint32_t service;
    char key[KEY_NAME_MAX + 1];
};

struct finding {
    struct reach *reach;
    struct reach_consumers *out;
    uint32_t environment, owner; /* of the secret */
    struct resolver resolver;    /* of the environment that is looked at */
    uint32_t layers[3];
    struct node *nodes; /* owned: each once */
    size_t count, capacity;
};

static int add_consumer(struct finding *finding, uint32_t service)
{
    const uint32_t environment = finding->resolver.environment;
    struct reach_consumers *out = finding->out;
    if ((environment == finding->environment && service == finding->owner) ||
        !reach_reads(finding->reach, environment, service))
        return 0;
    for (size_t i = 0; i < out->count; i++)
        if (out->list[i].environment == environment && out->list[i].service == service)
            return 0;
    if (out->count == out->capacity) {
        const size_t capacity = out->capacity ? out->capacity * 2 : 8;
        struct reach_consumer *grown = realloc(out->list, capacity * sizeof *grown);
        if (!grown)
            return no_memory();
        out->list = grown;
        out->capacity = capacity;
    }
    out->list[out->count++] = (struct reach_consumer){environment, service};
    return 0;
}

static int add_node(struct finding *finding, uint32_t service, const char *key)
{
    for (size_t i = 0; i < finding->count; i++)
        if (finding->nodes[i].service == service && strcmp(finding->nodes[i].key, key) == 0)
            return 0;
    if (finding->count == RESOLVE_LOOKUPS_MAX) /* none of that length is ever read */
        return 0;
    if (finding->count == finding->capacity) {
        const size_t capacity = finding->capacity ? finding->capacity * 2 : 8;
        struct node *grown = realloc(finding->nodes, capacity * sizeof *grown);
        if (!grown)
            return no_memory();
        finding->nodes = grown;
        finding->capacity = capacity;
    }
    struct node *node = &finding->nodes[finding->count++];
    node->service = service;
    memcpy(node->key, key, strlen(key) + 1);
    return add_consumer(finding, service);
}

/* All that were granted something in the environment. */
static int add_every(struct finding *finding)
{
    const uint32_t environment = finding->resolver.environment;
    int error = 0;
    for (size_t i = 0; i < finding->reach->count && !error; i++)
        if (finding->reach->readers[i].environment == environment &&
            finding->reach->readers[i].service)
            error = add_consumer(finding, finding->reach->readers[i].service);
    return error;
}

static int add_shares(struct finding *finding, uint32_t layer, const char *owner, const char *key)
{
    struct state_share share = {.layer = layer};
    uint32_t service;
    memcpy(share.service, owner, strlen(owner) + 1);
    memcpy(share.key, key, strlen(key) + 1);
    for (;;) {
        int found = state_next_share(finding->reach->txn, &share);
        if (found || share.layer != layer || strcmp(share.service, owner) != 0 ||
            strcmp(share.key, key) != 0)
            return found < 0 ? found : 0;
        if (strcmp(share.consumer, EVERY) == 0)
            found = add_every(finding);
        else if (!(found = state_service_id(finding->reach->txn, &service, share.consumer)))
            found = add_consumer(finding, service);
        if (found < 0)
            return found;
    }
}

/* A definition of a layer that refers to the name: it counts where it is the one in effect, and
 * where it may. */
static int take_referrer(struct finding *finding, uint32_t layer, const char *name,
                         const struct node *to, uint64_t name_id)
{
    char consumer[SERVICE_NAME_MAX + 1], key[KEY_NAME_MAX + 1];
    struct txn *txn = finding->reach->txn;
    struct spot spot;
    uint32_t service;
    int found = state_name(txn, &service, key, name_id);
    if (!found)
        found = state_current(txn, &spot, finding->resolver.environment, service, key);
    if (found || resolve_defined(&finding->resolver, &spot) != layer)
        return found < 0 ? found : 0;
    if (service != to->service) {
        found = state_service_name(txn, consumer, service);
        if (!found)
            found = resolve_is_shared(&finding->resolver, NULL, name, to->key, consumer, true);
        if (found <= 0)
            return found;
    }
    return add_node(finding, service, key);
}

static int take_referrers(struct finding *finding, const struct node *to)
{
    char name[SERVICE_NAME_MAX + 1];
    struct txn *txn = finding->reach->txn;
    int found = state_service_name(txn, name, to->service);
    for (unsigned i = 0; i < 3 && !found; i++) {
        const uint32_t layer = finding->layers[i];
        struct state_reference at = {.layer = layer};
        memcpy(at.service, name, sizeof at.service);
        memcpy(at.key, to->key, sizeof at.key);
        while (layer && !(found = state_next_reference(txn, &at)) && at.layer == layer &&
               strcmp(at.service, name) == 0 && strcmp(at.key, to->key) == 0) {
            found = take_referrer(finding, layer, name, to, at.name_id);
            if (found)
                return found;
        }
        found = found > 0 ? 0 : found;
    }
    return found < 0 ? found : 0;
}

/* In one environment, where the secret is what the name comes to. */
static int find_in(struct finding *finding, uint32_t environment, const char *key)
{
    char name[SERVICE_NAME_MAX + 1];
    struct spot spot;
    struct reach *reach = finding->reach;
    resolver_begin(&finding->resolver, reach->store, reach->txn, environment, UINT64_MAX);
    int found = resolver_layers(&finding->resolver);
    if (!found && environment != finding->environment)
        found = resolve_find(&finding->resolver, &spot, finding->owner, key);
    if (!found && environment != finding->environment && spot.kind != SPOT_IN_BASE)
        return 0;
    if (!found)
        found = state_service_name(reach->txn, name, finding->owner);
    if (found)
        return found < 0 ? found : 0;
    finding->layers[0] = environment;
    finding->layers[1] = finding->resolver.base;
    finding->layers[2] = finding->resolver.all;
    finding->count = 0;
    int error = add_node(finding, finding->owner, key);
    for (unsigned i = 0; i < 3 && !error; i++)
        if (finding->layers[i])
            error = add_shares(finding, finding->layers[i], name, key);
    for (size_t i = 0; i < finding->count && !error; i++) {
        const struct node node = finding->nodes[i]; /* the list grows meanwhile */
        error = take_referrers(finding, &node);
    }
    return error;
}

int reach_consumers(struct reach *reach, struct reach_consumers *out, uint32_t environment,
                    uint32_t owner, const char *key)
{
    struct finding finding = {
        .reach = reach, .out = out, .environment = environment, .owner = owner};
    uint32_t last = 0;
    int error = 0;
    out->count = 0;
    for (size_t i = 0; i < reach->count && !error; i++) {
        const struct reach_reader *reader = &reach->readers[i];
        if (reader->environment == last ||
            (reader->environment != environment && reader->base != environment))
            continue;
        last = reader->environment;
        error = find_in(&finding, last, key);
    }
    free(finding.nodes);
    return error;
}

/* --- from a spot to the secrets that it reaches --- */

struct walking {
    struct reach *reach;
    struct resolver resolver;
    unsigned lookups;
    int (*take)(void *arg, const struct spot *secret);
    void *arg;
};

static int walk_spot(struct walking *walking, const struct spot *spot, unsigned depth);

static int walk_reference(struct walking *walking, const char *owner,
                          const struct reference *reference, unsigned depth)
{
    const char *name = reference->service[0] ? reference->service : owner;
    struct spot spot;
    uint32_t service;
    int found = 0;
    if (strcmp(name, owner) != 0) {
        found = resolve_is_shared(&walking->resolver, NULL, name, reference->key, owner, true);
        if (found <= 0)
            return found;
    }
    found = state_service_id(walking->reach->txn, &service, name);
    if (!found)
        found = resolve_find(&walking->resolver, &spot, service, reference->key);
    if (found)
        return found < 0 ? found : 0;
    return walk_spot(walking, &spot, depth + 1);
}

static int walk_text(struct walking *walking, const struct spot *defined, unsigned depth)
{
    const struct definition definition = spot_definition(defined);
    char owner[SERVICE_NAME_MAX + 1];
    struct reference_walk walk;
    struct reference reference;
    const unsigned char *text;
    size_t size;
    int found = resolve_references(&walking->resolver, &text, &size, &definition);
    if (!found)
        found = state_service_name(walking->reach->txn, owner, defined->service);
    if (found)
        return found < 0 ? found : error_set(ERR_CORRUPT, "a service has no name");
    reference_walk_begin(&walk, definition.kind, text, size);
    while (!(found = reference_walk_next(&walk, &reference))) {
        found = walk_reference(walking, owner, &reference, depth);
        if (found)
            return found;
    }
    return found == TEMPLATE_END ? 0
                                 : error_set(ERR_CORRUPT, "the text of '%s' is none", defined->key);
}

static int walk_spot(struct walking *walking, const struct spot *spot, unsigned depth)
{
    struct spot defined = *spot;
    if (depth > RESOLVE_DEPTH_MAX || walking->lookups++ == RESOLVE_LOOKUPS_MAX)
        return 0; /* what is that far is not read */
    if (!spot_is_own(spot)) {
        const int found =
            resolve_layer(&walking->resolver, &defined, resolve_defined(&walking->resolver, spot),
                          spot->service, spot->key);
        if (found)
            return found < 0 ? found : 0;
    }
    if (defined.kind == ENTRY_SECRET)
        return walking->take(walking->arg, &defined);
    return defined.kind == ENTRY_PLAIN ? 0 : walk_text(walking, &defined, depth);
}

int reach_secrets(struct reach *reach, uint32_t environment, uint32_t service, const char *key,
                  int (*take)(void *arg, const struct spot *secret), void *arg)
{
    struct walking walking = {.reach = reach, .take = take, .arg = arg};
    struct spot spot;
    resolver_begin(&walking.resolver, reach->store, reach->txn, environment, UINT64_MAX);
    walking.resolver.plan = reach->plan;
    walking.resolver.plan_rev = reach->plan_rev;
    int found = resolver_layers(&walking.resolver);
    if (!found)
        found = resolve_find(&walking.resolver, &spot, service, key);
    if (found || walking.resolver.is_all)
        return found < 0 ? found : 0;
    return walk_spot(&walking, &spot, 0);
}
