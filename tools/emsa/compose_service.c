/*
 * One service's environment, by compose's order: what "environment" says stands before what
 * env_file says, and of several env_files the last; a service that extends another begins with what
 * that one has. A name without a value is the variable of that name, or stays unset.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/error.h"
#include "store/name.h"
#include "tools/emsa/assignments.h"
#include "tools/emsa/compose_parts.h"
#include "tools/emsa/dotenv.h"
#include "tools/emsa/input.h"
#include "tools/emsa/scalar.h"

#define EXTENDS_MAX 16

struct entry { /* of "environment" */
    char name[KEY_NAME_MAX + 1];
    const struct yaml_node *key, *value; /* of a mapping; value alone: of a list */
    bool bare;
};

struct env_file {
    const struct yaml_node *path;
    bool required;
};

struct work { /* one service */
    struct compose *compose;
    size_t service;
    const char *name;
    struct entry *entries;
    size_t entry_count;
    struct env_file *env_files;
    size_t env_file_count;
    unsigned long file_began; /* settings before the env_file that is read */
    unsigned long own;        /* settings when "environment" was done */
};

static void *more(void *list, size_t count, size_t size)
{
    void *moved = realloc(list, (count + 1) * size);
    if (moved == NULL)
        error_set(ERR_NOMEM, "no memory for an environment");
    return moved;
}

static bool is_null(const struct compose *compose, const struct yaml_node *node)
{
    return node->kind == YAML_SCALAR && node->plain && node->tag[0] == '\0' &&
           scalar_type(SCALAR_COMPOSE, yaml_text(&compose->tree, node), node->size) == SCALAR_NULL;
}

/* "!reset" takes away what an extended service has, "!override" replaces it. */
static bool forgets(const struct yaml_node *node, size_t *count)
{
    bool reset = strcmp(node->tag, "!reset") == 0;
    if (reset || strcmp(node->tag, "!override") == 0)
        *count = 0;
    return reset;
}

static struct entry *find_entry(struct work *work, const char *name)
{
    for (size_t i = 0; i < work->entry_count; i++)
        if (strcmp(work->entries[i].name, name) == 0)
            return &work->entries[i];
    return NULL;
}

/* A later entry of a name takes the earlier one's place. Names that cannot be keys are told, and
 * left out. */
static int add_entry(struct work *work, const char *name, size_t length, unsigned line,
                     struct entry **out)
{
    struct compose *compose = work->compose;
    *out = NULL;
    if (length > 0 && strchr(" \t", name[length - 1]) != NULL)
        return yaml_fail(&compose->tree, line, "a blank between a name and its '='");
    if (name_check(NAME_KEY, name, length) < 0) {
        intake_note_at(compose->intake, compose->file, line, "left out of '%s': %s", work->name,
                       error_text());
        error_clear();
        return 0;
    }
    char text[KEY_NAME_MAX + 1];
    memcpy(text, name, length);
    text[length] = '\0';
    *out = find_entry(work, text);
    if (*out == NULL) {
        struct entry *entries = more(work->entries, work->entry_count, sizeof *entries);
        if (entries == NULL)
            return -ERR_NOMEM;
        work->entries = entries;
        *out = &entries[work->entry_count++];
    }
    **out = (struct entry){0};
    memcpy((*out)->name, text, length + 1);
    return 0;
}

/* "NAME=value" or "NAME", interpolated as a whole. */
static int gather_item(struct work *work, const struct yaml_node *item)
{
    struct compose *compose = work->compose;
    struct entry *entry;
    if (item->kind != YAML_SCALAR || is_null(compose, item))
        return yaml_fail(&compose->tree, item->line,
                         "the environment of '%s' has something that is no NAME=VALUE", work->name);
    int error = compose_draft(compose, item, NULL);
    if (error < 0)
        return error;
    const char *text = intake_drafted(compose->intake);
    size_t size = compose->intake->draft.size;
    const char *equals = memchr(text, '=', size);
    size_t length = equals != NULL ? (size_t)(equals - text) : size;
    if (size == 0) { /* "- ${MORE:-}": no variable has an empty name */
        intake_note_at(compose->intake, compose->file, item->line,
                       "left out of '%s': an entry that comes to an empty text", work->name);
        return 0;
    }
    if (equals == NULL && name_check(NAME_KEY, text, length) < 0)
        /* what it is stays out of the message: it may be a value */
        error = yaml_fail(&compose->tree, item->line,
                          "the environment of '%s' has something that is no NAME=VALUE and no NAME",
                          work->name);
    else
        error = add_entry(work, text, length, item->line, &entry);
    if (error == 0 && entry != NULL) {
        entry->value = item;
        entry->bare = equals == NULL;
    }
    intake_undraft(compose->intake, 0);
    return error;
}

static int gather_pair(struct work *work, const struct yaml_pair *pair)
{
    struct compose *compose = work->compose;
    struct entry *entry;
    const char *name = yaml_text(&compose->tree, pair->key);
    if (pair->value->kind != YAML_SCALAR)
        return yaml_fail(&compose->tree, pair->value->line,
                         "the value of '%.*s' is no text, number, true or false",
                         (int)(pair->key->size < 64 ? pair->key->size : 64), name);
    int error = add_entry(work, name, pair->key->size, pair->key->line, &entry);
    if (error < 0 || entry == NULL)
        return error;
    if (strcmp(pair->value->tag, "!reset") == 0) {
        *entry = work->entries[--work->entry_count];
        return 0;
    }
    entry->key = pair->key;
    entry->value = pair->value;
    entry->bare = is_null(compose, pair->value);
    return 0;
}

static int gather_environment(struct work *work, const struct yaml_node *environment)
{
    int error = 0;
    if (environment == NULL || forgets(environment, &work->entry_count) ||
        is_null(work->compose, environment))
        return 0;
    if (environment->kind == YAML_SCALAR)
        return yaml_fail(&work->compose->tree, environment->line,
                         "the environment of '%s' is no list and no mapping", work->name);
    for (size_t i = 0; i < environment->count && error == 0; i++)
        error = environment->kind == YAML_LIST ? gather_item(work, environment->items[i])
                                               : gather_pair(work, &environment->pairs[i]);
    return error;
}

static int add_env_file(struct work *work, const struct yaml_node *path, bool required)
{
    if (path == NULL || path->kind != YAML_SCALAR)
        return yaml_fail(&work->compose->tree, path != NULL ? path->line : 1,
                         "an env_file of '%s' without a path", work->name);
    struct env_file *files = more(work->env_files, work->env_file_count, sizeof *files);
    if (files == NULL)
        return -ERR_NOMEM;
    work->env_files = files;
    files[work->env_file_count++] = (struct env_file){path, required};
    return 0;
}

static int gather_env_file(struct work *work, const struct yaml_node *node)
{
    struct compose *compose = work->compose;
    if (node->kind != YAML_MAP)
        return add_env_file(work, node, true);
    const struct yaml_node *format = yaml_get(&compose->tree, node, "format");
    const struct yaml_node *required = yaml_get(&compose->tree, node, "required");
    if (format != NULL && !yaml_is(&compose->tree, format, "")) {
        intake_note_at(compose->intake, compose->file, format->line,
                       "an env_file of '%s' has a format of its own and is not taken in: import it "
                       "by itself",
                       work->name);
        return 0;
    }
    return add_env_file(work, yaml_get(&compose->tree, node, "path"),
                        required == NULL || !yaml_is(&compose->tree, required, "false"));
}

static int gather_env_files(struct work *work, const struct yaml_node *node)
{
    int error = 0;
    if (node == NULL || forgets(node, &work->env_file_count) || is_null(work->compose, node))
        return 0;
    if (node->kind != YAML_LIST)
        return gather_env_file(work, node);
    for (size_t i = 0; i < node->count && error == 0; i++)
        error = gather_env_file(work, node->items[i]);
    return error;
}

static int gather(struct work *work, const struct yaml_node *service, unsigned depth);

/* What another service of this file has, first. */
static int gather_base(struct work *work, const struct yaml_node *extends, unsigned depth)
{
    struct compose *compose = work->compose;
    const struct yaml_tree *tree = &compose->tree;
    const struct yaml_node *name =
        extends->kind == YAML_MAP ? yaml_get(tree, extends, "service") : extends;
    if (yaml_get(tree, extends, "file") != NULL) {
        intake_note_at(compose->intake, compose->file, extends->line,
                       "'%s' extends a service of another file: what that one has is not taken in",
                       work->name);
        return 0;
    }
    if (name == NULL || name->kind != YAML_SCALAR)
        return yaml_fail(tree, extends->line, "'extends' of '%s' names no service", work->name);
    if (depth > EXTENDS_MAX)
        return yaml_fail(tree, extends->line, "'%s' extends itself, or more than %d services",
                         work->name, EXTENDS_MAX);
    const struct yaml_node *services = yaml_get(tree, tree->documents[0], "services");
    for (size_t i = 0; i < services->count; i++) {
        const struct yaml_node *key = services->pairs[i].key;
        if (key->size == name->size &&
            memcmp(yaml_text(tree, key), yaml_text(tree, name), key->size) == 0)
            return gather(work, services->pairs[i].value, depth + 1);
    }
    return yaml_fail(tree, name->line, "'%s' extends '%.*s', which is not there", work->name,
                     (int)(name->size < 64 ? name->size : 64), yaml_text(tree, name));
}

static int gather(struct work *work, const struct yaml_node *service, unsigned depth)
{
    const struct yaml_tree *tree = &work->compose->tree;
    const struct yaml_node *extends = yaml_get(tree, service, "extends");
    if (service->kind != YAML_MAP)
        return yaml_fail(tree, service->line, "the service '%s' is no mapping", work->name);
    int error = extends != NULL ? gather_base(work, extends, depth) : 0;
    if (error == 0)
        error = gather_environment(work, yaml_get(tree, service, "environment"));
    if (error == 0)
        error = gather_env_files(work, yaml_get(tree, service, "env_file"));
    return error;
}

static int set(struct work *work, const char *name, const char *file, unsigned line)
{
    return intake_set(work->compose->intake, work->service, name, strlen(name), file, line, NULL);
}

static void list_missing(struct work *work, const char *name)
{
    char text[SERVICE_NAME_MAX + KEY_NAME_MAX + 2];
    int length = snprintf(text, sizeof text, "%s/%s", work->name, name);
    compose_list(&work->compose->missing, text, (size_t)length);
}

static int set_bare(struct work *work, const struct entry *entry)
{
    struct compose *compose = work->compose;
    size_t key = compose_variable(compose, entry->name, strlen(entry->name));
    if (key == INTAKE_NONE) {
        list_missing(work, entry->name);
        return 0;
    }
    intake_draft(compose->intake);
    int error = intake_reference(compose->intake, key);
    return error < 0 ? error : set(work, entry->name, compose->file, entry->value->line);
}

/* A number, true or false, as compose prints it. */
static int draft_scalar(struct work *work, const struct entry *entry)
{
    struct compose *compose = work->compose;
    const struct yaml_node *value = entry->value;
    const char *text = yaml_text(&compose->tree, value);
    char printed[SCALAR_PRINTED_MAX];
    enum scalar_type type = value->plain && value->tag[0] == '\0'
                                ? scalar_type(SCALAR_COMPOSE, text, value->size)
                                : SCALAR_TEXT;
    if (type == SCALAR_TEXT)
        return compose_draft(compose, value, NULL);
    if (type == SCALAR_DATE || type == SCALAR_ENDLESS)
        return yaml_fail(&compose->tree, value->line,
                         "the value of '%s' is no text to compose: put it into quotes",
                         entry->name);
    intake_draft(compose->intake);
    return intake_text(compose->intake, printed, scalar_print(printed, text, value->size));
}

static int set_entry(struct work *work, const struct entry *entry)
{
    struct compose *compose = work->compose;
    if (entry->bare)
        return set_bare(work, entry);
    int error =
        entry->key != NULL ? draft_scalar(work, entry) : compose_draft(compose, entry->value, NULL);
    if (error == 0 && entry->key == NULL)
        intake_behead(compose->intake, strlen(entry->name) + 1);
    return error < 0 ? error : set(work, entry->name, compose->file, entry->value->line);
}

/* What a name means within an env_file: a variable, what "environment" set, or an earlier line. */
static size_t look_up(void *context, const char *name, size_t length)
{
    const struct work *work = context;
    const struct intake *intake = work->compose->intake;
    size_t key = compose_variable(work->compose, name, length);
    if (key != INTAKE_NONE)
        return key;
    key = intake_find(intake, work->service, name, length);
    if (key != INTAKE_NONE &&
        (intake->keys[key].setting <= work->own || intake->keys[key].setting > work->file_began))
        return key;
    key = intake_find(intake, work->compose->scratch, name, length);
    return key != INTAKE_NONE && intake->keys[key].setting > work->file_began ? key : INTAKE_NONE;
}

static void list_unset(void *context, const char *name, size_t length)
{
    struct work *work = context;
    compose_list(&work->compose->unset, name, length);
}

/* Where the env_file is the dotenv file itself, its keys are those variables. */
static int refer_to_variable(struct work *work, const struct assignment *one)
{
    struct intake *intake = work->compose->intake;
    size_t key = compose_variable(work->compose, one->key, strlen(one->key));
    if (key == INTAKE_NONE || intake->keys[key].value.size != intake->draft.size ||
        memcmp(intake_bytes(intake, &intake->keys[key]), intake_drafted(intake),
               intake->draft.size) != 0)
        return 0;
    intake_undraft(intake, 0);
    return intake_reference(intake, key);
}

static int set_line(struct work *work, const struct assignments *all, const struct assignment *one,
                    const char *file, bool is_dotenv)
{
    struct intake *intake = work->compose->intake;
    struct interpolation how = {
        .intake = intake, .lookup = look_up, .unset = list_unset, .context = work};
    int error;
    intake_draft(intake);
    if (one->bare) {
        size_t key = look_up(work, one->key, strlen(one->key));
        if (key == INTAKE_NONE) {
            if (find_entry(work, one->key) == NULL)
                list_missing(work, one->key);
            return 0;
        }
        error = intake_reference(intake, key);
    } else {
        error = interpolate(&how, (const char *)assignment_value(all, one), one->size);
    }
    if (error == -ERR_INVALID) {
        char why[512];
        snprintf(why, sizeof why, "%s", error_text());
        return intake_fail(file, one->line, "%s", why);
    }
    if (error == 0 && is_dotenv)
        error = refer_to_variable(work, one);
    size_t service = find_entry(work, one->key) == NULL ? work->service : work->compose->scratch;
    return error < 0
               ? error
               : intake_set(intake, service, one->key, strlen(one->key), file, one->line, NULL);
}

static int set_lines(struct work *work, const char *file, const struct secret *text)
{
    struct compose *compose = work->compose;
    struct assignments all = {
        .file = file, .note = compose->intake->note, .for_interpolation = true};
    struct stat status;
    bool is_dotenv = compose->dotenv_status.st_ino != 0 && stat(file, &status) == 0 &&
                     status.st_ino == compose->dotenv_status.st_ino &&
                     status.st_dev == compose->dotenv_status.st_dev;
    int error = dotenv_parse(&all, text->size > 0 ? (const char *)text->data : "", text->size);
    work->file_began = compose->intake->settings;
    for (size_t i = 0; i < all.count && error == 0; i++)
        error = set_line(work, &all, &all.list[i], file, is_dotenv);
    assignments_release(&all);
    return error;
}

/* The path as it stands in the file is relative to the compose file's folder. */
static int find_path(struct work *work, const struct yaml_node *node, const char **out)
{
    struct compose *compose = work->compose;
    char path[PATH_MAX];
    int error = compose_draft(compose, node, NULL);
    if (error < 0)
        return error;
    const char *text = intake_drafted(compose->intake);
    int size = (int)compose->intake->draft.size;
    const char *slash = strrchr(compose->file, '/');
    int folder = size > 0 && text[0] == '/' ? 0
                 : slash != NULL            ? (int)(slash - compose->file) + 1
                                            : 0;
    int length = snprintf(path, sizeof path, "%.*s%.*s", folder, compose->file, size, text);
    intake_undraft(compose->intake, 0);
    if (length >= (int)sizeof path || size == 0)
        return yaml_fail(&compose->tree, node->line, "an env_file of '%s' without a usable path",
                         work->name);
    *out = intake_file(compose->intake, path);
    return *out != NULL ? 0 : -ERR_NOMEM;
}

static int take_env_file(struct work *work, const struct env_file *env_file)
{
    struct compose *compose = work->compose;
    struct secret text SECRET_CLEANUP = {0};
    const char *file = NULL;
    int error = find_path(work, env_file->path, &file);
    if (error < 0)
        return error;
    if (!env_file->required && access(file, F_OK) < 0) {
        intake_note_at(compose->intake, compose->file, env_file->path->line,
                       "'%s' is not there, and '%s' does not require it", file, work->name);
        return 0;
    }
    error = read_whole(&text, file, FILE_SIZE_MAX);
    if (error < 0) {
        char why[1024];
        snprintf(why, sizeof why, "%s", error_text());
        return error_set((enum error_code) - error, "%s, line %u: the env_file of '%s': %s",
                         compose->file, env_file->path->line, work->name, why);
    }
    return set_lines(work, file, &text);
}

/* What gives a service variables in ways that only compose knows. */
static void note_others(const struct work *work, const struct yaml_node *service)
{
    static const struct {
        const char *name, *why;
    } others[] = {
        {"models", "compose sets variables for its 'models', which are not taken in"},
        {"provider", "it is run by a provider, and what that one sets for others is not taken in"},
        {"profiles", "it has profiles, which emsa does not know: it is taken in all the same"},
    };
    const struct compose *compose = work->compose;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        const struct yaml_node *found = yaml_get(&compose->tree, service, others[i].name);
        if (found != NULL && strcmp(found->tag, "!reset") != 0)
            intake_note_at(compose->intake, compose->file, found->line, "the service '%s': %s",
                           work->name, others[i].why);
    }
}

static int set_all(struct work *work, const struct yaml_node *service)
{
    int error = gather(work, service, 0);
    for (size_t i = 0; i < work->entry_count && error == 0; i++)
        error = set_entry(work, &work->entries[i]);
    work->own = work->compose->intake->settings;
    for (size_t i = 0; i < work->env_file_count && error == 0; i++)
        error = take_env_file(work, &work->env_files[i]);
    return error;
}

int compose_service(struct compose *compose, const struct yaml_pair *service)
{
    struct intake *intake = compose->intake;
    struct work work = {.compose = compose};
    const char *name = yaml_text(&compose->tree, service->key);
    size_t before = intake->service_count;
    int error = intake_service(intake, &work.service, name, service->key->size, compose->file,
                               service->key->line);
    if (error < 0)
        return error;
    char text[SERVICE_NAME_MAX + 1];
    snprintf(text, sizeof text, "%s", intake->services[work.service].name);
    work.name = text;
    if (work.service < before)
        return yaml_fail(&compose->tree, service->key->line,
                         "a service cannot be named '%s' here: emsa keeps there what %s", text,
                         work.service == compose->shared ? "several services share"
                                                         : "compose itself interpolates");
    error = set_all(&work, service->value);
    if (error == 0)
        note_others(&work, service->value);
    free(work.entries);
    free(work.env_files);
    return error;
}
