/* Environments, services and keys: made, listed, taken away. */
#include <string.h>

#include "store/error.h"
#include "store/name.h"
#include "tools/emsa/command.h"
#include "tools/emsa/list.h"
#include "tools/emsa/report.h"

/* The arguments as a list of paths, each of the wanted depth; *shared is the deepest place that all
 * of them are in, for --if-rev. */
static int paths_of(const struct texts *texts, enum path_depth depth, const char *wanted,
                    json_t **out, struct path *shared)
{
    json_t *list = json_array();
    for (size_t i = 0; i < texts->count; i++) {
        struct path path;
        int error = path_parse(&path, texts->list[i], strlen(texts->list[i]));
        if (error == 0 && path_depth(&path) != depth)
            error = error_set(ERR_INVALID, "'%s' is not %s", texts->list[i], wanted);
        if (error < 0) {
            json_decref(list);
            return error;
        }
        char text[PATH_TEXT_MAX];
        json_array_append_new(list, json_string(path_text(&path, text)));
        if (i == 0)
            *shared = path;
        path_share(shared, &path);
    }
    *out = list;
    return 0;
}

static int change_places(struct session *session, const char *method, const char *parameter,
                         enum path_depth depth, const char *wanted)
{
    json_t *list;
    struct path shared;
    char text[PATH_TEXT_MAX];
    int error = paths_of(&session->options.arguments, depth, wanted, &list, &shared);
    if (error < 0)
        return error;
    return report_change(session, method,
                         json_pack("{s:o, s:b}", parameter, list, "all", (int)session->options.all),
                         path_text(&shared, text), NULL, 0);
}

int run_environment_add(struct session *session)
{
    return change_places(session, "io.emsa.EnvironmentAdd", "names", PATH_ENVIRONMENT,
                         "the name of an environment");
}

int run_environment_remove(struct session *session)
{
    return change_places(session, "io.emsa.EnvironmentRemove", "names", PATH_ENVIRONMENT,
                         "the name of an environment");
}

int run_environment_list(struct session *session)
{
    return list_print(session, "io.emsa.List", "");
}

int run_service_add(struct session *session)
{
    return change_places(session, "io.emsa.ServiceAdd", "paths", PATH_SERVICE,
                         "a service: write ENVIRONMENT/SERVICE");
}

int run_service_remove(struct session *session)
{
    return change_places(session, "io.emsa.ServiceRemove", "paths", PATH_SERVICE,
                         "a service: write ENVIRONMENT/SERVICE");
}

int run_service_list(struct session *session)
{
    const char *name = session->options.arguments.list[0];
    struct path path;
    int error = path_parse(&path, name, strlen(name));
    if (error == 0 && path_depth(&path) != PATH_ENVIRONMENT)
        error = error_set(ERR_INVALID, "'%s' is not the name of an environment", name);
    return error < 0 ? error : list_print(session, "io.emsa.List", name);
}

int run_remove(struct session *session)
{
    return change_places(
        session, "io.emsa.Remove", "paths", PATH_KEY,
        "a key (ENVIRONMENT/SERVICE/KEY): 'emsa service rm' and 'emsa env rm' take the rest");
}
