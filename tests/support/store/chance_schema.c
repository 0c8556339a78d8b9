/* Schemas by chance: mostly such as what is there can live with. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/store/chance.h"
#include "tests/support/store/trial.h"

#define EVERYWHERE ((1u << NAIVE_ENVIRONMENTS) - 1 - 1u) /* `all` is nowhere */

/* --- what is drawn --- */

static const struct naive_text *draw_default(struct dice *dice, const struct naive_rule *rule)
{
    static const char *const texts[] = {"", "a", "v1", "d0", "d1", "true", "gr\xc3\xbc\xc3\x9f"};
    static const char *const numbers[] = {"0", "-3", "7", "5432"};
    const char *text = "true";
    switch (rule->type) {
    case NAIVE_STRING:
        text = texts[dice_roll(dice, sizeof texts / sizeof texts[0])];
        break;
    case NAIVE_INT:
        text = numbers[dice_roll(dice, sizeof numbers / sizeof numbers[0])];
        break;
    case NAIVE_BOOL:
        text = dice_once_in(dice, 2) ? "true" : "false";
        break;
    case NAIVE_ENUM:
        for (unsigned i = 0; i < NAIVE_WORDS; i++)
            if (rule->words >> i & 1)
                text = naive_words[i];
        break;
    }
    const long size = rule->type == NAIVE_STRING ? (long)strlen(text) : 0;
    long number = size;
    if (rule->type == NAIVE_INT)
        sscanf(text, "%ld", &number);
    if ((rule->has_min && number < rule->min) || (rule->has_max && number > rule->max))
        return NULL;
    return naive_text(text, strlen(text));
}

static void draw_type(struct dice *dice, struct naive_rule *rule)
{
    const uint64_t roll = dice_roll(dice, 12);
    if (roll < 6)
        return;
    rule->type = roll < 8    ? NAIVE_STRING
                 : roll < 10 ? NAIVE_INT
                 : roll < 11 ? NAIVE_BOOL
                             : NAIVE_ENUM;
    if (rule->type == NAIVE_ENUM)
        rule->words = 1 + (unsigned)dice_roll(dice, (1u << NAIVE_WORDS) - 1);
    if (rule->type > NAIVE_INT)
        return;
    rule->has_min = dice_once_in(dice, 3);
    rule->min = rule->has_min ? (int)dice_roll(dice, 3) : 0;
    rule->has_max = dice_once_in(dice, 2);
    rule->max = rule->has_max ? 4 + (int)dice_roll(dice, 2) * 6000 : 0;
}

static struct naive_rule draw_rule(struct dice *dice)
{
    struct naive_rule rule = {.is_declared = true};
    draw_type(dice, &rule);
    rule.is_secret = dice_once_in(dice, 8);
    if (dice_once_in(dice, 8))
        rule.in = (unsigned)dice_roll(dice, EVERYWHERE + 1) & EVERYWHERE;
    if (dice_once_in(dice, 8))
        rule.is_deprecated = true;
    else if (dice_once_in(dice, 6))
        rule.required =
            (unsigned)dice_roll(dice, EVERYWHERE + 1) & (rule.in ? rule.in : EVERYWHERE);
    else
        rule.is_required = dice_once_in(dice, 8);
    if (!rule.is_secret && !rule.in && !dice_once_in(dice, 3))
        rule.fallback = draw_default(dice, &rule);
    return rule;
}

/* One like that which stands there, or another altogether. */
void chance_draw_schema(struct dice *dice, const struct naive *state, struct naive_wish *wish)
{
    struct naive_schema drawn = {0};
    const struct naive_schema *is = NULL;
    wish->at.key = NAIVE_NONE;
    for (int tries = 0; tries < 8; tries++) {
        const struct naive_environment *in = &state->environments[wish->at.environment];
        is = in->schemas[wish->at.service];
        if (is || (in->alive && in->places[wish->at.service].present && dice_once_in(dice, 3)))
            break;
        wish->at.environment = (int)dice_roll(dice, NAIVE_ENVIRONMENTS);
        wish->at.service = (int)dice_roll(dice, NAIVE_SERVICES);
    }
    wish->verb = NAIVE_SCHEMA_REMOVE;
    if (is ? dice_once_in(dice, 4) : dice_once_in(dice, 12))
        return;
    wish->verb = NAIVE_SCHEMA_SET;
    if (is && dice_once_in(dice, 2))
        drawn = *is;
    else
        for (unsigned key = 0; key < NAIVE_KEYS; key++)
            if (!dice_once_in(dice, 3))
                drawn.rules[key] = draw_rule(dice);
    drawn.is_strict = dice_once_in(dice, 5);
    if (!dice_once_in(dice, 6)) {
        const unsigned key = (unsigned)dice_roll(dice, NAIVE_KEYS);
        drawn.rules[key] = dice_once_in(dice, 5) ? (struct naive_rule){0} : draw_rule(dice);
    }
    wish->schema = naive_schema(&drawn);
}

/* --- as the store has it --- */

static void add_environments(struct type_words *to, unsigned list)
{
    for (unsigned e = 0; e < NAIVE_ENVIRONMENTS; e++)
        if (list >> e & 1)
            MUST_DO(schema_word(to, naive_environments[e]));
}

static void add_rule(struct schema *schema, const char *name, const struct naive_rule *rule)
{
    static const enum value_type types[] = {TYPE_STRING, TYPE_INT, TYPE_BOOL, TYPE_ENUM};
    struct schema_key *key;
    MUST_DO(schema_add(schema, &key, name));
    key->type = types[rule->type];
    key->is_secret = rule->is_secret;
    key->is_deprecated = rule->is_deprecated;
    key->is_required = rule->is_required;
    add_environments(&key->required, rule->required);
    add_environments(&key->in, rule->in);
    for (unsigned i = 0; i < NAIVE_WORDS; i++)
        if (rule->words >> i & 1)
            MUST_DO(schema_word(&key->values, naive_words[i]));
    *(rule->type == NAIVE_INT ? &key->has_min : &key->has_min_length) = rule->has_min;
    *(rule->type == NAIVE_INT ? &key->has_max : &key->has_max_length) = rule->has_max;
    key->min = rule->type == NAIVE_INT ? rule->min : 0;
    key->max = rule->type == NAIVE_INT ? rule->max : 0;
    key->min_length = rule->type == NAIVE_INT ? 0 : (uint32_t)rule->min;
    key->max_length = rule->type == NAIVE_INT ? 0 : (uint32_t)rule->max;
    if (!rule->fallback)
        return;
    key->has_default = true;
    key->default_size = rule->fallback->size;
    key->default_value = rule->fallback->size ? malloc(rule->fallback->size) : NULL;
    MUST(key->default_value || !key->default_size, "no memory");
    if (key->default_size)
        memcpy(key->default_value, rule->fallback->bytes, key->default_size);
}

struct schema chance_schema(const struct naive_schema *schema, int service)
{
    struct schema out = {.is_strict = schema->is_strict};
    snprintf(out.service, sizeof out.service, "%s", naive_services[service]);
    for (unsigned key = 0; key < NAIVE_KEYS; key++)
        if (schema->rules[key].is_declared)
            add_rule(&out, naive_keys[key], &schema->rules[key]);
    return out;
}

/* --- for people --- */

static size_t print_list(char *out, size_t size, const char *what, unsigned list)
{
    size_t at = 0;
    for (unsigned e = 0; e < NAIVE_ENVIRONMENTS; e++)
        if (list >> e & 1)
            at += (size_t)snprintf(out + at, size - at, "%s%s", at ? "," : what,
                                   naive_environments[e]);
    return at;
}

static size_t print_rule(char *out, size_t size, const char *name, const struct naive_rule *rule)
{
    static const char *const types[] = {"string", "int", "bool", "enum"};
    size_t at = (size_t)snprintf(out, size, " %s:%s", name, types[rule->type]);
    if (rule->words)
        at += (size_t)snprintf(out + at, size - at, "(%x)", rule->words);
    if (rule->has_min)
        at += (size_t)snprintf(out + at, size - at, ">=%d", rule->min);
    if (rule->has_max)
        at += (size_t)snprintf(out + at, size - at, "<=%d", rule->max);
    at += (size_t)snprintf(out + at, size - at, "%s%s%s", rule->is_secret ? "/secret" : "",
                           rule->is_deprecated ? "/old" : "", rule->is_required ? "/must" : "");
    at += print_list(out + at, size - at, "/must:", rule->required);
    at += print_list(out + at, size - at, "/in:", rule->in);
    if (rule->fallback)
        at += (size_t)snprintf(out + at, size - at, "='%s'", (const char *)rule->fallback->bytes);
    return at;
}

void chance_print_schema(const struct naive_schema *schema, char *out, size_t size)
{
    size_t at = (size_t)snprintf(out, size, "%s", schema->is_strict ? " strict" : "");
    for (unsigned key = 0; key < NAIVE_KEYS && at + 200 < size; key++)
        if (schema->rules[key].is_declared)
            at += print_rule(out + at, size - at, naive_keys[key], &schema->rules[key]);
}
