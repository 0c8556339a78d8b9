/* What schemas say of what is in effect, and whom that refuses. */
#include <stdio.h>
#include <string.h>

#include "tests/support/store/naive.h"
#include "tests/support/store/trial.h"

#define FINE REASON_COUNT

/* --- one value --- */

/* -?(0|[1-9][0-9]*), and within 64 bits: longer ones are not drawn. */
static bool is_int(const struct naive_bytes *value, long long *number)
{
    char text[24];
    size_t at = 0;
    if (value->size == 0 || value->size >= sizeof text - 4)
        return false;
    memcpy(text, value->data, value->size);
    text[value->size] = '\0';
    at += text[0] == '-';
    if (text[at] == '0' && value->size > at + 1)
        return false;
    for (size_t i = at; i < value->size; i++)
        if (text[i] < '0' || text[i] > '9')
            return false;
    return at < value->size && sscanf(text, "%lld", number) == 1;
}

static bool is_text(const struct naive_bytes *value, const char *text)
{
    return value->size == strlen(text) &&
           (!value->size || memcmp(value->data, text, value->size) == 0);
}

static bool is_within(const struct naive_rule *rule, long long number)
{
    return (!rule->has_min || number >= rule->min) && (!rule->has_max || number <= rule->max);
}

static bool is_of_type(const struct naive_rule *rule, const struct naive_bytes *value)
{
    long long number = 0;
    bool is_one = false;
    switch (rule->type) {
    case NAIVE_STRING:
        return !(value->size && memchr(value->data, 0, value->size)) &&
               is_within(rule, (long long)value->size);
    case NAIVE_INT:
        return is_int(value, &number) && is_within(rule, number);
    case NAIVE_BOOL:
        return is_text(value, "true") || is_text(value, "false");
    case NAIVE_ENUM:
        for (unsigned i = 0; i < NAIVE_WORDS; i++)
            is_one |= (rule->words >> i & 1) && is_text(value, naive_words[i]);
    }
    return is_one;
}

/* --- one spot --- */

/* What stands on another is meant by the other's name, too. */
static bool is_named(const struct naive *state, unsigned list, unsigned e)
{
    const int base = state->environments[e].base;
    return (list >> e & 1) || (base != NAIVE_NONE && (list >> base & 1));
}

static bool is_required(const struct naive *state, const struct naive_rule *rule, unsigned e)
{
    return (rule->is_required && (!rule->in || is_named(state, rule->in, e))) ||
           is_named(state, rule->required, e);
}

/* FINE, or the first that is wrong. value NULL: whether it is of its type is not asked. */
static enum naive_reason_kind verdict(const struct naive_schema *schema, const struct naive *state,
                                      unsigned e, unsigned key, enum naive_kind seen,
                                      const struct naive_bytes *value)
{
    const struct naive_rule *rule = &schema->rules[key];
    if (!seen)
        return is_required(state, rule, e) ? REASON_MISSING : FINE;
    if (!rule->is_declared)
        return schema->is_strict ? REASON_UNDECLARED : FINE;
    if (rule->in && !is_named(state, rule->in, e))
        return REASON_ELSEWHERE;
    if (rule->is_secret && seen == NAIVE_PLAIN)
        return REASON_PLAIN;
    return !value || is_of_type(rule, value) ? FINE : REASON_WRONG;
}

/* --- a change --- */

struct asked { /* a service in an environment */
    struct naive_work *work;
    const struct naive_schema *is, *was; /* in force, and before */
    unsigned e, service;
    bool was_there; /* before, and perhaps not all the time since */
    bool is_placed; /* by this change */
    bool is_new;    /* another schema is in force */
};

static bool is_changed(const struct asked *asked, unsigned key)
{
    const struct naive_result *result = asked->work->result;
    for (size_t i = 0; i < result->outcome_count; i++)
        if (result->outcomes[i].environment == asked->e &&
            result->outcomes[i].service == (int)asked->service &&
            result->outcomes[i].key == (int)key &&
            result->outcomes[i].life == asked->work->state->environments[asked->e].life)
            return true;
    return false;
}

static void note(const struct asked *asked, unsigned key, enum naive_reason_kind kind)
{
    struct naive_result *result = asked->work->result;
    MUST(result->note_count < NAIVE_NOTES_MAX, "too many notes");
    struct naive_note *note = &result->notes[result->note_count++];
    note->kind = kind;
    naive_path(note->place, &(struct naive_spot){(int)asked->e, (int)asked->service, (int)key});
}

static void refuse(struct naive_work *work, enum naive_reason_kind kind,
                   const struct naive_spot *spot)
{
    if (work->terms->override & NAIVE_PASS_SCHEMA)
        work->result->is_passed = true;
    else
        naive_refuse(work, kind, naive_is_faulty(work, spot) ? REASON_MAY : REASON_MUST, spot, "");
}

/* What is wrong with a key in the same way as before is no worse; values are other ones now. */
static bool was_so(const struct asked *asked, unsigned key, enum naive_reason_kind now)
{
    const struct naive_work *work = asked->work;
    const enum naive_kind seen =
        work->before->environments[asked->e].seen[asked->service][key].kind;
    return asked->was_there && asked->was && seen && now != REASON_WRONG &&
           verdict(asked->was, work->state, asked->e, key, seen, NULL) == now;
}

/* What is required is there for good: what ends is not enough. */
static void judge_end(const struct asked *asked, unsigned key)
{
    struct naive_work *work = asked->work;
    const struct naive_spot spot = {(int)asked->e, (int)asked->service, (int)key};
    const struct naive_environment *before = &work->before->environments[asked->e];
    unsigned layer = asked->e;
    const struct naive_definition *is =
        naive_effective(work->state, asked->e, asked->service, key, &layer);
    const bool is_new = work->set[layer][asked->service][key] ||
                        (asked->was_there ? before->records[asked->service][key].kind : 0) !=
                            work->state->environments[asked->e].records[asked->service][key].kind;
    if (is && is->expires && is_new && is_required(work->state, &asked->is->rules[key], asked->e))
        refuse(work, REASON_REQUIRED_ENDS, &spot);
}

/* It came along with its service, from beneath, and nobody set it here. */
static bool is_carried(const struct asked *asked, unsigned key)
{
    const struct naive_work *work = asked->work;
    const struct naive_environment *in = &work->state->environments[asked->e];
    return asked->is_placed && in->seen[asked->service][key].kind &&
           !(work->set[asked->e][asked->service][key] && in->definitions[asked->service][key].kind);
}

/* What a default alone did is told of; what else was done is judged. */
static void judge_key(const struct asked *asked, unsigned key, const struct naive_bytes *value)
{
    struct naive_work *work = asked->work;
    const struct naive_spot spot = {(int)asked->e, (int)asked->service, (int)key};
    const bool changed = is_changed(asked, key);
    const enum naive_kind seen = work->state->environments[asked->e].seen[asked->service][key].kind;
    const enum naive_reason_kind now =
        asked->is ? verdict(asked->is, work->state, asked->e, key, seen, value) : FINE;
    const bool is_by_default =
        changed && !asked->is_placed && !naive_is_moved(work, asked->e, asked->service, key);
    if (is_by_default)
        note(asked, key, REASON_COUNT);
    if ((asked->is_new || is_by_default) && now != FINE)
        note(asked, key, now);
    if (!asked->is || !changed || is_by_default)
        return;
    if (is_carried(asked, key)) {
        if (now != FINE && !asked->is_new)
            note(asked, key, now);
        return;
    }
    judge_end(asked, key);
    if (now != FINE && !was_so(asked, key, now) && !(now == REASON_MISSING && asked->is_placed))
        refuse(work, now, &spot);
}

/* The schema that is in force by the layers that there are now, as they had it at the time of
 * state; *rev is of its setting, *layer where. */
static const struct naive_schema *find(const struct naive_work *work, const struct naive *state,
                                       unsigned e, unsigned service, uint64_t *rev, unsigned *layer)
{
    unsigned layers[3];
    const unsigned count = naive_layers(layers, work->state, e);
    for (unsigned i = 0; i < count; i++) {
        const struct naive_environment *in = &state->environments[layers[i]];
        *rev = in->schema_revs[service];
        *layer = layers[i];
        if (in->life == work->state->environments[layers[i]].life && in->schemas[service])
            return in->schemas[service];
    }
    *rev = *layer = 0;
    return NULL;
}

static void judge_service(struct naive_work *work, unsigned e, unsigned s,
                          const struct naive_worths *worths)
{
    const struct naive_environment *in = &work->state->environments[e],
                                   *was = &work->before->environments[e];
    const bool is_one = was->alive && was->life == in->life;
    struct asked asked = {.work = work,
                          .e = e,
                          .service = s,
                          .was_there = is_one && was->places[s].present,
                          .is_placed = !is_one || work->placed[e][s]};
    uint64_t rev, before;
    unsigned layer, other;
    asked.is = find(work, work->state, e, s, &rev, &layer);
    asked.was = find(work, work->before, e, s, &before, &other);
    asked.is_new = asked.is && (rev != before || layer != other);
    for (unsigned key = 0; in->places[s].present && key < NAIVE_KEYS; key++)
        judge_key(&asked, key, &worths->of[s][key].bytes);
}

void naive_judge_schemas(struct naive_work *work)
{
    static struct naive_worths worths;
    for (unsigned e = 1; e < NAIVE_ENVIRONMENTS; e++) {
        if (!work->state->environments[e].alive)
            continue;
        naive_resolve(&worths, work->state, e);
        for (unsigned s = 0; s < NAIVE_SERVICES; s++)
            judge_service(work, e, s, &worths);
        naive_worths_free(&worths);
    }
}
