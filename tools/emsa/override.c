#include "tools/emsa/override.h"

#include <string.h>

#include "store/error.h"
#include "store/limits.h"
#include "store/name.h"
#include "store/secret.h"
#include "tools/emsa/hidden.h"
#include "tools/emsa/input.h"
#include "tools/emsa/list.h"
#include "tools/emsa/output.h"
#include "tools/emsa/yaml.h"
#include "tools/emsa/yaml_write.h"

#define COMPOSE_FILE_MAX 16777216u
#define HEAD                                                                                       \
    "# The volumes of emsa for the services of this project: docker compose -f FILE -f THIS up\n"  \
    "# Each service finds its values below /env/ENVIRONMENT/SERVICE.\n"

struct override {
    const char *environment;
    const struct yaml_node *services; /* of the compose file; NULL: none was given */
    struct yaml_tree tree;
    struct secret text; /* of the output; nothing in it is one */
    size_t count;
};

/* Appends words one after the other; a NULL ends them. What stands behind a NAME is a name, and is
 * written as YAML writes it. */
#define NAME "\001"

static int append(struct override *override, const char *const words[])
{
    int error = 0;
    for (size_t i = 0; error == 0 && words[i] != NULL; i++) {
        if (strcmp(words[i], NAME) != 0) {
            error = hidden_append_text(&override->text, words[i]);
            continue;
        }
        i++;
        error = yaml_write(&override->text, (const unsigned char *)words[i], strlen(words[i]), 0);
    }
    return error;
}

static void volume_name(char out[static SERVICE_NAME_MAX + 8], const char *service)
{
    memcpy(out, "emsa-", 5);
    memcpy(out + 5, service, strlen(service) + 1);
}

static int add_service(struct override *override, const char *service)
{
    char volume[SERVICE_NAME_MAX + 8];
    volume_name(volume, service);
    const char *const words[] = {"  ",
                                 NAME,
                                 service,
                                 ":\n    volumes:\n      - type: volume\n        source: ",
                                 NAME,
                                 volume,
                                 "\n        target: /env\n        read_only: true\n"
                                 "        volume:\n          nocopy: true\n",
                                 NULL};
    return append(override, words);
}

static int add_volume(struct override *override, const char *service)
{
    char volume[SERVICE_NAME_MAX + 8];
    volume_name(volume, service);
    const char *const words[] = {"  ",
                                 NAME,
                                 volume,
                                 ":\n    driver: emsa\n    driver_opts:\n      environment: ",
                                 NAME,
                                 override->environment,
                                 "\n      service: ",
                                 NAME,
                                 service,
                                 "\n",
                                 NULL};
    return append(override, words);
}

/* Whether a service of the environment is one that compose runs. */
static bool is_wanted(const struct override *override, const char *service)
{
    if (override->services != NULL)
        return yaml_get(&override->tree, override->services, service) != NULL;
    return strcmp(service, "shared") != 0 && strcmp(service, "compose") != 0;
}

static int add_all(struct override *override, json_t *items, const char *heading,
                   int (*add)(struct override *, const char *))
{
    size_t index;
    json_t *item;
    int error = hidden_append_text(&override->text, heading);
    override->count = 0;
    json_array_foreach(items, index, item)
    {
        const char *name = output_member(item, "name");
        if (error < 0 || strlen(name) > SERVICE_NAME_MAX || !is_wanted(override, name))
            continue;
        override->count++;
        error = add(override, name);
    }
    return error;
}

static int read_compose(struct override *override, const char *file)
{
    struct secret text SECRET_CLEANUP = {0};
    override->tree.file = file;
    int error = read_whole(&text, file, COMPOSE_FILE_MAX);
    if (error == 0)
        error = yaml_read(&override->tree, (const char *)text.data, text.size);
    if (error < 0)
        return error;
    if (override->tree.document_count == 1)
        override->services = yaml_get(&override->tree, override->tree.documents[0], "services");
    if (override->services == NULL || override->services->kind != YAML_MAP)
        return error_set(ERR_INVALID, "'%s' has no services", file);
    return 0;
}

/* A service that would run without its values is better known before. */
static void tell_left(const struct override *override, json_t *items)
{
    for (size_t i = 0; override->services != NULL && i < override->services->count; i++) {
        const char *service = yaml_text(&override->tree, override->services->pairs[i].key);
        bool is_there = false;
        size_t index;
        json_t *item;
        json_array_foreach(items, index, item) is_there =
            is_there || strcmp(output_member(item, "name"), service) == 0;
        if (!is_there)
            output_note("'%s' gets no volume: there is no service '%s/%s'", service,
                        override->environment, service);
    }
}

static int print(struct override *override, json_t *items)
{
    int error = hidden_append_text(&override->text, HEAD);
    if (error == 0)
        error = add_all(override, items, "services:\n", add_service);
    if (error == 0 && override->count == 0)
        return error_set(ERR_NOT_FOUND, "no service of '%s' is one of compose: nothing to add",
                         override->environment);
    if (error == 0)
        error = add_all(override, items, "volumes:\n", add_volume);
    if (error == 0)
        tell_left(override, items);
    return error < 0 ? error : output_bytes(override->text.data, override->text.size);
}

static int check_environment(const char *word)
{
    struct path path;
    int error = path_parse(&path, word, strlen(word));
    if (error == 0 && path_depth(&path) != PATH_ENVIRONMENT)
        error = error_set(ERR_INVALID,
                          "which environment? 'emsa export ENV --format compose-override'");
    if (error == 0 && strcmp(path.environment, "all") == 0)
        error = error_set(ERR_INVALID,
                          "'all' has definitions, not values: name an environment to run in");
    return error;
}

int override_print(struct session *session, const char *environment)
{
    struct override override = {.environment = environment};
    json_t *list = NULL;
    int error = check_environment(environment);
    if (error == 0 && session->options.file != NULL)
        error = read_compose(&override, session->options.file);
    if (error == 0)
        error = list_gather(session, "io.emsa.List", environment, &list);
    if (error == 0)
        error = print(&override, json_object_get(list, "items"));
    json_decref(list);
    yaml_release(&override.tree);
    secret_release(&override.text);
    return error;
}
