/* What each spot comes to: references followed, each one once, in the reader's environment. */
#include <stdlib.h>
#include <string.h>

#include "store/limits.h"
#include "tests/support/store/naive.h"
#include "tests/support/store/trial.h"

#define DEPTH_MAX 8u
#define LOOKUPS_MAX 8192u

unsigned naive_layers(unsigned out[static 3], const struct naive *state, unsigned environment)
{
    unsigned count = 0;
    out[count++] = environment;
    if (environment == NAIVE_ALL)
        return count;
    const int base = state->environments[environment].base;
    if (base != NAIVE_NONE && state->environments[base].alive)
        out[count++] = (unsigned)base;
    if (state->environments[NAIVE_ALL].alive)
        out[count++] = NAIVE_ALL;
    return count;
}

const struct naive_definition *naive_effective(const struct naive *state, unsigned environment,
                                               unsigned service, unsigned key, unsigned *layer)
{
    const struct naive_environment *in = &state->environments[environment];
    const enum naive_kind kind = in->records[service][key].kind;
    if (kind == NAIVE_NOTHING)
        return NULL;
    const bool is_of_base = kind == NAIVE_AS_IN_BASE || kind == NAIVE_DEFAULT_OF_BASE;
    const bool is_of_all = kind == NAIVE_AS_IN_ALL || kind == NAIVE_DEFAULT_OF_ALL;
    *layer = is_of_base ? (unsigned)in->base : is_of_all ? NAIVE_ALL : environment;
    const struct naive_environment *by = &state->environments[*layer];
    return kind >= NAIVE_DEFAULT ? &by->defaults[service][key] : &by->definitions[service][key];
}

/* The record of what is in effect at the spot, there where it stands. */
static const struct naive_record *record_of(const struct naive *state, unsigned layer,
                                            unsigned service, unsigned key, enum naive_kind kind)
{
    const struct naive_environment *in = &state->environments[layer];
    return kind >= NAIVE_DEFAULT ? &in->default_records[service][key] : &in->records[service][key];
}

int naive_pieces(struct naive_piece out[static NAIVE_PIECES_MAX],
                 const struct naive_definition *definition, unsigned service)
{
    int count = 0;
    if (definition->kind == NAIVE_LINK)
        count = naive_link(out, definition->text) ? -1 : 1;
    else if (definition->kind == NAIVE_TEMPLATE)
        count = naive_template(out, definition->text, (int)service);
    MUST(count >= 0, "a text that is none was taken: '%s'", definition->text->bytes);
    return count;
}

bool naive_is_shared(const struct naive *state, unsigned environment, unsigned service,
                     unsigned key, unsigned consumer, bool is_plain)
{
    unsigned layers[3];
    if (service == consumer || (service == NAIVE_SHARED && is_plain))
        return true;
    for (unsigned i = naive_layers(layers, state, environment); i-- > 0;) {
        const uint64_t *shares = state->environments[layers[i]].shares[service][key];
        if (shares[consumer] || shares[NAIVE_EVERYBODY])
            return true;
    }
    return false;
}

/* --- one spot --- */

static struct naive_worth *visit(struct naive_worths *all, const struct naive *state,
                                 unsigned environment, unsigned service, unsigned key);

static void newer(struct naive_worth *worth, uint64_t rev, uint64_t since)
{
    if (rev > since && rev > worth->rev)
        worth->rev = rev;
}

static void take(struct naive_worth *worth, const struct naive_worth *target,
                 enum naive_filter filter, uint64_t since)
{
    worth->secret |= target->secret;
    worth->circle |= target->circle || target->progress == NAIVE_UNDERWAY;
    worth->broken |= target->broken || target->progress == NAIVE_UNDERWAY;
    worth->lookups += 1 + target->lookups;
    if (target->depth + 1 > worth->depth)
        worth->depth = target->depth + 1;
    newer(worth, target->rev, since);
    if (worth->circle || worth->size > VALUE_MAX || target->size > VALUE_MAX) {
        worth->size += target->size;
        return;
    }
    naive_append_filtered(&worth->bytes, target->bytes.data, target->bytes.size, filter);
    worth->size = worth->bytes.size;
}

/* A reference that leads to nothing is one more all the same: it may be told that there are too
 * many before it is known to lead nowhere. */
static bool miss(struct naive_worth *worth)
{
    worth->lookups++;
    if (worth->depth < 1)
        worth->depth = 1;
    return false;
}

/* One reference of a spot. Whether it is good, and so is what it refers to: in *well. */
static bool follow(struct naive_worths *all, const struct naive *state, unsigned environment,
                   unsigned service, struct naive_worth *worth, const struct naive_piece *piece,
                   uint64_t since, bool *well)
{
    if (piece->service == NAIVE_NONE || piece->key == NAIVE_NONE)
        return miss(worth);
    const unsigned other = (unsigned)piece->service, name = (unsigned)piece->key;
    const struct naive_worth *target = visit(all, state, environment, other, name);
    if (!target->there && target->progress == NAIVE_DONE)
        return miss(worth);
    take(worth, target, piece->filter, since);
    *well &= target->progress == NAIVE_DONE && !target->faulty;
    return naive_is_shared(state, environment, other, name, service, !target->secret);
}

static void expand(struct naive_worths *all, const struct naive *state, unsigned environment,
                   unsigned service, struct naive_worth *worth,
                   const struct naive_definition *definition, uint64_t since)
{
    static struct naive_piece stack[64][NAIVE_PIECES_MAX];
    static unsigned top;
    MUST(top < 64, "too deep");
    struct naive_piece *pieces = stack[top++];
    const int count = naive_pieces(pieces, definition, service);
    bool well = true, own_fault = false;
    for (int i = 0; i < count; i++) {
        if (pieces[i].is_reference) {
            own_fault |= !follow(all, state, environment, service, worth, &pieces[i], since, &well);
        } else if (worth->size <= VALUE_MAX && !worth->circle) {
            naive_append(&worth->bytes, pieces[i].literal, pieces[i].size);
            worth->size = worth->bytes.size;
        } else {
            worth->size += pieces[i].size;
        }
    }
    own_fault |= worth->circle || worth->depth > DEPTH_MAX || worth->lookups > LOOKUPS_MAX;
    worth->broken |= own_fault;
    worth->faulty = own_fault || worth->size > VALUE_MAX || !well;
    top--;
}

static struct naive_worth *visit(struct naive_worths *all, const struct naive *state,
                                 unsigned environment, unsigned service, unsigned key)
{
    struct naive_worth *worth = &all->of[service][key];
    const struct naive_record *record = &state->environments[environment].records[service][key];
    unsigned layer;
    if (worth->progress != NAIVE_UNSEEN)
        return worth;
    worth->progress = NAIVE_UNDERWAY;
    const struct naive_definition *definition =
        naive_effective(state, environment, service, key, &layer);
    if (definition) {
        worth->there = true;
        worth->rev = record->rev;
        worth->secret = definition->kind == NAIVE_SECRET;
        newer(worth, record_of(state, layer, service, key, record->kind)->rev, record->since);
        if (environment != NAIVE_ALL &&
            (definition->kind == NAIVE_LINK || definition->kind == NAIVE_TEMPLATE)) {
            expand(all, state, environment, service, worth, definition, record->since);
        } else {
            naive_append(&worth->bytes, definition->text->bytes, definition->text->size);
            worth->size = worth->bytes.size;
        }
    }
    worth->progress = NAIVE_DONE;
    return worth;
}

void naive_resolve(struct naive_worths *out, const struct naive *state, unsigned environment)
{
    *out = (struct naive_worths){0};
    for (unsigned service = 0; service < NAIVE_SERVICES; service++)
        for (unsigned key = 0; key < NAIVE_KEYS; key++)
            visit(out, state, environment, service, key);
}

void naive_worths_free(struct naive_worths *worths)
{
    for (unsigned service = 0; service < NAIVE_SERVICES; service++)
        for (unsigned key = 0; key < NAIVE_KEYS; key++)
            free(worths->of[service][key].bytes.data);
    *worths = (struct naive_worths){0};
}
