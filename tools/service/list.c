/* What is there: names, sizes, revisions; never values. */
#include "store/error.h"
#include "tools/service/item.h"
#include "tools/service/parameter.h"
#include "tools/service/verb.h"
#include "tools/service/walk.h"

#define LIST_LIMIT 10000u /* items a reply: a message stays far below its maximum */

struct list_terms {
    struct path scope;
    struct path after;
    uint64_t limit;
};

static int list_terms(struct request *request, struct list_terms *out)
{
    json_t *parameters = request->call->parameters;
    *out = (struct list_terms){.limit = LIST_LIMIT};
    int error = parameter_path(parameters, "path", &out->scope);
    if (error == 0)
        error = parameter_path(parameters, "after", &out->after);
    if (error == 0)
        error = parameter_number(parameters, "limit", &out->limit, NULL);
    if (error == 0 && (out->limit == 0 || out->limit > LIST_LIMIT))
        out->limit = LIST_LIMIT;
    return error;
}

/* What the caller does not see is passed by, with all that is in it. */
static int next_seen(struct request *request, struct walk *walk)
{
    for (;;) {
        int found = walk_step(walk);
        if (found != 0 ||
            rights_hold(request->service, &request->call->caller, RIGHT_SEE, &walk->at))
            return found;
        if (path_depth(&walk->at) < PATH_KEY)
            walk_pass(walk);
    }
}

static int gather(struct request *request, struct walk *walk, json_t *items, uint64_t limit,
                  bool *more)
{
    for (uint64_t i = 0;; i++) {
        json_t *item;
        int found = next_seen(request, walk);
        if (found != 0)
            return found < 0 ? found : 0;
        if (i == limit) {
            *more = true;
            return 0;
        }
        int error = item_of_walk(walk, &item);
        if (error < 0)
            return error;
        json_array_append_new(items, item);
    }
}

static int list(struct request *request, const struct list_terms *terms, enum path_depth deepest)
{
    struct snapshot *snapshot;
    struct walk walk;
    char text[PATH_TEXT_MAX];
    bool more = false;
    int error = request_snapshot(request, &snapshot);
    if (error == 0)
        error = walk_start(&walk, snapshot, &terms->scope, deepest, &terms->after);
    if (error < 0)
        return error;
    json_t *items = json_array();
    error = gather(request, &walk, items, terms->limit, &more);
    if (error < 0) {
        json_decref(items);
        return error;
    }
    request->call->reply =
        json_pack("{s:I, s:s, s:o, s:b}", "rev", (json_int_t)snapshot_revision(snapshot), "path",
                  path_text(&terms->scope, text), "items", items, "more", (int)more);
    return 0;
}

int verb_list(struct request *request)
{
    struct list_terms terms;
    int error = list_terms(request, &terms);
    if (error < 0)
        return error;
    enum path_depth depth = path_depth(&terms.scope);
    return list(request, &terms, depth == PATH_KEY ? PATH_KEY : depth + 1);
}

int verb_tree(struct request *request)
{
    struct list_terms terms;
    int error = list_terms(request, &terms);
    return error < 0 ? error : list(request, &terms, PATH_KEY);
}

int verb_environment_list(struct request *request)
{
    struct list_terms terms;
    int error = list_terms(request, &terms);
    if (error < 0)
        return error;
    terms.scope = (struct path){0};
    return list(request, &terms, PATH_ENVIRONMENT);
}

int verb_service_list(struct request *request)
{
    struct list_terms terms;
    int error = list_terms(request, &terms);
    if (error < 0)
        return error;
    if (path_depth(&terms.scope) != PATH_ENVIRONMENT)
        return error_set(ERR_INVALID, "services are listed of an environment: name one");
    return list(request, &terms, PATH_SERVICE);
}
