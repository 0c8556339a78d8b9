/* Schemas as the store has them, and the notes of a commit that set one. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "store/grant.h"
#include "tests/support/store/chance.h"
#include "tests/support/store/match.h"
#include "tests/support/store/trial.h"

static bool are_words(const struct type_words *a, const struct type_words *b)
{
    bool is_equal = a->count == b->count;
    for (size_t i = 0; i < a->count && is_equal; i++)
        is_equal = strcmp(a->words[i], b->words[i]) == 0;
    return is_equal;
}

static bool is_bound(const struct schema_key *a, const struct schema_key *b)
{
    return a->has_min == b->has_min && a->has_max == b->has_max && a->min == b->min &&
           a->max == b->max && a->has_min_length == b->has_min_length &&
           a->has_max_length == b->has_max_length && a->min_length == b->min_length &&
           a->max_length == b->max_length;
}

static bool is_key(const struct schema_key *a, const struct schema_key *b)
{
    return strcmp(a->name, b->name) == 0 && a->type == b->type && a->is_secret == b->is_secret &&
           a->is_deprecated == b->is_deprecated && a->is_fixed == b->is_fixed &&
           a->is_required == b->is_required && are_words(&a->required, &b->required) &&
           are_words(&a->in, &b->in) && are_words(&a->values, &b->values) && is_bound(a, b) &&
           !a->pattern == !b->pattern && a->has_default == b->has_default &&
           a->default_size == b->default_size &&
           (!a->default_size || memcmp(a->default_value, b->default_value, a->default_size) == 0);
}

static void match_schema(const char *path, const struct schema *is,
                         const struct naive_schema *should, int service)
{
    struct schema wanted = chance_schema(should, service);
    MUST(strcmp(is->service, wanted.service) == 0, "the schema of '%s' is that of '%s'", path,
         is->service);
    MUST(is->is_strict == wanted.is_strict && is->count == wanted.count,
         "the schema of '%s' has %zu keys, not %zu", path, is->count, wanted.count);
    for (size_t i = 0; i < wanted.count; i++)
        MUST(is_key(&is->keys[i], &wanted.keys[i]), "'%s/%s' is declared otherwise", path,
             wanted.keys[i].name);
    schema_release(&wanted);
}

static void match_rights(struct match *match, const unsigned should[static NAIVE_PRINCIPALS],
                         const char *path, uint32_t environment, uint32_t service)
{
    for (unsigned i = 0; i < NAIVE_PRINCIPALS; i++) {
        struct grant grant;
        const int found =
            grant_at(match->snapshot, &grant, environment, service, naive_principals[i]);
        MUST(found == 0 || found == NOT_THERE, "grants cannot be read");
        MUST((found == 0 ? grant.rights : 0) == should[i], "'%s' was granted %u at '%s', not %u",
             naive_principals[i], found == 0 ? grant.rights : 0, path, should[i]);
    }
}

void match_grants(struct match *match, const struct naive *state)
{
    unsigned wanted = 0, found = 0;
    struct grant at = {0};
    for (unsigned e = 0; e < NAIVE_ENVIRONMENTS; e++) {
        const struct naive_environment *in = &state->environments[e];
        struct environment environment;
        if (!in->alive)
            continue;
        MUST_DO(snapshot_environment(match->snapshot, &environment, naive_environments[e]));
        for (unsigned s = 0; s <= NAIVE_SERVICES; s++) {
            struct service service = {0};
            const int depth = s < NAIVE_SERVICES ? (int)s : NAIVE_NONE;
            char path[96];
            for (unsigned i = 0; i < NAIVE_PRINCIPALS; i++)
                wanted += in->grants[s][i] != 0;
            if (depth >= 0 && !in->places[s].present)
                continue;
            if (depth >= 0)
                MUST_DO(
                    snapshot_service(match->snapshot, &service, environment.id, naive_services[s]));
            naive_path(path, &(struct naive_spot){(int)e, depth, NAIVE_NONE});
            match_rights(match, in->grants[s], path, environment.id, service.id);
        }
    }
    while (grant_next(match->snapshot, &at) == 0)
        found += at.environment != 0; /* everything: what the store was made with */
    MUST(found == wanted, "there are %u grants, not %u", found, wanted);
}

void match_schemas(struct match *match, const struct naive *state, unsigned e, unsigned s,
                   uint32_t environment, uint32_t service)
{
    const struct naive_environment *in = &state->environments[e];
    const int layer = naive_schema_layer(state, e, s);
    struct schema schema = {0};
    struct schema_place place;
    char path[96];
    naive_path(path, &(struct naive_spot){(int)e, (int)s, NAIVE_NONE});
    int found = snapshot_schema_of(match->snapshot, &schema, &place, environment, service);
    MUST(found == (in->schemas[s] ? 0 : NOT_THERE), "the schema of '%s' itself: %d", path, found);
    if (!found) {
        MUST(place.layer == environment && place.rev == in->schema_revs[s],
             "the schema of '%s' is of %u and revision %" PRIu64 ", not %" PRIu64, path,
             place.layer, place.rev, in->schema_revs[s]);
        match_schema(path, &schema, in->schemas[s], (int)s);
    }
    schema_release(&schema);
    found = snapshot_schema(match->snapshot, &schema, &place, environment, service);
    MUST(found == (layer == NAIVE_NONE ? NOT_THERE : 0), "the schema for '%s': %d", path, found);
    if (!found) {
        MUST(place.rev == state->environments[layer].schema_revs[s],
             "the schema for '%s' is of revision %" PRIu64, path, place.rev);
        match_schema(path, &schema, state->environments[layer].schemas[s], (int)s);
    }
    schema_release(&schema);
}

/* --- notes --- */

void match_notes(const struct change_result *is, const struct naive_result *should)
{
    static bool told[NAIVE_NOTES_MAX];
    memset(told, 0, sizeof told);
    for (size_t i = 0; i < is->note_count; i++) {
        char path[PATH_TEXT_MAX];
        size_t at = 0;
        path_text(&is->notes[i].path, path);
        while (at < should->note_count &&
               (told[at] || strcmp(should->notes[at].place, path) != 0 ||
                should->notes[at].kind != match_note_kind(is->notes[i].text)))
            at++;
        MUST(at < should->note_count, "'%s' is noted, and should not be: %s", path,
             is->notes[i].text);
        told[at] = true;
    }
    for (size_t i = 0; i < should->note_count; i++)
        MUST(told[i], "'%s' (%s) is not noted", should->notes[i].place,
             should->notes[i].kind == REASON_COUNT ? "a default"
                                                   : naive_reason_words[should->notes[i].kind]);
}
