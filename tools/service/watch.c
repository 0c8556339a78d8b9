/*
 * What changes at some places, from a revision on: the outcomes of commits, so that whoever watches
 * a place hears of it wherever what changed it was set. One reply tells a bounded piece of them and
 * where the next one begins; nothing is kept for whoever watches, so one who is slow, or comes back
 * after years, costs no more than one who is not, and one who says where it was goes on exactly
 * there with any server of the store.
 */
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/history.h"
#include "tools/service/find.h"
#include "tools/service/item.h"
#include "tools/service/parameter.h"
#include "tools/service/verb.h"

#define PATHS_MAX 1024u
#define LOOKED_MAX 20000u /* outcomes and commits that one reply looks at */
#define BYTES_MAX 32768u  /* and about as much text: one goes into a socket at once */
#define CHANGE_BYTES 100u /* of a change or a commit, beside its texts */

struct watching {
    const struct request *request;
    struct snapshot *snapshot;
    struct path *paths;
    size_t path_count;
    uint64_t told; /* no further than this revision */
    uint64_t rev;  /* the next place to look at */
    uint32_t op;   /* outcomes of it that were looked at */
    json_t *commits;
    json_t *changes; /* of the commit that is looked at; borrowed, NULL before its first */
    size_t bytes;
    unsigned looked;
};

static bool is_same(const char *wanted, const char *name)
{
    return wanted[0] == '\0' || strcmp(wanted, name) == 0;
}

static bool is_beneath(const struct path *wanted, const struct path *path)
{
    return is_same(wanted->environment, path->environment) &&
           is_same(wanted->service, path->service) && is_same(wanted->key, path->key);
}

static bool concerns(const struct watching *watching, const struct path *path)
{
    for (size_t i = 0; i < watching->path_count; i++)
        if (is_beneath(&watching->paths[i], path))
            return true;
    return false;
}

/* By whom and why is for who may audit all that is watched. */
static bool tells_by_whom(const struct watching *watching)
{
    const struct request *request = watching->request;
    for (size_t i = 0; i < watching->path_count; i++)
        if (!rights_hold(request->service, &request->call->caller, RIGHT_AUDIT,
                         &watching->paths[i]))
            return false;
    return true;
}

static int begin_commit(struct watching *watching)
{
    struct commit_info commit;
    int found = history_commit(watching->snapshot, &commit, watching->rev);
    if (found != 0)
        return found < 0 ? found : error_set(ERR_CORRUPT, "a revision is not there");
    if (!tells_by_whom(watching))
        commit.author.name[0] = commit.reason[0] = '\0';
    json_t *changes = json_array();
    json_t *object =
        json_pack("{s:I, s:I, s:s, s:b, s:s, s:o}", "rev", (json_int_t)commit.rev, "time",
                  (json_int_t)commit.time, "author", commit.author.name, "signed",
                  (int)commit.author.is_signed, "reason", commit.reason, "changes", changes);
    if (object == NULL || json_array_append_new(watching->commits, object) < 0)
        return error_set(ERR_NOMEM, "no memory for a commit");
    if (tells_by_whom(watching) && item_add_signer(object, &commit.author) < 0)
        return -ERR_NOMEM;
    watching->changes = changes;
    watching->bytes += CHANGE_BYTES + strlen(commit.reason);
    return 0;
}

static int add_change(struct watching *watching, const struct outcome *outcome,
                      const struct path *path)
{
    char text[PATH_TEXT_MAX], mark[2] = {outcome->mark, '\0'};
    int error = watching->changes == NULL ? begin_commit(watching) : 0;
    if (error < 0)
        return error;
    json_t *change = json_pack("{s:s, s:s, s:b}", "mark", mark, "path", path_text(path, text),
                               "secret", (int)outcome->is_secret);
    if (change == NULL || json_array_append_new(watching->changes, change) < 0)
        return error_set(ERR_NOMEM, "no memory for a change");
    watching->bytes += CHANGE_BYTES + strlen(text);
    return 0;
}

static int look_at(struct watching *watching, const struct outcome *outcome)
{
    struct path path;
    int found = history_outcome_path(watching->snapshot, &path, outcome);
    if (found != 0)
        return found < 0 ? found : error_set(ERR_CORRUPT, "what changed has no name");
    return concerns(watching, &path) ? add_change(watching, outcome, &path) : 0;
}

/* From the place on, until there is no more or enough was looked at. */
static int look(struct watching *watching)
{
    while (watching->rev <= watching->told && watching->looked++ < LOOKED_MAX &&
           watching->bytes < BYTES_MAX) {
        struct outcome outcome;
        int found = history_outcome(watching->snapshot, &outcome, watching->rev, watching->op);
        if (found < 0)
            return found;
        if (found == 0) {
            watching->op++;
            found = look_at(watching, &outcome);
            if (found < 0)
                return found;
            continue;
        }
        watching->rev++;
        watching->op = 0;
        watching->changes = NULL;
    }
    return 0;
}

/* A place that was there once may come back, and its past may be asked for. */
static int was_there(struct snapshot *snapshot, const struct path *path)
{
    for (uint64_t rev = snapshot_revision(snapshot);;) {
        uint64_t found = rev;
        int result = history_touched(snapshot, &found, path, rev);
        if (result != LOOK_ON)
            return result;
        rev = found;
    }
}

static int check_path(struct snapshot *snapshot, const struct path *path)
{
    struct environment environment;
    struct service service;
    struct entry entry;
    if (path_depth(path) == PATH_ROOT)
        return 0;
    int past = was_there(snapshot, path);
    if (past <= 0)
        return past;
    switch (path_depth(path)) {
    case PATH_ENVIRONMENT:
        return find_environment(snapshot, &environment, path);
    case PATH_SERVICE:
        return find_service(snapshot, &environment, &service, path);
    default:
        return find_entry(snapshot, &environment, &service, &entry, path);
    }
}

/* Whoever goes on is not asked again whether its places are there. */
static int take_paths(struct watching *watching, json_t *paths, bool goes_on)
{
    size_t index;
    json_t *text;
    json_array_foreach(paths, index, text)
    {
        int error = path_of(text, &watching->paths[index]);
        if (error == 0 && !goes_on)
            error = check_path(watching->snapshot, &watching->paths[index]);
        if (error < 0)
            return error;
        watching->path_count++;
    }
    return 0;
}

static int take_place(struct watching *watching, json_t *parameters, bool *goes_on)
{
    uint64_t newest = watching->told, op = 0;
    bool is_given;
    int error = parameter_number(parameters, "from", &watching->rev, &is_given);
    if (error == 0)
        error = parameter_number(parameters, "op", &op, goes_on);
    if (error < 0)
        return error;
    if (!is_given)
        watching->rev = newest + 1;
    if (op > UINT32_MAX)
        return error_set(ERR_INVALID, "the parameter 'op' is no place in a commit");
    if (watching->rev > newest + 1)
        return error_set(ERR_NOT_FOUND, "no revision %llu yet: the newest is %llu",
                         (unsigned long long)watching->rev, (unsigned long long)newest);
    watching->op = (uint32_t)op;
    return 0;
}

static int answer(struct request *request, struct watching *watching, json_t *paths)
{
    struct call *call = request->call;
    bool has_more = watching->rev <= watching->told;
    json_int_t rev = (json_int_t)watching->rev, op = watching->op;
    call->is_idle = json_array_size(watching->commits) == 0;
    call->awaited = has_more ? 0 : watching->rev;
    call->again = json_pack("{s:O, s:I, s:I}", "paths", paths, "from", rev, "op", op);
    call->reply = json_pack("{s:O, s:I, s:I, s:b}", "commits", watching->commits, "from", rev, "op",
                            op, "more", (int)has_more);
    return call->again != NULL && call->reply != NULL
               ? 0
               : error_set(ERR_NOMEM, "no memory for a reply");
}

static int watch(struct request *request, struct watching *watching, json_t *paths)
{
    bool goes_on;
    int error = request_snapshot(request, &watching->snapshot);
    if (error == 0)
        error = take_place(watching, request->call->parameters, &goes_on);
    if (error == 0)
        error = take_paths(watching, paths, goes_on);
    if (error == 0)
        error = look(watching);
    return error < 0 ? error : answer(request, watching, paths);
}

int verb_watch(struct request *request)
{
    const struct service_host *host = &request->service->host;
    struct watching watching = {.request = request};
    json_t *paths;
    if (host->told == NULL)
        return error_set(ERR_NOT_FOUND, "no server runs for this store: a watch needs one");
    int error = parameter_list(request->call->parameters, "paths", &paths);
    if (error < 0)
        return error;
    if (json_array_size(paths) > PATHS_MAX)
        return error_set(ERR_INVALID, "more than %u places at once: watch what they are in",
                         PATHS_MAX);
    /* before the snapshot is taken, which so has all of it */
    watching.told = host->told(host->arg);
    watching.paths = calloc(json_array_size(paths), sizeof *watching.paths);
    watching.commits = json_array();
    error = watching.paths == NULL || watching.commits == NULL
                ? error_set(ERR_NOMEM, "no memory for a watch")
                : watch(request, &watching, paths);
    json_decref(watching.commits);
    free(watching.paths);
    return error;
}
