#include "tools/service/schema_json.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/bytes.h"
#include "store/error.h"
#include "store/name.h"

#define FAULT_MAX 512
#define NEAREST_LIMIT 5u /* half edits */

/* What members there are, each with what is kept of it. */
struct reading;
typedef int (*read_member)(struct reading *, json_t *value);

struct member {
    const char *name;
    enum schema_shape shape;
    read_member read;
};

struct reading {
    struct schema schema;
    schema_fault fault;
    void *arg;
    bool is_wrong;
    bool is_schema_wrong; /* itself, not one of its keys */
    json_t *wrong_keys;   /* by name: what schema_check says of those may only follow from that */
    struct schema_at at;
    struct schema_key *key; /* the one that is read */
    bool is_type_known;
};

static int no_memory(void)
{
    return error_set(ERR_NOMEM, "no memory for a schema");
}

static int told(struct reading *reading, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static int told(struct reading *reading, const char *format, ...)
{
    char text[FAULT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    reading->is_wrong = true;
    if (reading->at.key[0] == '\0')
        reading->is_schema_wrong = true;
    else if (json_object_set_new(reading->wrong_keys, reading->at.key, json_true()) < 0)
        return no_memory();
    return reading->fault(reading->arg, &reading->at, text);
}

/* Words that somebody may have meant */

static void consider(const char *word, const char *known, const char **nearest, unsigned *distance)
{
    unsigned found = name_distance(word, known, *distance);
    if (found < *distance && found <= strlen(word)) {
        *distance = found;
        *nearest = known;
    }
}

static int unknown_member(struct reading *reading, const struct member *members, size_t count)
{
    const char *word = reading->at.member, *nearest = NULL;
    unsigned distance = NEAREST_LIMIT;
    struct bytes words BYTES_CLEANUP = BYTES_INIT(FAULT_MAX);
    for (size_t i = 0; i < count; i++) {
        consider(word, members[i].name, &nearest, &distance);
        bytes_append_format(&words, "%s%s", i == 0 ? "" : ", ", members[i].name);
    }
    if (nearest != NULL)
        return told(reading, "is none of the members: did you mean '%s'?", nearest);
    bytes_append(&words, "", 1);
    return told(reading, "is none of the members: %s",
                words.error == 0 ? (const char *)words.data : "those of the manual");
}

static int unknown_type(struct reading *reading, const char *word)
{
    const char *nearest = NULL;
    unsigned distance = NEAREST_LIMIT;
    struct bytes words BYTES_CLEANUP = BYTES_INIT(FAULT_MAX);
    for (enum value_type type = TYPE_STRING; type <= TYPE_LAST; type++) {
        consider(word, type_name(type), &nearest, &distance);
        bytes_append_format(&words, "%s%s", type == TYPE_STRING ? "" : ", ", type_name(type));
    }
    if (nearest != NULL)
        return told(reading, "names no type: did you mean '%s'?", nearest);
    bytes_append(&words, "", 1);
    return told(reading, "must be one of %s",
                words.error == 0 ? (const char *)words.data : "the types of the manual");
}

/* Shapes */

/* 0: *out is the text, borrowed; 1: told. */
static int text_of(struct reading *reading, json_t *value, const char **out)
{
    int error;
    if (json_is_null(value))
        error = told(reading, "is empty: write \"\" for an empty text");
    else if (!json_is_string(value))
        error = told(reading, "must be a text");
    else if (strlen(json_string_value(value)) != json_string_length(value))
        error = told(reading, "must be a text without a NUL");
    else {
        *out = json_string_value(value);
        return 0;
    }
    return error < 0 ? error : 1;
}

static int copy_text(struct reading *reading, json_t *value, char **out)
{
    const char *text;
    int error = text_of(reading, value, &text);
    if (error != 0)
        return error < 0 ? error : 0;
    *out = strdup(text);
    return *out != NULL ? 0 : no_memory();
}

static int truth_of(struct reading *reading, json_t *value, bool *out)
{
    if (!json_is_boolean(value))
        return told(reading, "must be true or false");
    *out = json_is_true(value);
    return 0;
}

static int add_word(struct reading *reading, struct type_words *words, json_t *item)
{
    const char *text;
    int error = text_of(reading, item, &text);
    if (error != 0)
        return error < 0 ? error : 0;
    error = schema_word(words, text);
    if (error == -ERR_INVALID)
        return told(reading, "is one too many: at most %u are allowed", SCHEMA_WORDS_MAX);
    return error;
}

static int words_of(struct reading *reading, json_t *value, struct type_words *words,
                    const char *wanted)
{
    size_t index;
    json_t *item;
    int error = 0;
    if (!json_is_array(value))
        return told(reading, "must be %s", wanted);
    if (json_array_size(value) == 0)
        return told(reading, "must be %s, and this one is empty", wanted);
    json_array_foreach(value, index, item)
    {
        reading->at.item = (int)index;
        error = error < 0 ? error : add_word(reading, words, item);
        if (index == SCHEMA_WORDS_MAX) /* too many, told of once */
            break;
    }
    reading->at.item = -1;
    return error;
}

static int length_of(struct reading *reading, json_t *value, bool *has, uint32_t *out)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        json_integer_value(value) > (json_int_t)VALUE_MAX)
        return told(reading, "must be a number of bytes, 0 to %u", VALUE_MAX);
    *has = true;
    *out = (uint32_t)json_integer_value(value);
    return 0;
}

/* A number; of a duration that, with its unit. */
static int bound_of(struct reading *reading, json_t *value, bool *has, int64_t *out)
{
    if (!reading->is_type_known)
        return 0;
    if (reading->key->type != TYPE_DURATION) {
        if (!json_is_integer(value))
            return told(reading, "must be a whole number");
        *out = json_integer_value(value);
    } else if (json_is_integer(value) && json_integer_value(value) == 0) {
        *out = 0;
    } else if (!json_is_string(value) ||
               type_duration(out, json_string_value(value), json_string_length(value)) != 0) {
        return told(reading, "must be a duration, such as 250ms or 1h30m");
    }
    *has = true;
    return 0;
}

/* Members of a key */

static int read_type(struct reading *reading, json_t *value)
{
    (void)reading; /* read before all others: what bounds mean depends on it */
    (void)value;
    return 0;
}

static int read_secret(struct reading *reading, json_t *value)
{
    return truth_of(reading, value, &reading->key->is_secret);
}

static int read_deprecated(struct reading *reading, json_t *value)
{
    return truth_of(reading, value, &reading->key->is_deprecated);
}

static int read_promote(struct reading *reading, json_t *value)
{
    bool may = true;
    int error = truth_of(reading, value, &may);
    reading->key->is_fixed = !may;
    return error;
}

static int read_required(struct reading *reading, json_t *value)
{
    if (json_is_boolean(value))
        return truth_of(reading, value, &reading->key->is_required);
    return words_of(reading, value, &reading->key->required,
                    "true, false or a list of environments");
}

static int read_in(struct reading *reading, json_t *value)
{
    return words_of(reading, value, &reading->key->in, "a list of environments");
}

static int read_values(struct reading *reading, json_t *value)
{
    return words_of(reading, value, &reading->key->values, "a list of texts");
}

static int read_schemes(struct reading *reading, json_t *value)
{
    return words_of(reading, value, &reading->key->schemes, "a list of schemes, such as [https]");
}

static int read_pattern(struct reading *reading, json_t *value)
{
    return copy_text(reading, value, &reading->key->pattern);
}

static int read_min(struct reading *reading, json_t *value)
{
    return bound_of(reading, value, &reading->key->has_min, &reading->key->min);
}

static int read_max(struct reading *reading, json_t *value)
{
    return bound_of(reading, value, &reading->key->has_max, &reading->key->max);
}

static int read_min_length(struct reading *reading, json_t *value)
{
    return length_of(reading, value, &reading->key->has_min_length, &reading->key->min_length);
}

static int read_max_length(struct reading *reading, json_t *value)
{
    return length_of(reading, value, &reading->key->has_max_length, &reading->key->max_length);
}

static int read_default(struct reading *reading, json_t *value)
{
    struct schema_key *key = reading->key;
    if (json_is_null(value))
        return told(reading, "is empty: write \"\" for an empty text");
    if (!json_is_string(value))
        return told(reading, "must be a text");
    key->has_default = true;
    key->default_size = json_string_length(value);
    if (key->default_size == 0)
        return 0;
    key->default_value = malloc(key->default_size);
    if (key->default_value == NULL) {
        key->default_size = 0;
        return no_memory();
    }
    memcpy(key->default_value, json_string_value(value), key->default_size);
    return 0;
}

static int read_key_description(struct reading *reading, json_t *value)
{
    return copy_text(reading, value, &reading->key->description);
}

static const struct member key_members[] = {
    {"type", SHAPE_TEXT, read_type},
    {"secret", SHAPE_TRUTH, read_secret},
    {"required", SHAPE_PLACES, read_required},
    {"in", SHAPE_WORDS, read_in},
    {"values", SHAPE_WORDS, read_values},
    {"schemes", SHAPE_WORDS, read_schemes},
    {"pattern", SHAPE_TEXT, read_pattern},
    {"min", SHAPE_BOUND, read_min},
    {"max", SHAPE_BOUND, read_max},
    {"min_length", SHAPE_NUMBER, read_min_length},
    {"max_length", SHAPE_NUMBER, read_max_length},
    {"default", SHAPE_TEXT, read_default},
    {"deprecated", SHAPE_TRUTH, read_deprecated},
    {"promote", SHAPE_TRUTH, read_promote},
    {"description", SHAPE_TEXT, read_key_description},
};
#define KEY_MEMBERS (sizeof key_members / sizeof key_members[0])

/* Members of a schema */

static int read_service(struct reading *reading, json_t *value)
{
    const char *text;
    int error = text_of(reading, value, &text);
    if (error != 0)
        return error < 0 ? error : 0;
    if (name_check(NAME_SERVICE, text, strlen(text)) < 0)
        return told(reading, "must be a service's name: letters, digits, '_', '.' and '-', first a "
                             "letter or digit");
    memcpy(reading->schema.service, text, strlen(text) + 1);
    return 0;
}

static int read_strict(struct reading *reading, json_t *value)
{
    return truth_of(reading, value, &reading->schema.is_strict);
}

static int read_description(struct reading *reading, json_t *value)
{
    return copy_text(reading, value, &reading->schema.description);
}

static int read_keys(struct reading *reading, json_t *value);

static const struct member members[] = {
    {"service", SHAPE_TEXT, read_service},
    {"strict", SHAPE_TRUTH, read_strict},
    {"description", SHAPE_TEXT, read_description},
    {"keys", SHAPE_KEYS, read_keys},
};
#define MEMBERS (sizeof members / sizeof members[0])

static const struct member *find_member(const struct member *list, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].name, name) == 0)
            return &list[i];
    return NULL;
}

enum schema_shape schema_shape(bool of_key, const char *member)
{
    const struct member *found = of_key ? find_member(key_members, KEY_MEMBERS, member)
                                        : find_member(members, MEMBERS, member);
    return found != NULL ? found->shape : SHAPE_NONE;
}

static int read_object(struct reading *reading, json_t *object, const struct member *list,
                       size_t count)
{
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        const struct member *member = find_member(list, count, name);
        reading->at.member = name;
        reading->at.item = -1;
        int error =
            member != NULL ? member->read(reading, value) : unknown_member(reading, list, count);
        if (error < 0)
            return error;
    }
    return 0;
}

static int find_type(struct reading *reading, json_t *value)
{
    const char *word;
    reading->at.member = "type";
    reading->is_type_known = true;
    if (value == NULL)
        return 0;
    int error = text_of(reading, value, &word);
    if (error == 0 && type_find(&reading->key->type, word) == 0)
        return 0;
    reading->is_type_known = false;
    if (error == 0)
        error = unknown_type(reading, word);
    return error < 0 ? error : 0;
}

static int read_key(struct reading *reading, const char *name, json_t *value)
{
    reading->at = (struct schema_at){.key = name, .member = "", .item = -1};
    if (!json_is_object(value) && !json_is_null(value))
        return told(reading, "must be a mapping of what is asked of it: {type: string}");
    if (name_check(NAME_KEY, name, strlen(name)) < 0)
        return told(reading, "is no name of a key: letters, digits, '_', '.' and '-', first a "
                             "letter, digit, '_' or '.'");
    int error = schema_add(&reading->schema, &reading->key, name);
    if (error == -ERR_INVALID)
        return told(reading, "is one too many: %s", error_text());
    if (error == 0)
        error = find_type(reading, json_object_get(value, "type"));
    return error < 0 ? error : read_object(reading, value, key_members, KEY_MEMBERS);
}

static int read_keys(struct reading *reading, json_t *value)
{
    const char *name;
    json_t *item;
    if (json_is_null(value)) /* "keys:" with nothing behind it: it declares none */
        return 0;
    if (!json_is_object(value))
        return told(reading, "must be a mapping of keys: {PORT: {type: port}}");
    json_object_foreach(value, name, item)
    {
        int error = read_key(reading, name, item);
        if (error < 0)
            return error;
    }
    reading->at = (struct schema_at){.key = "", .member = "keys", .item = -1};
    return 0;
}

static int checked(void *arg, const char *key, const char *member, const char *text)
{
    struct reading *reading = arg;
    bool follows = key[0] == '\0' ? reading->is_schema_wrong
                                  : json_object_get(reading->wrong_keys, key) != NULL;
    if (follows)
        return 0;
    reading->at = (struct schema_at){.key = key, .member = member, .item = -1};
    reading->is_wrong = true;
    return reading->fault(reading->arg, &reading->at, text);
}

static int read_schema(struct reading *reading, json_t *object)
{
    reading->at = (struct schema_at){.key = "", .member = "", .item = -1};
    if (!json_is_object(object))
        return told(reading, "must be a mapping with 'service' and 'keys'");
    int error = read_object(reading, object, members, MEMBERS);
    reading->at = (struct schema_at){.key = "", .member = "", .item = -1};
    if (error == 0 && json_object_get(object, "service") == NULL)
        error = told(reading, "does not say of which service it is: 'service' is missing");
    if (error == 0 && json_object_get(object, "keys") == NULL)
        error = told(reading, "declares no keys: 'keys' is missing");
    return error < 0 ? error : schema_check(&reading->schema, checked, reading);
}

int schema_from_json(struct schema *out, json_t *object, schema_fault fault, void *arg)
{
    struct reading reading = {.fault = fault, .arg = arg, .wrong_keys = json_object()};
    int error = reading.wrong_keys != NULL ? read_schema(&reading, object) : no_memory();
    json_decref(reading.wrong_keys);
    if (error == 0 && !reading.is_wrong) {
        *out = reading.schema;
        return 0;
    }
    schema_release(&reading.schema);
    return error < 0 ? error : 1;
}

const char *schema_subject_text(char out[static SCHEMA_SUBJECT_MAX], const struct schema_at *at)
{
    char item[32] = "";
    if (at->item >= 0)
        snprintf(item, sizeof item, "item %d of ", at->item + 1);
    if (at->key[0] == '\0')
        snprintf(out, SCHEMA_SUBJECT_MAX, "%s%s", item,
                 at->member[0] != '\0' ? at->member : "the schema");
    else if (at->member[0] == '\0')
        snprintf(out, SCHEMA_SUBJECT_MAX, "'%.255s'", at->key);
    else
        snprintf(out, SCHEMA_SUBJECT_MAX, "%s%.64s of '%.255s'", item, at->member, at->key);
    return out;
}

/* All faults as lines of an error's text */

struct lines {
    const char *what;
    struct bytes text;
};

static int add_line(void *arg, const struct schema_at *at, const char *text)
{
    struct lines *lines = arg;
    char subject[SCHEMA_SUBJECT_MAX];
    bytes_append_format(&lines->text, "\n%s: %s %s", lines->what, schema_subject_text(subject, at),
                        text);
    return lines->text.error == -ERR_NOMEM ? no_memory() : 0;
}

static int tell_lines(struct bytes *text)
{
    if (text->error == -ERR_INVALID) /* more than is kept of a failure's text */
        text->error = 0;
    bytes_append(text, "", 1);
    if (text->error == -ERR_INVALID && text->size > 0)
        text->data[text->size - 1] = '\0';
    const char *line = (const char *)text->data;
    bool is_first = true;
    while (*line == '\n') {
        size_t length = strcspn(line + 1, "\n");
        if (is_first)
            error_set(ERR_INVALID, "%.*s", (int)length, line + 1);
        else
            error_add(ERR_INVALID, "%.*s", (int)length, line + 1);
        is_first = false;
        line += 1 + length;
    }
    return -ERR_INVALID;
}

int schema_parse(struct schema *out, json_t *object, const char *what)
{
    struct lines lines = {.what = what, .text = BYTES_INIT(2 * ERROR_TEXT_MAX)};
    int error = schema_from_json(out, object, add_line, &lines);
    if (error > 0)
        error = tell_lines(&lines.text);
    bytes_release(&lines.text);
    return error;
}
