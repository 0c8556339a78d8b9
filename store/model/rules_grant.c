/* Who may do what at a place. Whether the caller may say so is judged before anything comes here.
 */
#include <string.h>

#include "store/error.h"
#include "store/grant.h"
#include "store/log/state_relation.h"
#include "store/model/rules_internal.h"

/* The place that the wish speaks of, where it is there. NOT_THERE: refused. */
static int find_place(struct judge *judge, struct operation *operation, const char **name,
                      const struct wish *wish)
{
    struct environment environment;
    struct service service;
    bool refused;
    *name = wish->environment;
    if (!wish->environment[0])
        return 0;
    if (!wish->service[0]) {
        const int found = judge_find_environment(judge, &environment, wish->environment);
        operation->environment = found ? 0 : environment.id;
        return found;
    }
    int found = judge_find_service(judge, &environment, &service, wish, &refused);
    if (found > 0) {
        found = refused ? 0 : judge_no_service(judge, wish, environment.id);
        return found ? found : NOT_THERE;
    }
    if (found)
        return found;
    *name = wish->service;
    operation->environment = environment.id;
    operation->service = service.id;
    operation->turn = service.incarnation;
    return 0;
}

static int line_of(struct judge *judge, char mark, const struct wish *wish, uint64_t was,
                   unsigned rights)
{
    const int error =
        plan_line(judge->plan, mark, false, was, wish->environment, wish->service, "");
    return error ? error : plan_line_rights(judge->plan, wish->with, rights);
}

static int no_grant(struct judge *judge, const struct wish *wish, unsigned held)
{
    char text[PATH_TEXT_MAX];
    struct path path = {0};
    path_make(&path, wish->environment, wish->service, NULL);
    const bool is_root = path_depth(&path) == PATH_ROOT;
    path_text(&path, text);
    return judge_refuse(judge, ERR_NOT_FOUND,
                        "'%s' was not granted %s at %s%s%s (emsa grants lists what was)",
                        wish->with, held ? "all of that" : "that", is_root ? "the root" : "'", text,
                        is_root ? "" : "'");
}

int judge_rights(struct judge *judge, const struct wish *wish)
{
    const bool is_grant = wish->kind == OPERATION_RIGHTS_GRANT;
    struct operation operation = {
        .kind = wish->kind, .principal = wish->with, .principal_size = strlen(wish->with)};
    struct state_grant grant = {0};
    const char *name;
    int found = find_place(judge, &operation, &name, wish);
    if (found)
        return found < 0 ? found : 0;
    grant.environment = operation.environment;
    grant.service = operation.service;
    memcpy(grant.principal, wish->with, operation.principal_size + 1);
    found = state_grant(judge->index->txn, &grant);
    if (found < 0)
        return found;
    const unsigned held = found ? 0 : grant.rights;
    if (!is_grant && (!held || (held & wish->rights) != wish->rights))
        return no_grant(judge, wish, held & wish->rights);
    operation.rights = is_grant ? wish->rights & ~held : wish->rights ? wish->rights : held;
    if (!operation.rights)
        return line_of(judge, '=', wish, grant.rev, wish->rights);
    found = judge_step(judge, &operation, name, NULL);
    const uint64_t was = held ? grant.rev : 0;
    return found ? found : line_of(judge, is_grant ? '+' : '-', wish, was, operation.rights);
}
