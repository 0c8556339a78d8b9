/* What stands in the records of a spot when a commit is whole. */
#include <string.h>

#include "store/db/keys.h"
#include "store/error.h"
#include "store/model/inforce.h"
#include "store/model/settle_internal.h"

/* The record as it was before this commit. NOT_THERE: nothing was in effect. */
static int find_before(struct settling *settling, struct spot *out, const struct look *look)
{
    if (look->before == SPOT_NONE)
        return NOT_THERE;
    const int found =
        state_moment(settling->txn, out, look->environment, look->name_id, settling->rev - 1);
    if (found)
        return found;
    out->service = look->service;
    memcpy(out->key, look->key, strlen(look->key) + 1);
    return 0;
}

static int is_present(struct settling *settling, const struct look *look, bool *present)
{
    struct place_state place = {.alive = false};
    char name[SERVICE_NAME_MAX + 1];
    *present = false;
    if (!settle_environment(settling, look->environment))
        return 0;
    int found = state_service_name(settling->txn, name, look->service);
    if (!found)
        found = state_place(settling->txn, &place, look->environment, name);
    *present = !found && place.alive;
    return found < 0 ? found : 0;
}

/* What a spot without a definition of its own must say. */
static int find_layer(struct settling *settling, const struct look *look, unsigned *kind)
{
    struct resolver *now = settle_now(settling, look->environment);
    struct spot spot;
    bool present;
    *kind = SPOT_NONE;
    int found = is_present(settling, look, &present);
    if (found || !present)
        return found;
    found = resolver_layers(now);
    if (found || now->is_all)
        return found < 0 ? found : 0;
    found = resolve_layer(now, &spot, now->base, look->service, look->key);
    if (!found)
        *kind = SPOT_IN_BASE;
    if (found <= 0)
        return found;
    found = resolve_layer(now, &spot, now->all, look->service, look->key);
    if (!found)
        *kind = SPOT_IN_ALL;
    if (found > 0 && settling->has_schemas)
        found = inforce_default(now, kind, &spot, look->service, look->key);
    return found < 0 ? found : 0;
}

static void forget_moment(struct settling *settling, const struct look *look)
{
    struct key key;
    txn_delete(settling->txn, DB_HISTORY,
               key_history(&key, look->environment, look->name_id, settling->rev));
}

int settle_vanish(struct settling *settling, const struct look *look)
{
    const struct spot none = {.environment = look->environment,
                              .name_id = look->name_id,
                              .kind = SPOT_NONE,
                              .since = settling->rev};
    state_delete_current(settling->txn, look->environment, look->service, look->key);
    if (look->before == SPOT_NONE)
        forget_moment(settling, look);
    else
        state_put_moment(settling->txn, &none);
    return 0;
}

/* A pointer that is what it was before says nothing new. */
static void restore(struct settling *settling, const struct look *look, const struct spot *before)
{
    state_put_current(settling->txn, before);
    forget_moment(settling, look);
}

static int write_pointer(struct settling *settling, const struct look *look, unsigned kind)
{
    struct spot before;
    struct spot spot = {.environment = look->environment,
                        .service = look->service,
                        .name_id = look->name_id,
                        .kind = kind,
                        .since = settling->rev,
                        .rev = settling->rev,
                        .time = settling->time,
                        .first_rev = settling->rev,
                        .first_time = settling->time};
    const int found = find_before(settling, &before, look);
    if (found < 0)
        return found;
    memcpy(spot.key, look->key, strlen(look->key) + 1);
    if (!found && before.kind == kind) {
        restore(settling, look, &before);
        return 0;
    }
    if (!found) {
        spot.first_rev = before.first_rev;
        spot.first_time = before.first_time;
    }
    state_put_current(settling->txn, &spot);
    state_put_moment(settling->txn, &spot);
    return 0;
}

/* An own definition that was removed and made again by this commit was there all the time. */
static int keep_first(struct settling *settling, const struct look *look, struct spot *spot)
{
    struct spot before;
    if (look->before == SPOT_NONE || spot->first_rev != settling->rev)
        return 0;
    const int found = find_before(settling, &before, look);
    if (found)
        return found < 0 ? found : 0;
    spot->first_rev = before.first_rev;
    spot->first_time = before.first_time;
    state_put_current(settling->txn, spot);
    state_put_moment(settling->txn, spot);
    return 0;
}

int settle_record(struct settling *settling, struct look *look)
{
    struct spot spot;
    unsigned kind;
    if (settle_is_fresh(settling, look))
        return 0;
    int found = state_current(settling->txn, &spot, look->environment, look->service, look->key);
    if (found < 0)
        return found;
    const bool is_there = !found;
    if (is_there && spot_is_own(&spot))
        return look->step ? keep_first(settling, look, &spot) : 0;
    found = find_layer(settling, look, &kind);
    if (found)
        return found;
    if (is_there && !look->step && spot.kind == kind)
        return 0;
    if (kind != SPOT_NONE)
        return write_pointer(settling, look, kind);
    return is_there || look->step ? settle_vanish(settling, look) : 0;
}

/* --- what stays as it was --- */

static bool is_value(unsigned kind)
{
    return kind == ENTRY_PLAIN || kind == ENTRY_SECRET;
}

/* What stands on an environment may see otherwise what is the same in it: a link is looked for in
 * the reader's environment. So in a base a set moves the revision, but where a value takes the
 * place of a value. */
static bool is_base(const struct settling *settling, uint32_t environment)
{
    for (size_t i = 0; i < settling->environment_count; i++)
        if (settling->environments[i].is.base == environment)
            return true;
    return false;
}

/* Positive 1: the log says so. */
static int was_same(struct settling *settling, const struct look *look, const struct spot *before,
                    struct entry *was)
{
    if (!settling->judge->plan->steps[look->step - 1].operation.is_same)
        return 0;
    const int found = resolve(settle_then(settling, look->environment), was, before);
    return found < 0 ? found : !found;
}

/* Positive 1: both come to the same, and *was is what the spot came to before. */
static int is_equal(struct settling *settling, const struct spot *before, const struct spot *after,
                    struct entry *was)
{
    SECRET_CLEANUP struct secret scratch = {0}, other = {0};
    struct resolver *then = settle_then(settling, after->environment);
    struct resolver *now = settle_now(settling, after->environment);
    const unsigned char *a, *b;
    size_t a_size, b_size;
    struct entry is = {.rev = 0};
    int found = resolve(then, was, before);
    if (!found)
        found = resolve(now, &is, after);
    if (found || was->kind != is.kind || was->expires != is.expires)
        return found < 0 ? found : 0;
    if (is_base(settling, after->environment) &&
        (!is_value(was->defined.kind) || !is_value(is.defined.kind)))
        return 0;
    found = resolve_bytes(then, &a, &a_size, was, &scratch);
    if (!found)
        found = resolve_bytes(now, &b, &b_size, &is, &other);
    if (found)
        return found == -ERR_NO_KEY || found > 0 ? 0 : found;
    return a_size == b_size && (!a_size || equal_constant_time(a, b, a_size));
}

static void write_same(struct settling *settling, const struct look *look, struct spot *spot,
                       const struct entry *was)
{
    settling->judge->plan->steps[look->step - 1].operation.is_same = true;
    spot->rev = was->rev;
    spot->time = was->time;
    state_put_current(settling->txn, spot);
    state_put_moment(settling->txn, spot);
}

/* What was encrypted anew needs no look: it is what it was. */
static int write_resealed(struct settling *settling, const struct look *look)
{
    struct spot before, spot;
    struct entry was = {.rev = 0};
    int found = state_current(settling->txn, &spot, look->environment, look->service, look->key);
    if (!found)
        found = find_before(settling, &before, look);
    if (!found)
        found = resolve(settle_then(settling, look->environment), &was, &before);
    if (found)
        return found < 0
                   ? found
                   : error_set(ERR_CORRUPT, "what is encrypted anew is not there: '%s'", look->key);
    write_same(settling, look, &spot, &was);
    return 0;
}

int settle_same(struct settling *settling, struct look *look)
{
    const struct known *environment = settle_environment(settling, look->environment);
    struct spot before, spot;
    struct entry was;
    if (look->step && settling->judge->plan->steps[look->step - 1].wish &&
        settling->judge->plan->steps[look->step - 1].wish->resealed)
        return write_resealed(settling, look);
    if (!look->step || look->before == SPOT_NONE || !environment || environment->is_all ||
        settling->judge->terms->blind)
        return 0;
    int found = state_current(settling->txn, &spot, look->environment, look->service, look->key);
    if (found || spot.since != settling->rev)
        return found < 0 ? found : 0;
    const bool is_replay = settling->judge->is_replay;
    if (!is_replay && look->steps == 1 && is_value(look->before) && is_value(spot.kind))
        return 0; /* compared when it was judged, and not the same */
    found = find_before(settling, &before, look);
    if (found)
        return found < 0 ? found : 0;
    found = is_replay ? was_same(settling, look, &before, &was)
                      : is_equal(settling, &before, &spot, &was);
    if (found <= 0)
        return found;
    write_same(settling, look, &spot, &was);
    return 0;
}

/* --- references --- */

struct references { /* of one definition */
    struct settling *settling;
    struct state_reference at;
    char owner[SERVICE_NAME_MAX + 1];
    struct bytes text;
};

/* What is in the map is not for reading while it is written. */
static int copy_text(struct references *references, const unsigned char **text, size_t size)
{
    if (!size)
        return 0;
    bytes_append(&references->text, *text, size);
    *text = references->text.data;
    return references->text.error;
}

static int each_reference(struct references *references, const struct spot *spot,
                          void (*step)(struct txn *, const struct state_reference *))
{
    struct resolver *now = settle_now(references->settling, spot->environment);
    const struct definition definition = spot_definition(spot);
    struct reference_walk walk;
    struct reference reference;
    const unsigned char *text;
    size_t size;
    if (is_value(spot->kind))
        return 0;
    bytes_reset(&references->text);
    int found = resolve_references(now, &text, &size, &definition);
    if (!found)
        found = copy_text(references, &text, size);
    if (found)
        return found;
    reference_walk_begin(&walk, definition.kind, text, size);
    while (!(found = reference_walk_next(&walk, &reference))) {
        const char *service = reference.service[0] ? reference.service : references->owner;
        memcpy(references->at.service, service, strlen(service) + 1);
        memcpy(references->at.key, reference.key, sizeof references->at.key);
        step(references->settling->txn, &references->at);
    }
    return found == TEMPLATE_END ? 0
                                 : error_set(ERR_CORRUPT, "the text of '%s' is none", spot->key);
}

int settle_references(struct settling *settling, const struct look *look)
{
    if (settle_is_fresh(settling, look))
        return 0;

    struct references references = {.settling = settling,
                                    .at = {.layer = look->environment, .name_id = look->name_id},
                                    .text = BYTES_INIT(VALUE_MAX)};
    struct spot spot;
    int found = state_service_name(settling->txn, references.owner, look->service);
    if (!found)
        found = find_before(settling, &spot, look);
    if (!found && spot_is_own(&spot))
        found = each_reference(&references, &spot, state_delete_reference);
    if (found >= 0)
        found = state_current(settling->txn, &spot, look->environment, look->service, look->key);
    if (!found && spot_is_own(&spot))
        found = each_reference(&references, &spot, state_put_reference);
    bytes_release(&references.text);
    return found < 0 ? found : 0;
}
