/* What a schema says of what there is: one key in one environment. */
#include <stdio.h>
#include <string.h>

#include "store/error.h"
#include "store/schema.h"

static bool names(const struct type_words *words, const char *word)
{
    for (size_t i = 0; word && i < words->count; i++)
        if (strcmp(words->words[i], word) == 0)
            return true;
    return false;
}

static bool is_named(const struct type_words *environments, const struct schema_subject *subject)
{
    return names(environments, subject->environment) || names(environments, subject->base);
}

static bool may_exist(const struct schema_key *key, const struct schema_subject *subject)
{
    return key->in.count == 0 || is_named(&key->in, subject);
}

static bool must_exist(const struct schema_key *key, const struct schema_subject *subject)
{
    return (key->is_required && may_exist(key, subject)) || is_named(&key->required, subject);
}

/* The list, as much of it as there is room for. */
static void say_where(char text[static TYPE_TEXT_MAX], const struct type_words *environments)
{
    size_t at = (size_t)snprintf(text, TYPE_TEXT_MAX, "may exist in ");
    for (size_t i = 0; i < environments->count && at < TYPE_TEXT_MAX; i++)
        at += (size_t)snprintf(text + at, TYPE_TEXT_MAX - at, "%s%s", i ? ", " : "",
                               environments->words[i]);
    if (at + sizeof(" only") <= TYPE_TEXT_MAX)
        memcpy(text + at, " only", sizeof(" only"));
    else
        memcpy(text + TYPE_TEXT_MAX - sizeof("..."), "...", sizeof("..."));
}

static enum verdict said(char text[static TYPE_TEXT_MAX], enum verdict verdict, const char *words)
{
    memcpy(text, words, strlen(words) + 1);
    return verdict;
}

int schema_value(char text[static TYPE_TEXT_MAX], const struct schema_key *key, const void *value,
                 size_t size)
{
    const struct type_bounds bounds = {
        .has_min = key->has_min,
        .has_max = key->has_max,
        .min = key->min,
        .max = key->max,
        .has_min_length = key->has_min_length,
        .has_max_length = key->has_max_length,
        .min_length = key->min_length,
        .max_length = key->max_length,
        .pattern = key->pattern,
        .values = &key->values,
        .schemes = &key->schemes,
    };
    return type_check(text, key->type, &bounds, value, size);
}

static int judge_value(enum verdict *out, char text[static TYPE_TEXT_MAX],
                       const struct schema_key *key, const struct schema_subject *subject)
{
    const int fault = schema_value(text, key, subject->value, subject->size);
    if (fault < 0)
        return fault;
    *out = fault ? VERDICT_WRONG : said(text, VERDICT_VALID, "");
    return 0;
}

static enum verdict undeclared(const struct schema *schema, char text[static TYPE_TEXT_MAX],
                               const struct schema_subject *subject)
{
    if (schema->is_strict && subject->is_there)
        return said(text, VERDICT_UNDECLARED, "is not declared, and the schema is strict");
    return said(text, VERDICT_VALID, "");
}

int schema_judge(const struct schema *schema, enum verdict *out, char text[static TYPE_TEXT_MAX],
                 const struct schema_subject *subject)
{
    const struct schema_key *key = schema_find(schema, subject->key);
    if (!key) {
        *out = undeclared(schema, text, subject);
    } else if (!subject->is_there) {
        *out = must_exist(key, subject) ? said(text, VERDICT_MISSING, "is required, and not there")
                                        : said(text, VERDICT_VALID, "");
    } else if (!may_exist(key, subject)) {
        *out = VERDICT_ELSEWHERE;
        say_where(text, &key->in);
    } else if (key->is_secret && !subject->is_secret) {
        *out = said(text, VERDICT_PLAIN, "must be a secret, and is plain");
    } else if (!subject->value) {
        *out = said(text, VERDICT_UNCHECKED, "is a secret that cannot be looked at here");
    } else {
        return judge_value(out, text, key, subject);
    }
    return 0;
}
