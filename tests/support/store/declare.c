#include "tests/support/store/declare.h"

#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "tests/support/store/trial.h"

#define TEXT_MAX 400000

/* A list that the trait adds to; NULL: it is none. */
static struct type_words *list_of(struct schema_key *key, const char *trait)
{
    return strcmp(trait, "required") == 0 ? &key->required
           : strcmp(trait, "in") == 0     ? &key->in
           : strcmp(trait, "one") == 0    ? &key->values
           : strcmp(trait, "scheme") == 0 ? &key->schemes
                                          : NULL;
}

/* ERR_NOMEM, as all here. */
static int add_bound(struct schema_key *key, const char *trait, const char *text)
{
    const long long number = strtoll(text, NULL, 10);
    if (strcmp(trait, "min") == 0) {
        key->has_min = true, key->min = number;
    } else if (strcmp(trait, "max") == 0) {
        key->has_max = true, key->max = number;
    } else if (strcmp(trait, "min_length") == 0) {
        key->has_min_length = true, key->min_length = (uint32_t)number;
    } else if (strcmp(trait, "max_length") == 0) {
        key->has_max_length = true, key->max_length = (uint32_t)number;
    } else {
        MUST(strcmp(trait, "pattern") == 0, "no trait: '%s'", trait);
        key->pattern = strdup(text);
        return key->pattern ? 0 : error_set(ERR_NOMEM, "no memory for a pattern");
    }
    return 0;
}

static int add_trait(struct schema_key *key, char *trait)
{
    char *at = strchr(trait, '@');
    if (at) {
        *at++ = '\0';
        struct type_words *list = list_of(key, trait);
        return list ? schema_word(list, at) : add_bound(key, trait, at);
    }
    bool *flag = strcmp(trait, "required") == 0     ? &key->is_required
                 : strcmp(trait, "secret") == 0     ? &key->is_secret
                 : strcmp(trait, "deprecated") == 0 ? &key->is_deprecated
                 : strcmp(trait, "fixed") == 0      ? &key->is_fixed
                                                    : NULL;
    MUST(flag, "no trait: '%s'", trait);
    *flag = true;
    return 0;
}

static int add_key(struct schema *schema, char *word)
{
    struct schema_key *key = NULL;
    char *next = NULL, *type = strchr(word, ':');
    char *value = type ? strchr(type, '=') : NULL;
    MUST(type, "no key: '%s'", word);
    *type++ = '\0';
    if (value)
        *value++ = '\0';
    int error = schema_add(schema, &key, word);
    if (error)
        return error;
    type = strtok_r(type, ",", &next);
    MUST(type && !type_find(&key->type, type), "no type: '%s'", type ? type : "");
    for (char *trait; !error && (trait = strtok_r(NULL, ",", &next));)
        error = add_trait(key, trait);
    if (error || !value)
        return error;
    key->has_default = true;
    key->default_size = strlen(value);
    key->default_value = strdup(value);
    return key->default_value ? 0 : error_set(ERR_NOMEM, "no memory for a default");
}

int declare_try(struct schema *out, const char *service, const char *text)
{
    static char words[TEXT_MAX];
    char *next = NULL;
    struct schema schema = {.is_strict = false};
    int error = 0;
    MUST(strlen(text) < sizeof words && strlen(service) <= SERVICE_NAME_MAX, "too long");
    memcpy(schema.service, service, strlen(service) + 1);
    memcpy(words, text, strlen(text) + 1);
    for (char *word = strtok_r(words, " ", &next); word && !error;
         word = strtok_r(NULL, " ", &next)) {
        if (strcmp(word, "strict") == 0)
            schema.is_strict = true;
        else
            error = add_key(&schema, word);
    }
    if (error)
        schema_release(&schema);
    else
        *out = schema;
    return error;
}

void declare(struct schema *out, const char *service, const char *text)
{
    MUST_DO(declare_try(out, service, text));
}
