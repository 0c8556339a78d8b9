#include "tests/support/store/match.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/secret.h"
#include "tests/support/store/trial.h"

/* --- what is kept --- */

static void *grown(void *rows, size_t size)
{
    void *more = realloc(rows, size);
    MUST(more, "no memory");
    return more;
}

void match_attach(struct match *match, struct store *store)
{
    match->store = store;
    MUST_DO(snapshot_new(&match->snapshot, store));
}

void match_detach(struct match *match)
{
    snapshot_free(match->snapshot);
    match->snapshot = NULL;
    match->store = NULL;
}

void match_init(struct match *match, struct store *store)
{
    *match = (struct match){0};
    match_attach(match, store);
}

void match_release(struct match *match)
{
    if (match->store)
        match_detach(match);
    for (unsigned i = 0; i < match->life_count; i++)
        for (unsigned s = 0; s < NAIVE_SERVICES; s++)
            for (unsigned k = 0; k < NAIVE_KEYS; k++)
                free(match->lives[i].spots[s][k].memory);
    free(match->lives);
    free(match->times);
    *match = (struct match){0};
}

static struct match_life *life_of(struct match *match, unsigned life, unsigned environment)
{
    if (life >= match->life_count) {
        const unsigned count = life + 64;
        match->lives = grown(match->lives, count * sizeof match->lives[0]);
        memset(match->lives + match->life_count, 0,
               (count - match->life_count) * sizeof match->lives[0]);
        match->life_count = count;
    }
    match->lives[life].environment = environment;
    return &match->lives[life];
}

static bool is_equal(const struct naive_seen *a, const struct naive_seen *b)
{
    return a->kind == b->kind && a->record == b->record && a->rev == b->rev &&
           a->first_rev == b->first_rev && a->size == b->size && a->hash == b->hash &&
           a->expires == b->expires && a->is_large == b->is_large;
}

static void remember(struct match_spot *spot, uint64_t rev, const struct naive_seen *seen)
{
    static const struct naive_seen nothing;
    struct naive_seen is = seen->kind || seen->is_large ? *seen : nothing;
    const struct naive_seen *last = spot->count ? &spot->memory[spot->count - 1].seen : &nothing;
    if (is_equal(last, &is))
        return;
    if (spot->count == spot->capacity) {
        spot->capacity = spot->capacity * 2 + 4;
        spot->memory = grown(spot->memory, spot->capacity * sizeof spot->memory[0]);
    }
    spot->memory[spot->count].rev = rev;
    spot->memory[spot->count++].seen = is;
}

/* Environments that are gone have nothing from now on. */
static void remember_all(struct match *match, const struct naive *state)
{
    static const struct naive_seen nothing;
    for (unsigned life = 1; life < match->life_count; life++) {
        struct match_life *of = &match->lives[life];
        const struct naive_environment *in = &state->environments[of->environment];
        const bool is_alive = in->alive && in->life == life;
        for (unsigned s = 0; of->id && s < NAIVE_SERVICES; s++)
            for (unsigned k = 0; k < NAIVE_KEYS; k++)
                remember(&of->spots[s][k], state->rev, is_alive ? &in->seen[s][k] : &nothing);
    }
}

/* --- entries --- */

static void match_bytes(struct match *match, const char *path, const struct entry *entry,
                        const struct naive_seen *seen)
{
    SECRET_CLEANUP struct secret scratch = {0};
    const unsigned char *data = NULL;
    size_t size, told;
    MUST(snapshot_value(match->snapshot, &data, &size, entry, &scratch) == 0, "'%s' cannot be read",
         path);
    MUST(size == seen->size && naive_hash(data, size) == seen->hash,
         "'%s' has %zu bytes '%.*s', not %" PRIu64, path, size, (int)(size < 60 ? size : 60),
         size ? (const char *)data : "", seen->size);
    MUST(snapshot_size(match->snapshot, &told, entry) == 0 && told == size,
         "the size of '%s' is told as %zu, it has %zu bytes", path, told, size);
}

static void match_entry(struct match *match, const char *path, const struct entry *entry,
                        const struct naive_seen *seen)
{
    static const enum entry_origin origins[] = {[NAIVE_AS_IN_BASE] = ORIGIN_BASE,
                                                [NAIVE_AS_IN_ALL] = ORIGIN_ALL,
                                                [NAIVE_DEFAULT] = ORIGIN_SCHEMA,
                                                [NAIVE_DEFAULT_OF_BASE] = ORIGIN_SCHEMA,
                                                [NAIVE_DEFAULT_OF_ALL] = ORIGIN_SCHEMA};
    MUST((int)entry->kind == (int)seen->kind, "'%s' is of kind %d, not %d", path, (int)entry->kind,
         (int)seen->kind);
    MUST(entry->origin == origins[seen->record], "'%s' comes from %d, not %d", path,
         (int)entry->origin, (int)origins[seen->record]);
    MUST(entry->rev == seen->rev, "'%s' has revision %" PRIu64 ", not %" PRIu64, path, entry->rev,
         seen->rev);
    MUST(entry->first_rev == seen->first_rev,
         "'%s' is there since revision %" PRIu64 ", not %" PRIu64, path, entry->first_rev,
         seen->first_rev);
    MUST(entry->time == match->times[seen->rev], "'%s' has another time than revision %" PRIu64,
         path, seen->rev);
    MUST(entry->first_time == match->times[seen->first_rev],
         "'%s' has another first time than revision %" PRIu64, path, seen->first_rev);
    MUST(entry->expires == seen->expires, "'%s' ends at %" PRId64 ", not %" PRId64, path,
         entry->expires, seen->expires);
    match_bytes(match, path, entry, seen);
}

/* A definition that an expiry made too large is there, and can't be read. */
static void match_large(struct match *match, const char *path, const struct entry *entry)
{
    SECRET_CLEANUP struct secret scratch = {0};
    const unsigned char *data = NULL;
    size_t size;
    MUST(snapshot_value(match->snapshot, &data, &size, entry, &scratch) < 0,
         "'%s' can be read, and is too large", path);
}

static void match_definition(struct match *match, const struct naive *state, const char *path,
                             const struct naive_spot *at, uint32_t environment, uint32_t service)
{
    const struct naive_definition *own =
        &state->environments[at->environment].definitions[at->service][at->key];
    SECRET_CLEANUP struct secret scratch = {0};
    struct entry entry;
    const unsigned char *data;
    size_t size;
    const int found =
        snapshot_definition(match->snapshot, &entry, environment, service, naive_keys[at->key]);
    MUST(found == (own->kind ? 0 : NOT_THERE), "the definition of '%s': %d", path, found);
    if (found)
        return;
    MUST((int)entry.defined.kind == (int)own->kind, "'%s' is defined as %d, not %d", path,
         (int)entry.defined.kind, (int)own->kind);
    MUST(entry.defined.rev == own->rev, "'%s' was defined by revision %" PRIu64 ", not %" PRIu64,
         path, entry.defined.rev, own->rev);
    MUST_DO(snapshot_text(match->snapshot, &data, &size, &entry.defined, &scratch));
    MUST(size == own->text->size && memcmp(data, own->text->bytes, size) == 0,
         "'%s' is defined as '%.*s', not '%.60s'", path, (int)(size < 60 ? size : 60),
         (const char *)data, (const char *)own->text->bytes);
}

static void match_keys(struct match *match, const struct naive *state, unsigned e, unsigned s,
                       const struct environment *environment, const struct service *service)
{
    struct entry entry = {0};
    char path[96];
    for (unsigned k = 0; k < NAIVE_KEYS; k++) {
        const struct naive_spot at = {(int)e, (int)s, (int)k};
        const struct naive_seen *seen = &state->environments[e].seen[s][k];
        naive_path(path, &at);
        match_definition(match, state, path, &at, environment->id, service->id);
        if (!seen->kind && !seen->is_large)
            continue;
        MUST(snapshot_next_entry(match->snapshot, &entry, environment->id, service->id,
                                 entry.key) == 0 &&
                 strcmp(entry.key, naive_keys[k]) == 0,
             "'%s' is not listed, but '%s'", path, entry.key);
        if (!match->name_ids[s][k])
            match->name_ids[s][k] = entry.name_id;
        MUST(entry.name_id == match->name_ids[s][k] && entry.environment == environment->id &&
                 entry.service == service->id,
             "'%s' has other ids", path);
        if (seen->is_large)
            match_large(match, path, &entry);
        else
            match_entry(match, path, &entry, seen);
    }
    MUST(snapshot_next_entry(match->snapshot, &entry, environment->id, service->id, entry.key) ==
             NOT_THERE,
         "'%s/%s' has '%s', which is not there", naive_environments[e], naive_services[s],
         entry.key);
}

/* --- places --- */

static void match_services(struct match *match, const struct naive *state, unsigned e,
                           const struct environment *environment)
{
    const struct naive_environment *in = &state->environments[e];
    struct service service = {0};
    for (unsigned s = 0; s < NAIVE_SERVICES; s++) {
        const struct naive_place *place = &in->places[s];
        if (!place->present)
            continue;
        MUST(snapshot_next_service(match->snapshot, &service, environment->id, service.name) == 0 &&
                 strcmp(service.name, naive_services[s]) == 0,
             "'%s/%s' is not listed, but '%s'", naive_environments[e], naive_services[s],
             service.name);
        if (!match->service_ids[s])
            match->service_ids[s] = service.id;
        MUST(service.id == match->service_ids[s] && service.incarnation == place->incarnation,
             "'%s/%s' is the %uth, not the %uth", naive_environments[e], service.name,
             service.incarnation, place->incarnation);
        MUST(service.made_rev == place->made_rev && service.changed_rev == place->changed_rev &&
                 service.shown_rev == place->shown_rev &&
                 service.listed_time == match->times[place->listed_rev],
             "'%s/%s' was made, changed, listed by %" PRIu64 " %" PRIu64 ", not %" PRIu64
             " %" PRIu64 " %" PRIu64,
             naive_environments[e], service.name, service.made_rev, service.changed_rev,
             place->made_rev, place->changed_rev, place->listed_rev);
        match_keys(match, state, e, s, environment, &service);
        match_schemas(match, state, e, s, environment->id, service.id);
    }
    MUST(snapshot_next_service(match->snapshot, &service, environment->id, service.name) ==
             NOT_THERE,
         "'%s' has '%s', which is not there", naive_environments[e], service.name);
}

static void match_environments(struct match *match, const struct naive *state)
{
    struct environment environment = {0};
    for (unsigned e = 0; e < NAIVE_ENVIRONMENTS; e++) {
        const struct naive_environment *in = &state->environments[e];
        if (!in->alive)
            continue;
        MUST(snapshot_next_environment(match->snapshot, &environment, environment.name) == 0 &&
                 strcmp(environment.name, naive_environments[e]) == 0,
             "'%s' is not listed, but '%s'", naive_environments[e], environment.name);
        const struct match_life *life = life_of(match, in->life, e);
        if (!life->id)
            match->lives[in->life].id = environment.id;
        const uint32_t base =
            in->base < 0
                ? 0
                : life_of(match, state->environments[in->base].life, (unsigned)in->base)->id;
        MUST(environment.id == match->lives[in->life].id &&
                 environment.is_protected == in->is_protected &&
                 environment.expires == in->expires && (!base || environment.base == base),
             "'%s' has other terms", environment.name);
        MUST(environment.made_rev == in->made_rev && environment.changed_rev == in->changed_rev &&
                 environment.shown_rev == in->shown_rev &&
                 environment.listed_time == match->times[in->listed_rev],
             "'%s' was made, changed by %" PRIu64 " %" PRIu64 ", not %" PRIu64 " %" PRIu64
             " (listed %" PRIu64 ")",
             environment.name, environment.made_rev, environment.changed_rev, in->made_rev,
             in->changed_rev, in->listed_rev);
        match_services(match, state, e, &environment);
    }
    MUST(snapshot_next_environment(match->snapshot, &environment, environment.name) == NOT_THERE,
         "'%s' should not be there", environment.name);
}

/* --- outcomes --- */

static const char *outcome_text(char out[static 128], const struct naive_outcome *outcome)
{
    char path[96];
    const struct naive_spot spot = {(int)outcome->environment, outcome->service, outcome->key};
    snprintf(out, 128, "%c %s%s (%u, %u)", outcome->mark, naive_path(path, &spot),
             outcome->is_secret ? " secret" : "", outcome->life, outcome->incarnation);
    return out;
}

static bool is_outcome(struct match *match, const struct outcome *is,
                       const struct naive_outcome *should)
{
    if ((int)is->kind != should->kind || is->mark != should->mark ||
        is->environment != match->lives[should->life].id)
        return false;
    if (should->service != NAIVE_NONE && (is->service != match->service_ids[should->service] ||
                                          is->incarnation != should->incarnation))
        return false;
    return should->key == NAIVE_NONE ||
           (is->name_id == match->name_ids[should->service][should->key] &&
            is->is_secret == should->is_secret);
}

/* In the order of (environment, service, name), a place before what is in it, '-' before '+'. */
static bool is_after(const struct outcome *one, const struct outcome *before)
{
    if (one->environment != before->environment)
        return one->environment > before->environment;
    if (one->service != before->service)
        return one->service > before->service;
    if (one->name_id != before->name_id)
        return one->name_id > before->name_id;
    return before->mark == '-' && one->mark == '+';
}

static void match_outcomes(struct match *match, const struct naive_result *result)
{
    static bool found[NAIVE_OUTCOMES_MAX];
    struct outcome before = {0}, is;
    char text[128];
    uint32_t index;
    memset(found, 0, sizeof found);
    for (index = 0; history_outcome(match->snapshot, &is, match->rev, index) == 0; index++) {
        struct path path;
        size_t at = 0;
        char told[PATH_TEXT_MAX];
        while (at < result->outcome_count &&
               (found[at] || !is_outcome(match, &is, &result->outcomes[at])))
            at++;
        MUST_DO(history_outcome_path(match->snapshot, &path, &is));
        MUST(at < result->outcome_count, "outcome '%c %s'%s of %u, %u should not be", is.mark,
             path_text(&path, told), is.is_secret ? " secret" : "", is.environment, is.incarnation);
        found[at] = true;
        MUST(index == 0 || is_after(&is, &before), "outcome '%c %s' stands in the wrong order",
             is.mark, told);
        before = is;
    }
    for (size_t i = 0; i < result->outcome_count; i++)
        MUST(found[i], "outcome '%s' is not told", outcome_text(text, &result->outcomes[i]));
}

/* What was let pass for an override is said of all that the commit did. */
static void match_marks(struct match *match, const struct naive_result *result)
{
    struct operation_info operation;
    for (uint32_t op = 0; history_operation(match->snapshot, &operation, match->rev, op) == 0; op++)
        MUST(operation.is_override == result->is_passed, "an override is %smarked",
             result->is_passed ? "not " : "");
}

/* --- all of it --- */

static void learn_time(struct match *match, uint64_t rev)
{
    struct commit_info info;
    if (rev >= match->time_count) {
        match->time_count = rev * 2 + 64;
        match->times = grown(match->times, match->time_count * sizeof match->times[0]);
    }
    MUST_DO(history_commit(match->snapshot, &info, rev));
    match->times[rev] = info.time;
}

void match_commit(struct match *match, const struct naive *state, const struct naive_result *result)
{
    MUST_DO(snapshot_begin(match->snapshot));
    MUST(snapshot_revision(match->snapshot) == state->rev, "the store is at revision %" PRIu64,
         snapshot_revision(match->snapshot));
    for (uint64_t rev = match->rev + 1; rev <= state->rev; rev++)
        learn_time(match, rev);
    match->rev = state->rev;
    match_environments(match, state);
    match_grants(match, state);
    if (result) {
        match_outcomes(match, result);
        match_marks(match, result);
    }
    remember_all(match, state);
    snapshot_end(match->snapshot);
}

void match_past(struct match *match, struct dice *dice)
{
    const unsigned life = (unsigned)dice_roll(dice, match->life_count ? match->life_count : 1);
    const unsigned s = (unsigned)dice_roll(dice, NAIVE_SERVICES),
                   k = (unsigned)dice_roll(dice, NAIVE_KEYS);
    const uint64_t rev = 1 + dice_roll(dice, match->rev);
    if (!match->life_count || !match->lives[life].id || !match->name_ids[s][k])
        return;
    const struct match_spot *spot = &match->lives[life].spots[s][k];
    const struct naive_seen *seen = NULL;
    struct entry entry;
    char path[128];
    for (size_t i = 0; i < spot->count && spot->memory[i].rev <= rev; i++)
        seen = &spot->memory[i].seen;
    snprintf(path, sizeof path, "%s/%s/%s at %" PRIu64,
             naive_environments[match->lives[life].environment], naive_services[s], naive_keys[k],
             rev);
    MUST_DO(snapshot_begin(match->snapshot));
    const int found = snapshot_entry_at(match->snapshot, &entry, match->lives[life].id,
                                        match->name_ids[s][k], rev);
    const bool is_there = seen && (seen->kind || seen->is_large);
    MUST(found == (is_there ? 0 : NOT_THERE), "'%s': %d", path, found);
    if (!found) {
        MUST(entry.as_of == rev, "'%s' is as of %" PRIu64, path, entry.as_of);
        if (seen->is_large)
            match_large(match, path, &entry);
        else
            match_entry(match, path, &entry, seen);
    }
    snapshot_end(match->snapshot);
}
