/*
 * What names have to do with each other. References: the index has what the text of each link and
 * template names, and what it has is named by such a text. Shares, locks, tags and grants: as the
 * log said last. Layers: what is not defined where it is shown is defined beneath, and what is
 * defined beneath is shown.
 */
#include <inttypes.h>
#include <string.h>

#include "store/error.h"
#include "store/log/record.h"
#include "store/log/verify_internal.h"
#include "store/template.h"

#define ALL "all"
/* How the author of a commit that ended something begins. */
#define EXPIRY_AUTHOR "emsa (expiry of rev"

/* --- references --- */

struct names { /* a walk through the names in a text */
    struct template template;
    bool is_link, is_over;
    char owner[SERVICE_NAME_MAX + 1];
};

/* Begins it. NOT_THERE: the definition has no text. */
static int begin_names(struct verify *verify, struct names *names, const struct spot *definition)
{
    struct slice body;
    struct key key;
    const unsigned char *text;
    size_t size;
    *names = (struct names){.is_link = definition->kind == ENTRY_LINK};
    if (definition->kind != ENTRY_LINK && definition->kind != ENTRY_TEMPLATE)
        return TXN_NOT_FOUND;
    int found = state_service_name(verify->txn, names->owner, definition->service);
    if (!found)
        found = txn_get(verify->txn, &body, DB_VALUE,
                        key_operation(&key, definition->since, definition->op));
    if (!found)
        found = value_decode(&text, &size, (enum operation_kind)definition->kind, body);
    if (!found)
        names->template = (struct template){.text = (const char *)text, .size = size};
    return found;
}

/* 0, TEMPLATE_END; a text that is none was told of with the operation that brought it, and ends
 * here. */
static int next_name(struct names *names, struct reference *out)
{
    struct template_piece piece;
    if (names->is_over)
        return TEMPLATE_END;
    if (names->is_link) {
        names->is_over = true;
        return link_parse(out, names->template.text, names->template.size) ? TEMPLATE_END : 0;
    }
    do {
        if (template_next(&names->template, &piece))
            return TEMPLATE_END;
    } while (piece.kind != TEMPLATE_REFERENCE);
    *out = piece.reference;
    if (!out->service[0])
        memcpy(out->service, names->owner, sizeof out->service);
    return 0;
}

int verify_references_of(struct verify *verify, const struct spot *definition)
{
    struct names names;
    struct reference name;
    struct state_reference reference = {.layer = definition->environment,
                                        .name_id = definition->name_id};
    int found = verify_read(verify, begin_names(verify, &names, definition), "text");
    if (found)
        return found < 0 ? found : 0;
    while (!next_name(&names, &name)) {
        verify->report->derived++;
        memcpy(reference.service, name.service, sizeof reference.service);
        memcpy(reference.key, name.key, sizeof reference.key);
        if (!state_has_reference(verify->txn, &reference))
            return verify_fault(verify,
                                "current entry '%s' of %u/%u refers to '%s/%s', which the index of "
                                "references does not know",
                                definition->key, definition->environment, definition->service,
                                name.service, name.key);
    }
    return 0;
}

/* Whether the definition that the record speaks of names what the record says. */
static int find_referrer(struct verify *verify, const struct state_reference *reference)
{
    struct names names;
    struct reference name;
    struct spot definition;
    char key[KEY_NAME_MAX + 1];
    uint32_t service;
    int found = state_name(verify->txn, &service, key, reference->name_id);
    if (!found)
        found = state_current(verify->txn, &definition, reference->layer, service, key);
    if (!found)
        found = begin_names(verify, &names, &definition);
    if (found)
        return found;
    while (!next_name(&names, &name))
        if (strcmp(name.service, reference->service) == 0 && strcmp(name.key, reference->key) == 0)
            return 0;
    return TXN_NOT_FOUND;
}

/* The record is there, and says nothing. */
static int find_reference(struct verify *verify, const struct state_reference *is)
{
    struct key key;
    struct decoder in;
    const int found =
        record_get(verify->txn, &in, DB_REFERENCE,
                   key_reference(&key, is->layer, is->service, is->key, is->name_id), "reference");
    return found ? found : decoder_end(&in, "reference record");
}

int verify_next_reference(struct verify *verify)
{
    struct state_reference reference;
    int found = verify_step(verify, &verify->last_reference, DB_REFERENCE);
    if (found)
        return found == VERIFY_DAMAGED ? 0 : found;
    verify->report->derived++;
    found = key_reference_parse(
        (struct slice){verify->last_reference.data, verify->last_reference.size}, &reference.layer,
        reference.service, reference.key, &reference.name_id);
    if (!found)
        found = find_reference(verify, &reference);
    if (!found)
        found = find_referrer(verify, &reference);
    found = verify_read(verify, found, "references");
    if (found == TXN_NOT_FOUND)
        verify_fault(verify,
                     "the index of references says that key %" PRIu64
                     " of environment %u refers to "
                     "'%s/%s', which it does not",
                     reference.name_id, reference.layer, reference.service, reference.key);
    return found < 0 ? found : 0;
}

/* --- shares, locks, tags and grants --- */

/* The record of what was said of a name. */
static int find_relation(struct verify *verify, const struct relation *relation, uint64_t *rev,
                         uint32_t *op)
{
    struct state_share share = {.layer = relation->environment};
    struct state_lock lock = {.environment = relation->environment};
    struct state_schema schema = {.layer = relation->environment, .service = relation->service};
    uint32_t service;
    if (relation->kind == RELATION_SCHEMA) {
        const int there = state_schema(verify->txn, &schema);
        *rev = schema.rev;
        *op = schema.op;
        return there;
    }
    int found =
        relation->service ? state_service_name(verify->txn, share.service, relation->service) : 0;
    if (!found && relation->name_id)
        found = state_name(verify->txn, &service, share.key, relation->name_id);
    if (found)
        return found;
    memcpy(lock.service, share.service, sizeof lock.service);
    memcpy(lock.key, share.key, sizeof lock.key);
    memcpy(share.consumer, relation->with, sizeof share.consumer);
    const bool is_lock = relation->kind == RELATION_LOCK;
    found = is_lock ? state_lock(verify->txn, &lock) : state_share(verify->txn, &share);
    if (!found) {
        *rev = is_lock ? lock.rev : share.rev;
        *op = is_lock ? lock.op : share.op;
    }
    return found;
}

static int check_tag(struct verify *verify, const struct relation *relation)
{
    struct state_tag tag = {0};
    verify->report->derived++;
    memcpy(tag.name, relation->with, sizeof tag.name);
    const int found = verify_read(verify, state_tag(verify->txn, &tag), "tags");
    if (found == TXN_NOT_FOUND ||
        (!found && (tag.rev != relation->tagged || tag.said_rev != relation->rev ||
                    tag.said_op != relation->op)))
        verify_fault(verify, "commit %" PRIu64 ": operation %u: the tag '%s' is recorded wrongly",
                     relation->rev, relation->op, tag.name);
    return found < 0 ? found : 0;
}

static int check_grant(struct verify *verify, const struct relation *relation)
{
    struct state_grant grant = {.environment = relation->environment, .service = relation->service};
    verify->report->derived++;
    memcpy(grant.principal, relation->with, sizeof grant.principal);
    const int found = verify_read(verify, state_grant(verify->txn, &grant), "grants");
    if (found == TXN_NOT_FOUND ||
        (!found && (grant.rights != relation->rights || grant.rev != relation->rev ||
                    grant.op != relation->op)))
        verify_fault(verify,
                     "commit %" PRIu64 ": operation %u: the rights of '%s' are recorded wrongly",
                     relation->rev, relation->op, grant.principal);
    return found < 0 ? found : verify_holder(verify, relation);
}

static int check_relation(struct verify *verify, const struct relation *relation)
{
    uint64_t rev = 0;
    uint32_t op = 0;
    const struct state_schema schema = {.layer = relation->environment,
                                        .service = relation->service,
                                        .rev = relation->rev,
                                        .op = relation->op};
    const bool is_schema = relation->kind == RELATION_SCHEMA;
    const char *what = is_schema                         ? "set a schema"
                       : relation->kind == RELATION_LOCK ? "locked something"
                                                         : "shared something";
    verify->report->derived++;
    const int found =
        verify_read(verify, find_relation(verify, relation, &rev, &op), "what was said of names");
    if (found == TXN_NOT_FOUND || (!found && (rev != relation->rev || op != relation->op)))
        verify_fault(verify, "commit %" PRIu64 ": operation %u: that it %s is recorded wrongly",
                     relation->rev, relation->op, what);
    else if (!found && is_schema)
        return verify_schema_of(verify, &schema);
    return found < 0 ? found : 0;
}

int verify_relations(struct verify *verify)
{
    const struct relations *relations = &verify->expected.relations;
    int error = 0;
    for (size_t i = 0; i < relations->capacity && !error; i++) {
        const struct relation *slot = &relations->slots[i];
        if (slot->rev)
            error = slot->kind == RELATION_TAG     ? check_tag(verify, slot)
                    : slot->kind == RELATION_GRANT ? check_grant(verify, slot)
                                                   : check_relation(verify, slot);
        error = error ? error : verify_go_on(verify);
    }
    return error;
}

/* --- layers --- */

struct ground { /* where a spot stands */
    char service[SERVICE_NAME_MAX + 1];
    uint32_t base, all; /* 0: none that lives */
    bool is_alive;      /* environment and service are there */
};

static int find_ground(struct verify *verify, struct ground *ground, uint32_t environment,
                       uint32_t service)
{
    struct environment_state state;
    struct place_state place;
    char name[ENVIRONMENT_NAME_MAX + 1];
    uint32_t before;
    *ground = (struct ground){0};
    int found = state_environment(verify->txn, &state, ALL);
    if (!found && state.alive)
        ground->all = state.is.id;
    if (found >= 0)
        found = state_environment_name(verify->txn, name, &before, environment);
    if (!found)
        found = state_environment_base(verify->txn, &ground->base, environment);
    if (!found)
        found = state_environment(verify->txn, &state, name);
    if (!found)
        found = state_service_name(verify->txn, ground->service, service);
    if (!found)
        found = state_place(verify->txn, &place, environment, ground->service);
    ground->is_alive = !found && state.is.id == environment && state.alive && place.alive;
    return found > 0 ? 0 : found;
}

/* Whether a layer has a definition of the spot's name: 1, 0 or a failure. */
static int defines(struct verify *verify, uint32_t layer, const struct spot *spot)
{
    struct spot definition;
    const int found = layer
                          ? state_current(verify->txn, &definition, layer, spot->service, spot->key)
                          : TXN_NOT_FOUND;
    return found < 0 ? found : !found && spot_is_own(&definition);
}

/* The layer of defaults that a spot must show one of, as far as nothing lies above it: 0, none. */
static int find_default(struct verify *verify, uint32_t *layer, const struct spot *spot,
                        const struct ground *ground)
{
    const uint32_t layers[] = {spot->environment, ground->base, ground->all};
    uint32_t in_force;
    const int error = verify_in_force(verify, &in_force, layers, spot->service);
    const int defined =
        error || !in_force ? error : defines(verify, in_force | LAYER_OF_DEFAULTS, spot);
    *layer = defined > 0 ? in_force : 0;
    return defined < 0 ? defined : 0;
}

static uint32_t layer_of(const struct spot *spot, const struct ground *ground)
{
    return spot->kind == SPOT_IN_SCHEMA        ? spot->environment
           : spot->kind == SPOT_IN_BASE_SCHEMA ? ground->base
                                               : ground->all;
}

static int check_pointer(struct verify *verify, const struct spot *spot,
                         const struct ground *ground)
{
    const bool in_base = spot->kind == SPOT_IN_BASE;
    int base = defines(verify, ground->base, spot);
    const int all = base < 0 ? base : defines(verify, ground->all, spot);
    uint32_t layer = 0;
    const bool is_default = spot_is_default(spot->kind);
    const int error = all < 0 ? all : !is_default ? 0 : find_default(verify, &layer, spot, ground);
    if (error)
        return error;
    if (is_default) {
        if (base || all || !layer || layer != layer_of(spot, ground) ||
            ground->all == spot->environment)
            verify_fault(verify,
                         "current entry '%s' of %u/%u does not lead to the default in force",
                         spot->key, spot->environment, spot->service);
        return 0;
    }
    if (ground->all == spot->environment || (in_base ? !base : base || !all))
        verify_fault(verify, "current entry '%s' of %u/%u does not lead to the definition beneath",
                     spot->key, spot->environment, spot->service);
    return 0;
}

/* Nothing is shown where there is a definition beneath: that is so only where showing it would have
 * been a fault when something above it ended by itself, and nobody touched it since. */
static int check_hidden(struct verify *verify, const struct spot *definition,
                        const struct place_state *place)
{
    struct spot moment;
    struct slice body = {0};
    struct header header;
    struct key key;
    int found =
        state_moment(verify->txn, &moment, place->is.environment, definition->name_id, UINT64_MAX);
    if (!found && (moment.kind != SPOT_NONE || moment.since < definition->since ||
                   moment.since < place->is.made_rev))
        found = TXN_NOT_FOUND;
    if (!found)
        found = txn_get(verify->txn, &body, DB_COMMIT, key_commit(&key, moment.since));
    if (!found)
        found = header_decode(&header, body);
    if (!found && (header.author_size < strlen(EXPIRY_AUTHOR) ||
                   memcmp(header.author, EXPIRY_AUTHOR, strlen(EXPIRY_AUTHOR)) != 0))
        found = TXN_NOT_FOUND;
    if (found == TXN_NOT_FOUND)
        return verify_fault(verify,
                            "current entry '%s' of %u/%u: service '%s' of environment %u does not "
                            "show it",
                            definition->key, definition->environment, definition->service,
                            place->is.name, place->is.environment);
    return found;
}

static int check_above(struct verify *verify, const struct spot *definition,
                       const struct ground *ground, uint32_t environment)
{
    struct place_state place;
    struct spot spot;
    int found = state_place(verify->txn, &place, environment, ground->service);
    if (found || !place.alive)
        return found < 0 ? found : 0;
    verify->report->derived++;
    found = state_current(verify->txn, &spot, environment, definition->service, definition->key);
    return found == TXN_NOT_FOUND ? check_hidden(verify, definition, &place) : found;
}

/* What stands on the environment of the definition. */
static int check_all_above(struct verify *verify, const struct spot *definition,
                           const struct ground *ground)
{
    struct environment_state state = {0};
    const uint32_t layer = definition->environment;
    for (;;) {
        int found = state_next_environment(verify->txn, &state, state.is.name);
        if (found)
            return found < 0 ? found : 0;
        if (!state.alive || state.is.id == layer ||
            (state.is.base != layer && ground->all != layer))
            continue;
        found = check_above(verify, definition, ground, state.is.id);
        if (found)
            return found;
    }
}

/* --- defaults --- */

/* A service of an environment that shows nothing of a default which is in force for it. */
static int check_shows_default(struct verify *verify, const struct spot *definition,
                               uint32_t environment)
{
    struct ground ground;
    struct spot spot = *definition;
    uint32_t layer = 0;
    int found = find_ground(verify, &ground, environment, definition->service);
    if (found || !ground.is_alive)
        return found;
    verify->report->derived++;
    found = state_current(verify->txn, &spot, environment, definition->service, definition->key);
    if (found != TXN_NOT_FOUND)
        return found;
    spot.environment = environment;
    const int base = defines(verify, ground.base, &spot);
    const int all = base ? base : defines(verify, ground.all, &spot);
    if (all)
        return all < 0 ? all : 0; /* what lies above it does not show either */
    found = find_default(verify, &layer, &spot, &ground);
    if (!found && (layer | LAYER_OF_DEFAULTS) == definition->environment)
        verify_fault(verify, "service %u of environment %u does not show the default of '%s'",
                     definition->service, environment, definition->key);
    return found;
}

static int check_default_shows(struct verify *verify, const struct spot *definition)
{
    struct environment_state state = {0};
    const uint32_t layer = definition->environment & ~LAYER_OF_DEFAULTS;
    for (;;) {
        int found = state_next_environment(verify->txn, &state, state.is.name);
        if (found)
            return found < 0 ? found : 0;
        if (!state.alive || expected_is_all(&verify->expected, state.is.id) ||
            (state.is.id != layer && state.is.base != layer &&
             !expected_is_all(&verify->expected, layer)))
            continue;
        found = check_shows_default(verify, definition, state.is.id);
        if (found)
            return found;
    }
}

static int verify_default(struct verify *verify, const struct spot *definition)
{
    struct state_schema schema = {.layer = definition->environment & ~LAYER_OF_DEFAULTS,
                                  .service = definition->service};
    int error = state_schema(verify->txn, &schema);
    if (error == TXN_NOT_FOUND)
        return verify_fault(verify, "current entry '%s' of %u/%u is the default of no schema",
                            definition->key, definition->environment, definition->service);
    if (!error)
        error = check_default_shows(verify, definition);
    error = verify_read(verify, error, "defaults");
    return error < 0 ? error : 0;
}

int verify_layers_of(struct verify *verify, const struct spot *spot)
{
    struct ground ground;
    if (spot->environment & LAYER_OF_DEFAULTS)
        return verify_default(verify, spot);
    int error = find_ground(verify, &ground, spot->environment, spot->service);
    if (!error && !ground.is_alive)
        return verify_fault(verify, "current entry '%s' of %u/%u stands in a service that is gone",
                            spot->key, spot->environment, spot->service);
    if (!error && !spot_is_own(spot))
        error = check_pointer(verify, spot, &ground);
    else if (!error && expected_is_beneath(&verify->expected, spot->environment))
        error = check_all_above(verify, spot, &ground);
    error = verify_read(verify, error, "layers");
    return error < 0 ? error : 0;
}
