/* Environments, services and keys: made, listed, taken away. */
#include <string.h>

#include "store/error.h"
#include "store/name.h"
#include "tools/emsa/command.h"
#include "tools/emsa/list.h"
#include "tools/emsa/report.h"
#include "tools/emsa/words.h"

static int change_places(struct session *session, const char *method, const char *parameter,
                         enum path_depth depth, const char *wanted)
{
    json_t *list;
    struct path shared;
    char text[PATH_TEXT_MAX];
    int error = words_paths(&session->options.arguments, depth, wanted, &list, &shared);
    if (error < 0)
        return error;
    return report_change(session, method,
                         json_pack("{s:o, s:b}", parameter, list, "all", (int)session->options.all),
                         path_text(&shared, text), NULL, 0);
}

int run_environment_add(struct session *session)
{
    const struct options *options = &session->options;
    json_t *list;
    struct path shared;
    char text[PATH_TEXT_MAX];
    int error = words_paths(&options->arguments, PATH_ENVIRONMENT, "the name of an environment",
                            &list, &shared);
    if (error < 0)
        return error;
    json_t *parameters =
        json_pack("{s:o, s:b, s:b, s:s*}", "names", list, "protected", (int)options->protect,
                  "signed", (int)options->is_signed, "base", options->base);
    if (parameters != NULL && options->ttl > 0)
        json_object_set_new(parameters, "ttl", json_integer((json_int_t)options->ttl));
    return report_change(session, "io.emsa.EnvironmentAdd", parameters, path_text(&shared, text),
                         NULL, 0);
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
