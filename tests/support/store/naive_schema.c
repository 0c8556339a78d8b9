/* Schemas and their defaults as a state has them, and what an override of sharing does. */
#include <stdlib.h>
#include <string.h>

#include "tests/support/store/naive.h"
#include "tests/support/store/trial.h"

const char *const naive_words[] = {"v0", "v1", "v2", "true"};

static bool is_rule_equal(const struct naive_rule *a, const struct naive_rule *b)
{
    return a->is_declared == b->is_declared && a->is_secret == b->is_secret &&
           a->is_deprecated == b->is_deprecated && a->is_required == b->is_required &&
           a->required == b->required && a->in == b->in && a->type == b->type &&
           a->words == b->words && a->has_min == b->has_min && a->has_max == b->has_max &&
           a->min == b->min && a->max == b->max && a->fallback == b->fallback;
}

static bool is_schema_equal(const struct naive_schema *a, const struct naive_schema *b)
{
    bool is_equal = a->is_strict == b->is_strict;
    for (unsigned i = 0; i < NAIVE_KEYS; i++)
        is_equal &= is_rule_equal(&a->rules[i], &b->rules[i]);
    return is_equal;
}

const struct naive_schema *naive_schema(const struct naive_schema *like)
{
    static const struct naive_schema *first;
    for (const struct naive_schema *at = first; at; at = at->next)
        if (is_schema_equal(at, like))
            return at;
    struct naive_schema *made = malloc(sizeof *made);
    MUST(made, "no memory");
    *made = *like;
    made->next = first;
    first = made;
    return made;
}

int naive_schema_layer(const struct naive *state, unsigned environment, unsigned service)
{
    unsigned layers[3];
    const unsigned count = naive_layers(layers, state, environment);
    for (unsigned i = 0; i < count; i++)
        if (state->environments[layers[i]].schemas[service])
            return (int)layers[i];
    return NAIVE_NONE;
}

void naive_schema_put(struct naive_work *work, int environment, int service,
                      const struct naive_schema *schema)
{
    struct naive_environment *in = &work->state->environments[environment];
    in->schemas[service] = schema;
    in->schema_revs[service] = schema ? work->rev : 0;
    work->schema_set[environment][service] = true;
    naive_did(work, &(struct naive_spot){environment, service, NAIVE_NONE});
    for (unsigned key = 0; key < NAIVE_KEYS; key++) {
        const struct naive_text *wanted = schema ? schema->rules[key].fallback : NULL;
        struct naive_definition *is = &in->defaults[service][key];
        if (is->text == wanted)
            continue;
        *is = wanted
                  ? (struct naive_definition){.kind = NAIVE_PLAIN, .text = wanted, .rev = work->rev}
                  : (struct naive_definition){0};
        work->default_set[environment][service][key] = true;
        work->result->operations++;
    }
}

/* --- an override of sharing --- */

/* One that was asked for, and taken back again, is not made once more. */
static bool is_wished(const struct naive_work *work, const struct naive_spot *at, unsigned consumer)
{
    for (size_t i = 0; i < work->wish_count; i++) {
        const struct naive_wish *wish = &work->wishes[i];
        if (wish->verb == NAIVE_SHARE && wish->consumer == consumer &&
            wish->at.environment == at->environment && wish->at.service == at->service &&
            wish->at.key == at->key)
            return true;
    }
    return false;
}

static bool share_one(struct naive_work *work, const struct naive_worths *worths, unsigned e,
                      unsigned consumer, const struct naive_piece *piece)
{
    if (!piece->is_reference || piece->service == NAIVE_NONE || piece->key == NAIVE_NONE)
        return false;
    const struct naive_spot at = {(int)e, piece->service, piece->key};
    const struct naive_worth *target = &worths->of[at.service][at.key];
    if (!target->there || target->faulty || is_wished(work, &at, consumer) ||
        naive_is_shared(work->state, e, (unsigned)at.service, (unsigned)at.key, consumer,
                        !target->secret))
        return false;
    work->state->environments[e].shares[at.service][at.key][consumer] = work->rev;
    work->result->is_passed = true;
    naive_did(work, &at);
    return true;
}

/* Whatever a new fault leads to. What that comes to may be faulty in turn. */
static bool share_in(struct naive_work *work, unsigned e)
{
    static struct naive_worths worths;
    static struct naive_piece pieces[NAIVE_PIECES_MAX];
    bool asked[NAIVE_SERVICES][NAIVE_KEYS] = {0}, is_any = false;
    unsigned layer;
    naive_resolve(&worths, work->state, e);
    for (unsigned i = 0; i < NAIVE_SERVICES * NAIVE_KEYS; i++) {
        const unsigned s = i / NAIVE_KEYS, k = i % NAIVE_KEYS;
        if (!worths.of[s][k].faulty || !naive_is_new_fault(work, e, s, k))
            continue;
        asked[s][k] = true;
        naive_reach(work->state, e, s, k, asked);
    }
    for (unsigned i = 0; i < NAIVE_SERVICES * NAIVE_KEYS; i++) {
        const unsigned s = i / NAIVE_KEYS, k = i % NAIVE_KEYS;
        const struct naive_definition *is = naive_effective(work->state, e, s, k, &layer);
        const int count = asked[s][k] && is ? naive_pieces(pieces, is, s) : 0;
        for (int at = 0; at < count; at++)
            is_any |= share_one(work, &worths, e, s, &pieces[at]);
    }
    naive_worths_free(&worths);
    return is_any;
}

bool naive_share_all(struct naive_work *work)
{
    bool is_any = false;
    for (unsigned e = 1; e < NAIVE_ENVIRONMENTS; e++)
        if (work->state->environments[e].alive)
            is_any |= share_in(work, e);
    return is_any;
}
