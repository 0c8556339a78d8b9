/* What a key is defined as: a scalar with its tag, or a mapping that says more. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/limits.h"
#include "store/name.h"
#include "store/sealed.h"
#include "store/template.h"
#include "tools/emsa/base64.h"
#include "tools/emsa/hidden.h"
#include "tools/emsa/input.h"
#include "tools/emsa/sheet.h"

#define PATH_LENGTH_MAX 4096

struct defining {
    struct sheet *sheet;
    struct faults *faults;
    const char *folder;
    struct sheet_key *key;
};

static const char *text_of(const struct defining *defining, const struct yaml_node *node)
{
    return yaml_text(&defining->sheet->tree, node);
}

static bool is_text(const struct yaml_node *node)
{
    return node->tag[0] == '\0' || strcmp(node->tag, "!") == 0 ||
           strcmp(node->tag, "tag:yaml.org,2002:str") == 0;
}

static bool is_base64(const struct yaml_node *node)
{
    return strcmp(node->tag, "!base64") == 0 || strcmp(node->tag, "tag:yaml.org,2002:binary") == 0;
}

static bool is_left_empty(const struct yaml_node *node)
{
    return node->plain && node->size == 0;
}

static void check_size(const struct defining *defining, const struct yaml_node *at)
{
    if (defining->key->size > VALUE_MAX)
        faults_add(defining->faults, &defining->sheet->tree, at,
                   "the value is over %u bytes: larger things are files, not values", VALUE_MAX);
}

/* Bytes that stand in the file. */
static void take_text(struct defining *defining, const struct yaml_node *node)
{
    defining->key->offset = node->offset;
    defining->key->size = node->size;
    check_size(defining, node);
}

/* Blanks and line ends, as YAML folds long ones, are no part of base64. */
static int take_base64(struct defining *defining, const struct yaml_node *node)
{
    struct secret *added = &defining->sheet->added;
    struct sheet_key *key = defining->key;
    size_t begin = added->size;
    int error = 0;
    for (size_t i = 0; i < node->size && error == 0;) {
        const char *text = text_of(defining, node) + i;
        size_t run = strcspn(text, " \n\t");
        run = run < node->size - i ? run : node->size - i;
        error = hidden_append(added, text, run);
        i += run + 1;
    }
    if (error < 0)
        return error;
    if (base64_decode(added, added->size - begin) < 0) {
        sheet_fault(defining->sheet, defining->faults, node, "");
        return 0;
    }
    key->is_added = true;
    key->offset = begin;
    key->size = added->size - begin;
    check_size(defining, node);
    return 0;
}

/* A value, as text or in base64; where it is left empty, a fault. */
static int take_value(struct defining *defining, const struct yaml_node *node)
{
    if (node->kind != YAML_SCALAR)
        faults_add(defining->faults, &defining->sheet->tree, node, "a text is wanted here");
    else if (is_base64(node))
        return take_base64(defining, node);
    else if (is_left_empty(node))
        faults_add(defining->faults, &defining->sheet->tree, node,
                   "there is no value: '' is the empty one");
    else
        take_text(defining, node);
    return 0;
}

static void take_link(struct defining *defining, const struct yaml_node *node)
{
    struct reference reference;
    defining->key->form = SHEET_LINK;
    if (node->kind != YAML_SCALAR ||
        link_parse(&reference, text_of(defining, node), node->size) < 0)
        faults_add(defining->faults, &defining->sheet->tree, node, "a link is written SERVICE/KEY");
    else
        take_text(defining, node);
}

static int take_template(struct defining *defining, const struct yaml_node *node)
{
    const struct sheet_key *key = defining->key;
    defining->key->form = SHEET_TEMPLATE;
    int error = take_value(defining, node);
    if (error == 0 && node->kind == YAML_SCALAR &&
        template_check((const char *)sheet_data(defining->sheet, key), key->size) < 0)
        sheet_fault(defining->sheet, defining->faults, node, "in the template: ");
    return error;
}

static int take_clear(struct defining *defining, const struct yaml_node *node)
{
    defining->key->form = SHEET_SECRET;
    defining->sheet->has_clear = true;
    return take_value(defining, node);
}

static int add_secret(struct defining *defining, const void *data, size_t size)
{
    struct secret *added = &defining->sheet->added;
    struct sheet_key *key = defining->key;
    key->is_added = true;
    key->offset = added->size;
    key->size = size;
    return hidden_append(added, data, size);
}

static int take_file(struct defining *defining, const struct yaml_node *node)
{
    char path[PATH_LENGTH_MAX];
    struct input value = {.secret = true};
    defining->key->form = SHEET_SECRET;
    if (node->kind != YAML_SCALAR || node->size == 0) {
        faults_add(defining->faults, &defining->sheet->tree, node,
                   "the path of a file is wanted here");
        return 0;
    }
    const char *text = text_of(defining, node);
    bool is_whole = text[0] == '/' || defining->folder[0] == '\0';
    int length = snprintf(path, sizeof path, "%s%s%s", is_whole ? "" : defining->folder,
                          is_whole ? "" : "/", text);
    int error = length >= (int)sizeof path || strlen(text) != node->size
                    ? error_set(ERR_INVALID, "that is no path of a file")
                    : input_from_file(&value, path, defining->key->name);
    if (error < 0 && error != -ERR_NOMEM)
        sheet_fault(defining->sheet, defining->faults, node, "");
    if (error == 0)
        error = add_secret(defining, input_data(&value), input_size(&value));
    input_release(&value);
    return error == -ERR_NOMEM ? error : 0;
}

static int take_variable(struct defining *defining, const struct yaml_node *node)
{
    const char *name = node->kind == YAML_SCALAR ? text_of(defining, node) : "";
    const char *value = name[0] != '\0' ? getenv(name) : NULL;
    defining->key->form = SHEET_SECRET;
    if (name[0] == '\0')
        faults_add(defining->faults, &defining->sheet->tree, node,
                   "the name of a variable is wanted here");
    else if (value == NULL)
        faults_add(defining->faults, &defining->sheet->tree, node,
                   "there is no variable '%.64s' in the environment", name);
    else
        return add_secret(defining, value, strlen(value));
    return 0;
}

static void take_kept(struct defining *defining, const struct yaml_node *node)
{
    defining->key->form = SHEET_KEPT;
    if (node->kind != YAML_SCALAR || !is_left_empty(node))
        faults_add(defining->faults, &defining->sheet->tree, node,
                   "'!secret' says that a secret stays as it is, and has nothing behind it: "
                   "!secret-file PATH and !secret-env NAME set one");
}

/* What can be wrong with it without asking anybody is told at its place in the file. */
static int take_sealed(struct defining *defining, const struct yaml_node *node)
{
    struct sealed sealed;
    defining->key->form = SHEET_SEALED;
    if (node->kind != YAML_SCALAR || is_left_empty(node)) {
        faults_add(defining->faults, &defining->sheet->tree, node,
                   "a sealed text is wanted here (emsa seal makes one)");
        return 0;
    }
    defining->key->offset = node->offset;
    defining->key->size = node->size;
    int error = sealed_read(&sealed, text_of(defining, node), node->size);
    if (error == 0 && strcmp(sealed.path.key, defining->key->name) != 0)
        faults_add(defining->faults, &defining->sheet->tree, node,
                   "it was sealed for the key '%s', and is set nowhere else: seal the value for "
                   "this key (emsa seal)",
                   sealed.path.key);
    else if (error < 0 && error != -ERR_NOMEM)
        sheet_fault(defining->sheet, defining->faults, node, "");
    sealed_release(&sealed);
    return error == -ERR_NOMEM ? error : 0;
}

static const char *const tags[] = {"!secret",       "!secret-file", "!secret-env",
                                   "!secret-value", "!sealed",      "!link",
                                   "!template",     "!base64",      NULL};

static void unknown_tag(struct defining *defining, const struct yaml_node *node)
{
    const char *nearest = faults_nearest(tags, node->tag);
    if (nearest != NULL)
        faults_add(defining->faults, &defining->sheet->tree, node,
                   "no tag '%s': did you mean '%s'?", node->tag, nearest);
    else
        faults_add(defining->faults, &defining->sheet->tree, node,
                   "no tag '%s': there are !link, !template, !secret, !sealed, !secret-file, "
                   "!secret-env, !secret-value and !base64",
                   node->tag);
}

static int take_scalar(struct defining *defining, const struct yaml_node *node)
{
    if (is_text(node) || is_base64(node))
        return take_value(defining, node);
    if (strcmp(node->tag, "!link") == 0)
        take_link(defining, node);
    else if (strcmp(node->tag, "!template") == 0)
        return take_template(defining, node);
    else if (strcmp(node->tag, "!secret") == 0)
        take_kept(defining, node);
    else if (strcmp(node->tag, "!secret-file") == 0)
        return take_file(defining, node);
    else if (strcmp(node->tag, "!secret-env") == 0)
        return take_variable(defining, node);
    else if (strcmp(node->tag, "!secret-value") == 0)
        return take_clear(defining, node);
    else if (strcmp(node->tag, "!sealed") == 0)
        return take_sealed(defining, node);
    else
        unknown_tag(defining, node);
    return 0;
}

/* The long form: first those that say the value, of which there is one. */
enum member {
    MEMBER_VALUE,
    MEMBER_LINK,
    MEMBER_TEMPLATE,
    MEMBER_SECRET,
    MEMBER_FILE,
    MEMBER_VARIABLE,
    MEMBER_CLEAR,
    MEMBER_SEALED,
    MEMBER_TTL,
    MEMBER_EXPIRES,
    MEMBER_SHARE
};
static const char *const member_words[] = {"value",       "link",       "template",     "secret",
                                           "secret-file", "secret-env", "secret-value", "sealed",
                                           "ttl",         "expires",    "share",        NULL};

static int take_source(struct defining *defining, enum member member, const struct yaml_node *node)
{
    switch (member) {
    case MEMBER_VALUE:
        return take_value(defining, node);
    case MEMBER_LINK:
        take_link(defining, node);
        return 0;
    case MEMBER_TEMPLATE:
        return take_template(defining, node);
    case MEMBER_FILE:
        return take_file(defining, node);
    case MEMBER_VARIABLE:
        return take_variable(defining, node);
    case MEMBER_CLEAR:
        return take_clear(defining, node);
    case MEMBER_SEALED:
        return take_sealed(defining, node);
    default:
        defining->key->form = SHEET_KEPT;
        if (!yaml_is(&defining->sheet->tree, node, "true"))
            faults_add(defining->faults, &defining->sheet->tree, node,
                       "'secret' is true, or is left out");
        return 0;
    }
}

/* The two ways in which people write a secret into a file. */
static void check_sources(struct defining *defining, const struct yaml_node *node,
                          const struct yaml_node *const sources[static MEMBER_TTL],
                          bool has_unknown)
{
    const struct yaml_node *first = NULL;
    if (sources[MEMBER_SECRET] != NULL && sources[MEMBER_VALUE] != NULL) {
        faults_add(defining->faults, &defining->sheet->tree, sources[MEMBER_VALUE],
                   "the value of a secret stands in no file: 'secret-file' or 'secret-env' sets "
                   "it, 'secret: true' alone leaves it as it is");
        return;
    }
    for (int i = 0; i < MEMBER_TTL; i++) {
        if (sources[i] != NULL && first != NULL)
            faults_add(defining->faults, &defining->sheet->tree, sources[i],
                       "a key has one value: '%s' is a second one", member_words[i]);
        first = sources[i] != NULL ? sources[i] : first;
    }
    if (first == NULL && !has_unknown)
        faults_add(defining->faults, &defining->sheet->tree, node,
                   "a key without a value: one of value, link, template, secret, sealed, "
                   "secret-file and secret-env is wanted");
}

static int take_map(struct defining *defining, const struct yaml_node *node)
{
    const struct yaml_node *sources[MEMBER_TTL] = {NULL}, *ttl = NULL, *expires = NULL;
    struct sheet *sheet = defining->sheet;
    struct sheet_key *key = defining->key;
    bool has_unknown = false;
    int error = 0;
    for (size_t i = 0; i < node->count && error == 0; i++) {
        const struct yaml_pair *pair = &node->pairs[i];
        int member = sheet_member(defining->faults, &sheet->tree, pair->key, member_words, "a key");
        has_unknown |= member < 0;
        if (member < 0)
            continue;
        if (member == MEMBER_TTL)
            ttl = pair->value;
        else if (member == MEMBER_EXPIRES)
            expires = pair->value;
        else if (member == MEMBER_SHARE)
            error = sheet_add_shares(sheet, defining->faults, key->name, pair->value);
        else
            sources[member] = pair->value;
        if (member < MEMBER_TTL && error == 0)
            error = take_source(defining, (enum member)member, pair->value);
    }
    check_sources(defining, node, sources, has_unknown);
    if (ttl != NULL)
        sheet_ttl(sheet, defining->faults, ttl, &key->ttl);
    if (expires != NULL)
        sheet_expires(sheet, defining->faults, expires, &key->expires);
    if (ttl != NULL && expires != NULL)
        faults_add(defining->faults, &defining->sheet->tree, ttl,
                   "one of 'ttl' and 'expires', not both");
    if (ttl != NULL && sources[MEMBER_SECRET] != NULL)
        faults_add(defining->faults, &defining->sheet->tree, ttl,
                   "a secret that stays as it is is not set anew, and so "
                   "gets no 'ttl'");
    return error;
}

int sheet_definition(struct sheet *sheet, struct faults *faults, const char *folder,
                     struct sheet_key *key)
{
    struct defining defining = {.sheet = sheet, .faults = faults, .folder = folder, .key = key};
    const struct yaml_node *node = key->definition;
    if (node->kind == YAML_MAP)
        return take_map(&defining, node);
    if (node->kind == YAML_SCALAR)
        return take_scalar(&defining, node);
    faults_add(faults, &sheet->tree, node, "a value is a text: a list is wanted nowhere here");
    return 0;
}
