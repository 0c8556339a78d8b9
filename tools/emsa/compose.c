#include "tools/emsa/compose.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "tools/emsa/assignments.h"
#include "tools/emsa/compose_parts.h"
#include "tools/emsa/dotenv.h"

#define LIST_MAX (1u << 20) /* bytes of names that are told */
#define MESSAGE_MAX 1024
#define PROJECT "COMPOSE_PROJECT_NAME"

void compose_list(struct bytes *list, const char *text, size_t length)
{
    for (size_t at = 0; at < list->size;) {
        const char *known = (const char *)list->data + at;
        if (strlen(known) == length && memcmp(known, text, length) == 0)
            return;
        at += strlen(known) + 1;
    }
    bytes_append(list, text, length);
    bytes_append(list, "", 1);
}

size_t compose_variable(void *context, const char *name, size_t length)
{
    const struct compose *compose = context;
    return intake_find(compose->intake, compose->shared, name, length);
}

static void list_unset(void *context, const char *name, size_t length)
{
    struct compose *compose = context;
    if (length == strlen(PROJECT) && memcmp(name, PROJECT, length) == 0)
        compose->wants_project = true;
    else
        compose_list(&compose->unset, name, length);
}

/* A failure without a place gets one. */
static int at_line(const char *file, unsigned line, int error)
{
    char why[MESSAGE_MAX];
    if (error != -ERR_INVALID)
        return error;
    snprintf(why, sizeof why, "%s", error_text());
    return intake_fail(file, line, "%s", why);
}

int compose_draft(struct compose *compose, const struct yaml_node *node,
                  void (*unset)(void *context, const char *name, size_t length))
{
    struct interpolation how = {
        .intake = compose->intake, .lookup = compose_variable, .unset = unset, .context = compose};
    intake_draft(compose->intake);
    return at_line(compose->file, node->line,
                   interpolate(&how, yaml_text(&compose->tree, node), node->size));
}

/* The dotenv file, line by line: a variable sees those before it. */
static int take_variables(struct compose *compose, const struct assignments *all)
{
    struct interpolation how = {.intake = compose->intake,
                                .lookup = compose_variable,
                                .unset = list_unset,
                                .context = compose};
    for (size_t i = 0; i < all->count; i++) {
        const struct assignment *one = &all->list[i];
        if (one->bare) {
            intake_note_at(compose->intake, compose->dotenv_file, one->line,
                           "'%s' has no value there: compose takes its caller's, here it is unset",
                           one->key);
            continue;
        }
        intake_draft(compose->intake);
        int error = at_line(compose->dotenv_file, one->line,
                            interpolate(&how, (const char *)assignment_value(all, one), one->size));
        if (error == 0)
            error = intake_set(compose->intake, compose->shared, one->key, strlen(one->key),
                               compose->dotenv_file, one->line, NULL);
        if (error < 0)
            return error;
    }
    return 0;
}

static int read_variables(struct compose *compose)
{
    const struct compose_input *input = compose->input;
    if (input->dotenv_file == NULL)
        return 0;
    struct assignments all = {
        .file = input->dotenv_file, .note = compose->intake->note, .for_interpolation = true};
    compose->dotenv_file = intake_file(compose->intake, input->dotenv_file);
    if (compose->dotenv_file == NULL)
        return -ERR_NOMEM;
    if (stat(input->dotenv_file, &compose->dotenv_status) < 0)
        compose->dotenv_status.st_ino = 0;
    int error = dotenv_parse(&all, input->dotenv->size > 0 ? (const char *)input->dotenv->data : "",
                             input->dotenv->size);
    if (error == 0)
        error = take_variables(compose, &all);
    assignments_release(&all);
    return error;
}

/* Everything that compose interpolates: what it would refuse is refused here, and names that are
 * not set are found. */
static int walk(struct compose *compose, const struct yaml_node *node)
{
    int error = 0;
    switch (node->kind) {
    case YAML_SCALAR:
        if (node->size == 0 || memchr(yaml_text(&compose->tree, node), '$', node->size) == NULL)
            return 0;
        error = compose_draft(compose, node, list_unset);
        intake_undraft(compose->intake, 0);
        break;
    case YAML_LIST:
        for (size_t i = 0; i < node->count && error == 0; i++)
            error = walk(compose, node->items[i]);
        break;
    default:
        for (size_t i = 0; i < node->count && error == 0; i++)
            error = walk(compose, node->pairs[i].value);
    }
    return error;
}

/* A project's name out of a folder's: small letters, digits, '-' and '_', of which no '-' and '_'
 * stand first. */
static void name_project(char *out, size_t capacity, const char *file)
{
    char folder[PATH_MAX], whole[PATH_MAX];
    const char *slash = strrchr(file, '/');
    size_t length = 0;
    snprintf(folder, sizeof folder, "%.*s", slash != NULL ? (int)(slash - file) : 1,
             slash != NULL ? file : ".");
    const char *base = realpath(folder[0] != '\0' ? folder : "/", whole);
    base = base != NULL && strrchr(base, '/') != NULL ? strrchr(base, '/') + 1 : "";
    for (; *base != '\0' && length + 1 < capacity; base++) {
        char c = (char)tolower((unsigned char)*base);
        if (isalnum((unsigned char)c) || ((c == '-' || c == '_') && length > 0))
            out[length++] = c;
    }
    out[length] = '\0';
}

/* The one variable that compose itself sets. */
static int set_project(struct compose *compose, const struct yaml_node *root)
{
    char name[256];
    const struct yaml_node *given = yaml_get(&compose->tree, root, "name");
    if (!compose->wants_project)
        return 0;
    int error = 0;
    if (given != NULL && given->kind == YAML_SCALAR) {
        error = compose_draft(compose, given, NULL);
    } else {
        intake_draft(compose->intake);
        name_project(name, sizeof name, compose->file);
        error = intake_text(compose->intake, name, strlen(name));
    }
    if (error == 0)
        error = intake_set(compose->intake, compose->shared, PROJECT, strlen(PROJECT),
                           compose->file, given != NULL ? given->line : 1, NULL);
    return error;
}

static int find_services(const struct compose *compose, const struct yaml_node **root,
                         const struct yaml_node **services)
{
    const struct yaml_tree *tree = &compose->tree;
    if (tree->document_count == 0)
        return yaml_fail(tree, 1, "nothing is there: a compose file has 'services:'");
    if (tree->document_count > 1)
        return yaml_fail(tree, tree->documents[1]->line,
                         "a second document: one compose file is one document here");
    *root = tree->documents[0];
    *services = yaml_get(tree, *root, "services");
    if (*services == NULL)
        return yaml_fail(tree, (*root)->line, "no 'services:': this is no compose file");
    if ((*services)->kind != YAML_MAP)
        return yaml_fail(tree, (*services)->line, "'services' is no mapping of names");
    return 0;
}

static int take_services(struct compose *compose)
{
    const struct yaml_node *root = NULL, *services = NULL;
    int error = find_services(compose, &root, &services);
    if (error == 0)
        error = walk(compose, root);
    if (error == 0)
        error = set_project(compose, root);
    if (error < 0)
        return error;
    const struct yaml_node *include = yaml_get(&compose->tree, root, "include");
    if (include != NULL)
        intake_note_at(compose->intake, compose->file, include->line,
                       "'include' is not taken in: import those files, each by itself");
    for (size_t i = 0; i < services->count && error == 0; i++)
        error = compose_service(compose, &services->pairs[i]);
    return error;
}

/* Marks the variables that services get, and those that they are made from. */
static int find_used(const struct intake *intake, size_t shared, bool *used)
{
    size_t *order = NULL;
    int error = intake_order(intake, &order);
    for (size_t i = intake->key_count; i > 0 && error == 0; i--) { /* those that refer first */
        const struct intake_key *key = &intake->keys[order[i - 1]];
        const struct intake_part *parts = intake->parts + key->value.first_part;
        if (key->service == shared && !used[order[i - 1]])
            continue;
        for (size_t n = 0; n < key->value.part_count; n++)
            if (parts[n].key != INTAKE_NONE)
                used[parts[n].key] = true;
    }
    free(order);
    return error;
}

/* What no service gets is compose's own; what one gets, compose has as a link. */
static int divide_variables(struct compose *compose)
{
    struct intake *intake = compose->intake;
    size_t count = intake->key_count;
    bool *used = calloc(count > 0 ? count : 1, sizeof *used);
    if (used == NULL)
        return error_set(ERR_NOMEM, "no memory for %zu keys", count);
    int error = find_used(intake, compose->shared, used);
    bool any_shared = false, any_own = false;
    for (size_t i = 0; i < count && error == 0; i++) {
        struct intake_key *key = &intake->keys[i];
        if (key->service != compose->shared)
            continue;
        any_own = true;
        any_shared = any_shared || used[i];
        if (!used[i]) {
            key->service = compose->compose;
            continue;
        }
        struct intake_key of = *key; /* the list moves as it grows */
        intake_draft(intake);
        error = intake_reference(intake, i);
        if (error == 0)
            error = intake_set(intake, compose->compose, of.name, strlen(of.name), of.file, of.line,
                               NULL);
    }
    free(used);
    intake->services[compose->shared].absent = !any_shared;
    intake->services[compose->compose].absent = !any_own;
    return error;
}

/* "A, B, C", in notes that are no longer than one screen. */
static void tell_list(const struct compose *compose, const struct bytes *list, const char *what)
{
    const char *at = (const char *)list->data;
    const char *end = list->size > 0 ? at + list->size : at;
    while (at < end) {
        char text[MESSAGE_MAX - 200];
        size_t length = 0;
        for (; at < end && length + strlen(at) + 3 < sizeof text; at += strlen(at) + 1)
            length += (size_t)snprintf(text + length, sizeof text - length, "%s%s",
                                       length > 0 ? ", " : "", at);
        if (length == 0) /* a name that no note could hold */
            at += strlen(at) + 1;
        intake_note(compose->intake, "%s: %s", what, text);
    }
}

static int begin(struct compose *compose)
{
    struct intake *intake = compose->intake;
    compose->file = intake_file(intake, compose->input->file);
    compose->tree.file = compose->file;
    if (compose->file == NULL)
        return -ERR_NOMEM;
    int error = intake_service(intake, &compose->shared, "shared", 6, compose->file, 1);
    if (error == 0)
        error = intake_service(intake, &compose->compose, "compose", 7, compose->file, 1);
    if (error == 0) /* what an env_file says and the service does not get */
        error = intake_service(intake, &compose->scratch, "0", 1, compose->file, 1);
    if (error == 0) {
        intake->services[compose->scratch].absent = true;
        intake->services[compose->scratch].name[0] = '\0';
    }
    return error;
}

int compose_take(struct intake *intake, const struct compose_input *input)
{
    struct compose compose = {.intake = intake,
                              .input = input,
                              .unset = BYTES_INIT(LIST_MAX),
                              .missing = BYTES_INIT(LIST_MAX)};
    int error = begin(&compose);
    if (error == 0)
        error =
            yaml_read(&compose.tree, input->text->size > 0 ? (const char *)input->text->data : "",
                      input->text->size);
    if (error == 0)
        error = read_variables(&compose);
    if (error == 0)
        error = take_services(&compose);
    if (error == 0)
        error = divide_variables(&compose);
    if (error == 0) {
        tell_list(&compose, &compose.unset,
                  "not set, and so an empty text wherever it is interpolated, as with compose");
        tell_list(&compose, &compose.missing, "left unset, as compose leaves it");
    }
    bytes_release(&compose.unset);
    bytes_release(&compose.missing);
    yaml_release(&compose.tree);
    return error;
}
