/* Records after a change, what is seen by them, and what is otherwise than before. */
#include <stdio.h>
#include <string.h>

#include "store/history.h"
#include "tests/support/store/naive.h"
#include "tests/support/store/trial.h"

#define EACH_SPOT(service_, key_)                                                                  \
    for (unsigned service_ = 0; service_ < NAIVE_SERVICES; service_++)                             \
        for (unsigned key_ = 0; key_ < NAIVE_KEYS; key_++)

static bool is_same_life(const struct naive_work *work, unsigned e)
{
    const struct naive_environment *was = &work->before->environments[e],
                                   *is = &work->state->environments[e];
    return was->alive && is->alive && was->life == is->life;
}

/* --- records --- */

static enum naive_kind kind_of(const struct naive *state, unsigned e, unsigned service,
                               unsigned key)
{
    const struct naive_environment *in = &state->environments[e];
    const enum naive_kind own = in->definitions[service][key].kind;
    if (own || e == NAIVE_ALL)
        return own;
    if (!in->alive || !in->places[service].present || in->hidden[service][key])
        return NAIVE_NOTHING;
    if (in->base != NAIVE_NONE && state->environments[in->base].definitions[service][key].kind)
        return NAIVE_AS_IN_BASE;
    const struct naive_environment *all = &state->environments[NAIVE_ALL];
    if (all->alive && all->definitions[service][key].kind)
        return NAIVE_AS_IN_ALL;
    const int layer = naive_schema_layer(state, e, service);
    if (layer == NAIVE_NONE || !state->environments[layer].defaults[service][key].kind)
        return NAIVE_NOTHING;
    return layer == (int)e           ? NAIVE_DEFAULT
           : layer == (int)NAIVE_ALL ? NAIVE_DEFAULT_OF_ALL
                                     : NAIVE_DEFAULT_OF_BASE;
}

/* Whether something was done about the spot in one of its layers. */
static bool is_touched(const struct naive_work *work, unsigned e, unsigned service, unsigned key)
{
    unsigned layers[3];
    if (!is_same_life(work, e) || work->placed[e][service])
        return true;
    for (unsigned i = naive_layers(layers, work->state, e); i-- > 0;)
        if (work->touched[layers[i]][service][key])
            return true;
    return false;
}

/* Or about its default, there or in another of them. */
static bool is_default_touched(const struct naive_work *work, unsigned e, unsigned service,
                               unsigned key)
{
    unsigned layers[3];
    bool has_default = false, is_set = false, is_said = false;
    for (unsigned i = naive_layers(layers, work->state, e); i-- > 0;) {
        has_default |= work->state->environments[layers[i]].defaults[service][key].kind != 0;
        is_set |= work->default_set[layers[i]][service][key];
        is_said |= work->schema_set[layers[i]][service];
    }
    return is_set || (is_said && has_default);
}

bool naive_is_touched(const struct naive_work *work, unsigned e, unsigned service, unsigned key)
{
    return is_touched(work, e, service, key) || is_default_touched(work, e, service, key);
}

static void set_kinds(struct naive_work *work)
{
    for (unsigned e = 0; e < NAIVE_ENVIRONMENTS; e++) {
        struct naive_environment *in = &work->state->environments[e];
        EACH_SPOT(service, key)
        {
            if (naive_is_touched(work, e, service, key))
                in->hidden[service][key] = false;
            in->records[service][key].kind = kind_of(work->state, e, service, key);
        }
    }
}

/* An expiry shows nothing that is faulty: such pointers are taken away until all is well. */
static void hide_faulty(struct naive_work *work)
{
    bool again = true;
    while (again) {
        again = false;
        for (unsigned e = 1; e < NAIVE_ENVIRONMENTS; e++) {
            struct naive_worths worths;
            struct naive_environment *in = &work->state->environments[e];
            naive_resolve(&worths, work->state, e);
            EACH_SPOT(service, key)
            {
                if (!worths.of[service][key].faulty ||
                    in->records[service][key].kind < NAIVE_AS_IN_BASE)
                    continue;
                in->hidden[service][key] = again = true;
                in->records[service][key].kind = NAIVE_NOTHING;
            }
            naive_worths_free(&worths);
        }
    }
}

static bool is_value(enum naive_kind kind)
{
    return kind == NAIVE_PLAIN || kind == NAIVE_SECRET;
}

static int64_t end_of(const struct naive *state, unsigned e, unsigned service, unsigned key)
{
    unsigned layer;
    const struct naive_definition *is = naive_effective(state, e, service, key, &layer);
    return is ? is->expires : 0;
}

/* What stands on it may see otherwise what is the same in a base, but values. */
static bool is_base(const struct naive *state, unsigned e)
{
    for (unsigned i = 0; i < NAIVE_ENVIRONMENTS; i++)
        if (state->environments[i].alive && state->environments[i].base == (int)e)
            return true;
    return false;
}

static bool is_defined_by_value(const struct naive *state, unsigned e, unsigned service,
                                unsigned key)
{
    unsigned layer;
    const struct naive_definition *is = naive_effective(state, e, service, key, &layer);
    return is && is_value(is->kind);
}

/* What is in effect at the spot is what it was, and so is its end. In `all` every
 * text is another. */
static bool is_same(const struct naive_work *work, unsigned e, unsigned service, unsigned key,
                    const struct naive_worth *worth)
{
    const struct naive_seen *was = &work->before->environments[e].seen[service][key];
    if (e == NAIVE_ALL || !worth->there || worth->faulty)
        return false;
    if (is_base(work->state, e) && (!is_defined_by_value(work->before, e, service, key) ||
                                    !is_defined_by_value(work->state, e, service, key)))
        return false;
    return was->kind == (worth->secret ? NAIVE_SECRET : NAIVE_PLAIN) && was->size == worth->size &&
           was->hash == naive_hash(worth->bytes.data, worth->size) &&
           was->expires == end_of(work->state, e, service, key);
}

static void write_record(struct naive_work *work, unsigned e, unsigned service, unsigned key,
                         const struct naive_worth *worth)
{
    struct naive_record *is = &work->state->environments[e].records[service][key];
    const struct naive_environment *before = &work->before->environments[e];
    const struct naive_record was =
        is_same_life(work, e) ? before->records[service][key] : (struct naive_record){0};
    const enum naive_kind kind = is->kind;
    if (!work->set[e][service][key] && kind == was.kind) {
        *is = was;
        return;
    }
    if (!kind) {
        *is = (struct naive_record){0};
        return;
    }
    *is = (struct naive_record){.kind = kind, .since = work->rev, .rev = work->rev};
    is->first_rev = was.kind ? was.first_rev : work->rev;
    if (work->touched[e][service][key] && was.kind && is_same(work, e, service, key, worth))
        is->rev = before->seen[service][key].rev;
}

static void write_default(struct naive_work *work, unsigned e, unsigned service, unsigned key)
{
    struct naive_environment *in = &work->state->environments[e];
    const struct naive_record was =
        is_same_life(work, e) ? work->before->environments[e].default_records[service][key]
                              : (struct naive_record){0};
    const enum naive_kind kind = in->defaults[service][key].kind;
    struct naive_record *is = &in->default_records[service][key];
    *is = was;
    if (!work->default_set[e][service][key] && kind == was.kind)
        return;
    *is = (struct naive_record){.kind = kind};
    if (kind)
        is->since = is->rev = work->rev, is->first_rev = was.kind ? was.first_rev : work->rev;
}

/* --- what is seen --- */

static void see(struct naive_work *work, unsigned e, const struct naive_worths *worths)
{
    struct naive_environment *in = &work->state->environments[e];
    EACH_SPOT(service, key)
    {
        const struct naive_worth *worth = &worths->of[service][key];
        const struct naive_record *record = &in->records[service][key];
        struct naive_seen *seen = &in->seen[service][key];
        *seen = (struct naive_seen){.is_faulty = worth->faulty,
                                    .is_large = worth->faulty && !worth->broken};
        if (!worth->there || worth->faulty)
            continue;
        seen->record = record->kind;
        seen->kind = e == NAIVE_ALL ? record->kind : worth->secret ? NAIVE_SECRET : NAIVE_PLAIN;
        seen->rev = worth->rev;
        seen->first_rev = record->first_rev;
        seen->size = worth->size;
        seen->hash = naive_hash(worth->bytes.data, worth->bytes.size);
        seen->expires = end_of(work->state, e, service, key);
    }
}

/* --- outcomes --- */

static void tell(struct naive_work *work, struct naive_outcome outcome)
{
    struct naive_result *result = work->result;
    MUST(result->outcome_count < NAIVE_OUTCOMES_MAX, "too many outcomes");
    result->outcomes[result->outcome_count++] = outcome;
}

/* What went or came with a whole place. */
static void tell_all(struct naive_work *work, const struct naive *state, char mark, unsigned e,
                     int service)
{
    const struct naive_environment *in = &state->environments[e];
    struct naive_outcome outcome = {.kind = OUTCOME_SERVICE,
                                    .mark = mark,
                                    .environment = e,
                                    .life = in->life,
                                    .service = service,
                                    .incarnation = in->places[service].incarnation,
                                    .key = NAIVE_NONE};
    tell(work, outcome);
    outcome.kind = OUTCOME_KEY;
    for (unsigned key = 0; key < NAIVE_KEYS; key++) {
        outcome.key = (int)key;
        outcome.is_secret = in->seen[service][key].kind == NAIVE_SECRET;
        if (in->records[service][key].kind)
            tell(work, outcome);
    }
}

static void tell_key(struct naive_work *work, unsigned e, unsigned service, unsigned key)
{
    const struct naive_environment *in = &work->state->environments[e];
    const struct naive_seen *was = &work->before->environments[e].seen[service][key],
                            *is = &in->seen[service][key];
    struct naive_outcome outcome = {.kind = OUTCOME_KEY,
                                    .environment = e,
                                    .life = in->life,
                                    .service = (int)service,
                                    .incarnation = in->places[service].incarnation,
                                    .key = (int)key};
    const bool differs = was->kind != is->kind || was->size != is->size || was->hash != is->hash;
    outcome.is_secret = (is->kind ? is : was)->kind == NAIVE_SECRET;
    /* Records count: a definition that an expiry left faulty is there, and nobody reads it. */
    const bool was_there = work->before->environments[e].records[service][key].kind;
    const bool is_there = in->records[service][key].kind;
    outcome.mark = !was_there && is_there                                      ? '+'
                   : was_there && !is_there                                    ? '-'
                   : was_there && is_there && is->kind && is->rev == work->rev ? '~'
                                                                               : '\0';
    if (outcome.mark)
        tell(work, outcome);
    if (!outcome.mark && differs && !is->is_faulty && !work->result->unsound++)
        naive_path(work->result->unsound_place,
                   &(struct naive_spot){(int)e, (int)service, (int)key});
}

static void tell_environment(struct naive_work *work, unsigned e)
{
    const struct naive_environment *was = &work->before->environments[e],
                                   *is = &work->state->environments[e];
    const bool is_one = is_same_life(work, e);
    struct naive_outcome outcome = {
        .kind = OUTCOME_ENVIRONMENT, .environment = e, .service = NAIVE_NONE, .key = NAIVE_NONE};
    if (was->alive && !is_one) {
        outcome.mark = '-';
        outcome.life = was->life;
        tell(work, outcome);
    }
    if (is->alive && !is_one) {
        outcome.mark = '+';
        outcome.life = is->life;
        tell(work, outcome);
    }
    for (unsigned service = 0; service < NAIVE_SERVICES; service++) {
        const bool was_there = was->alive && was->places[service].present;
        const bool is_there = is->alive && is->places[service].present;
        const bool stays = is_one && was_there && is_there && !work->placed[e][service];
        if (was_there && !stays)
            tell_all(work, work->before, '-', e, (int)service);
        if (is_there && !stays)
            tell_all(work, work->state, '+', e, (int)service);
        for (unsigned key = 0; stays && key < NAIVE_KEYS; key++)
            tell_key(work, e, service, key);
    }
}

void naive_date(struct naive_work *work)
{
    for (unsigned e = 0; e < NAIVE_ENVIRONMENTS; e++) {
        struct naive_environment *in = &work->state->environments[e];
        if (work->worked[e])
            in->changed_rev = work->rev;
        for (unsigned service = 0; service < NAIVE_SERVICES; service++)
            if (work->worked_service[e][service])
                in->places[service].changed_rev = work->rev;
    }
    for (size_t i = 0; i < work->result->outcome_count; i++) {
        const struct naive_outcome *outcome = &work->result->outcomes[i];
        struct naive_environment *in = &work->state->environments[outcome->environment];
        if (in->life != outcome->life)
            continue;
        in->changed_rev = in->shown_rev = work->rev;
        if (outcome->kind == OUTCOME_SERVICE)
            in->listed_rev = work->rev;
        if (outcome->kind != OUTCOME_ENVIRONMENT)
            in->places[outcome->service].changed_rev = work->rev;
        if (outcome->kind == OUTCOME_KEY)
            in->places[outcome->service].shown_rev = work->rev;
        if (outcome->kind == OUTCOME_KEY && outcome->mark != '~')
            in->places[outcome->service].listed_rev = work->rev;
    }
}

void naive_settle(struct naive_work *work)
{
    static struct naive_worths worths[NAIVE_ENVIRONMENTS];
    set_kinds(work);
    if (work->terms->is_expiry)
        hide_faulty(work);
    for (unsigned e = 0; e < NAIVE_ENVIRONMENTS; e++)
        EACH_SPOT(service, key)
    write_default(work, e, service, key);
    for (unsigned e = 0; e < NAIVE_ENVIRONMENTS; e++)
        naive_resolve(&worths[e], work->state, e);
    for (unsigned e = 0; e < NAIVE_ENVIRONMENTS; e++) {
        EACH_SPOT(service, key)
        write_record(work, e, service, key, &worths[e].of[service][key]);
        naive_worths_free(&worths[e]);
    }
    for (unsigned e = 0; e < NAIVE_ENVIRONMENTS; e++) {
        naive_resolve(&worths[e], work->state, e); /* once more: revisions are known now */
        see(work, e, &worths[e]);
        naive_worths_free(&worths[e]);
    }
    for (unsigned e = 0; e < NAIVE_ENVIRONMENTS; e++)
        tell_environment(work, e);
}
