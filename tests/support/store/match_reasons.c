/* Lines for people, read back. */
#include <stdio.h>
#include <string.h>

#include "tests/support/store/match.h"
#include "tests/support/store/trial.h"

/* What tells a line from others; the first row that is in it. */
static const struct {
    enum naive_reason_kind kind;
    const char *words;
    const char *before_other; /* what stands before the second name; NULL: there is none */
} rows[] = {
    {REASON_DANGLING, "which is not there", " to '"},
    {REASON_NOT_SHARED, "which is not shared with", " to '"},
    {REASON_ENDS, "which ends by itself", " to '"},
    {REASON_NO_SHARE, "is not shared with '", NULL},
    {REASON_NO_LOCK, "is not locked itself", NULL},
    {REASON_NO_GRANT, "' was not granted ", NULL},
    {REASON_CIRCLE, "goes round in a circle", NULL},
    {REASON_DEPTH, "more than 8 references", NULL},
    {REASON_LOOKUPS, "look-ups", NULL},
    {REASON_SIZE, "which is what a value holds", NULL},
    {REASON_LOCKED, "is locked by '", "is locked by '"},
    {REASON_NO_WHY, "every change of it needs a reason", NULL},
    {REASON_EQUAL_ELSEWHERE, "a secret of another environment", NULL},
    {REASON_EQUAL_HERE, "is equal to the secret", NULL},
    {REASON_SECRET_IN_ALL, "a secret cannot stand in 'all'", NULL},
    {REASON_BECOMES_PLAIN, "would become plain", NULL},
    {REASON_NO_KEY, "is not set there but in", NULL},
    {REASON_OTHER_TERMS, "on other terms", NULL},
    {REASON_ALL_STAYS, "environment 'all' stays", NULL},
    {REASON_PROTECTED_SECRET, "it is copied to no other", NULL},
    {REASON_WRONG_BASE, "cannot stand on", NULL},
    {REASON_WRONG_ALL, "'all' stands on nothing", NULL},
    {REASON_NO_ENVIRONMENT, "no environment '", NULL},
    {REASON_NO_SERVICE, "no service '", NULL},
    {REASON_NO_KEY, "no key '", NULL},
    {REASON_NOT_EMPTY, "is not empty", NULL},
    {REASON_PROTECTED_STAYS, "is removed by nobody", NULL},
    {REASON_IS_BASE, "stands on; remove that first", NULL},
    {REASON_NO_SCHEMA, "has no schema of its own", NULL},
    {REASON_REQUIRED_ENDS, "is required and cannot end by itself", NULL},
    {REASON_MISSING, "is required, and not there", NULL},
    {REASON_UNDECLARED, "is not declared, and the schema is strict", NULL},
    {REASON_ELSEWHERE, "may exist in ", NULL},
    {REASON_PLAIN, "must be a secret, and is plain", NULL},
    {REASON_WRONG, "emsa schema show ", NULL},
    {REASON_LOCK_AND_END, "ends by itself and cannot be locked", NULL},
};

static void quoted(char out[static 96], const char *from)
{
    const char *end = strchr(from, '\'');
    snprintf(out, 96, "%.*s", end ? (int)(end - from) : 0, from);
}

/* What a schema has against a value has no words of its own: they are those of its type. */
enum naive_reason_kind match_note_kind(const char *text)
{
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++)
        if (rows[row].kind >= REASON_MISSING && rows[row].kind < REASON_WRONG &&
            strstr(text, rows[row].words))
            return rows[row].kind;
    return strstr(text, "default") ? REASON_COUNT : REASON_WRONG;
}

static struct naive_reason read_line(const char *line)
{
    struct naive_reason reason = {0};
    size_t row = 0;
    while (row < sizeof rows / sizeof rows[0] && !strstr(line, rows[row].words))
        row++;
    MUST(row < sizeof rows / sizeof rows[0], "a reason that nobody knows: %s", line);
    reason.kind = rows[row].kind;
    /* it begins with who was not granted something; at the root there is no place */
    const bool is_of_grant = reason.kind == REASON_NO_GRANT;
    const char *place = is_of_grant ? strstr(line, " at '") : strchr(line, '\'');
    MUST(place || is_of_grant, "a reason without a place: %s", line);
    if (place)
        quoted(reason.place, strchr(place, '\'') + 1);
    if (rows[row].before_other) {
        const char *other = strstr(line, rows[row].before_other);
        MUST(other, "a reason without a second name: %s", line);
        quoted(reason.other, other + strlen(rows[row].before_other));
    }
    return reason;
}

static size_t find(const struct naive_result *result, const struct naive_reason *reason)
{
    size_t at = 0;
    while (at < result->reason_count && (result->reasons[at].kind != reason->kind ||
                                         strcmp(result->reasons[at].place, reason->place) != 0 ||
                                         strcmp(result->reasons[at].other, reason->other) != 0))
        at++;
    return at;
}

#define TEXT_FULL 6000u /* from here on lines may be left out */

/* Of each spot that is faulty at least one reason was told. */
static void match_named(const char *text, const struct naive_result *result, const bool told[])
{
    char path[96];
    for (int e = 0; e < (int)NAIVE_ENVIRONMENTS; e++) {
        for (int i = 0; i < (int)(NAIVE_SERVICES * NAIVE_KEYS); i++) {
            const struct naive_spot spot = {e, i / (int)NAIVE_KEYS, i % (int)NAIVE_KEYS};
            bool is_named = !result->must_name[e][spot.service][spot.key];
            naive_path(path, &spot);
            for (size_t at = 0; at < result->reason_count && !is_named; at++)
                is_named = told[at] && strcmp(result->reasons[at].place, path) == 0;
            for (size_t at = 0; at < result->reason_count && !is_named; at++)
                if (strcmp(result->reasons[at].place, path) == 0)
                    fprintf(stderr, "may be told of '%s': %s %s\n", path,
                            naive_reason_words[result->reasons[at].kind],
                            result->reasons[at].other);
            MUST(is_named, "'%s' is faulty and not named in: %s", path, text);
        }
    }
}

void match_reasons(const char *text, const struct naive_result *result,
                   unsigned counts[static REASON_COUNT])
{
    static bool told[NAIVE_REASONS_MAX];
    char line[2048];
    const bool is_full = strlen(text) > TEXT_FULL;
    bool at_once = false;
    memset(told, 0, sizeof told);
    for (const char *at = text; *at;) {
        const char *end = strchrnul(at, '\n');
        snprintf(line, sizeof line, "%.*s", (int)(end - at), at);
        const struct naive_reason reason = read_line(line);
        const size_t found = find(result, &reason);
        MUST(found < result->reason_count, "not a reason (%s): %s", naive_reason_words[reason.kind],
             line);
        told[found] = true;
        counts[reason.kind]++;
        at = *end ? end + 1 : end;
    }
    for (size_t i = 0; i < result->reason_count; i++)
        at_once |= result->reasons[i].weight == REASON_AT_ONCE;
    for (size_t i = 0; i < result->reason_count && !is_full; i++) {
        const struct naive_reason *reason = &result->reasons[i];
        if (reason->weight == REASON_AT_ONCE || (reason->weight == REASON_MUST && !at_once))
            MUST(told[i], "'%s' (%s%s%s) is not told in: %s", reason->place,
                 naive_reason_words[reason->kind], reason->other[0] ? ": " : "", reason->other,
                 text);
    }
    if (!at_once && !is_full)
        match_named(text, result, told);
}
