/* A new environment with what another one defines, but for its secrets: those are listed, and what
 * cannot stand without them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/error.h"
#include "store/relations.h"
#include "tools/service/find.h"
#include "tools/service/parameter.h"
#include "tools/service/parts.h"
#include "tools/service/verb.h"
#include "tools/service/write.h"

#define SECOND INT64_C(1000000000)

struct replica {
    struct change *change;
    struct parts parts;
    const char *name; /* of the new environment */
    /* What is told beside the change's own lines */
    json_t *secrets, *shares, *left, *out;
};

static int no_memory(void)
{
    return error_set(ERR_NOMEM, "no memory for a list");
}

static int add_environment(struct replica *replica, json_t *parameters)
{
    struct environment_terms terms;
    char base[ENVIRONMENT_NAME_MAX + 1];
    int error = parameter_environment(parameters, &terms);
    if (error < 0)
        return error;
    if (terms.base != NULL)
        return error_set(ERR_INVALID, "a copy stands on the base of what it is a copy of: "
                                      "'emsa env add NAME --base BASE' makes one that is none");
    if (replica->parts.environment.base != 0) {
        error = snapshot_environment_name(replica->parts.snapshot, base,
                                          replica->parts.environment.base);
        if (error != 0)
            return error < 0 ? error : error_set(ERR_CORRUPT, "a base has no name");
        terms.base = base;
    }
    return change_environment_add(replica->change, replica->name, &terms);
}

static int add_services(struct replica *replica)
{
    const struct parts *parts = &replica->parts;
    for (size_t i = 0; i < parts->service_count; i++) {
        struct path path;
        int error = path_make(&path, replica->name, parts->services[i].name, NULL);
        if (error == 0 && !parts->services[i].is_out)
            error = change_service_add(replica->change, &path);
        if (error < 0)
            return error;
    }
    return 0;
}

/* What ends there ends here at the same time. */
static int copy_ending(struct replica *replica, const struct part *part, const struct path *to)
{
    struct secret scratch SECRET_CLEANUP = {0};
    struct timespec now;
    const unsigned char *data;
    char text[REFERENCE_TEXT_MAX];
    size_t size;
    int error = snapshot_text(replica->parts.snapshot, &data, &size, &part->definition, &scratch);
    if (error != 0)
        return error < 0 ? error
                         : error_set(ERR_CORRUPT, "the value of '%s' is not there", to->key);
    snprintf(text, sizeof text, "%.*s", (int)(size < sizeof text ? size : sizeof text - 1), data);
    if (part->definition.kind == ENTRY_LINK)
        error = change_set_link(replica->change, to, text);
    else if (part->definition.kind == ENTRY_TEMPLATE)
        error = change_set_template(replica->change, to, data, size);
    else
        error = change_set_plain(replica->change, to, data, size);
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t rest = part->expires / SECOND - now.tv_sec;
    return error < 0 ? error : change_ttl(replica->change, rest > 0 ? (uint64_t)rest : 1);
}

static int tell_share(struct replica *replica, const struct path *to, const char *consumer)
{
    char text[PATH_TEXT_MAX];
    json_t *object = json_pack("{s:s, s:s}", "path", path_text(to, text), "with", consumer);
    return object != NULL && json_array_append_new(replica->shares, object) == 0 ? 0 : no_memory();
}

/* What is not there yet cannot be shared yet. */
static int copy_shares(struct replica *replica, const struct part *part, const struct path *from,
                       const struct path *to)
{
    struct share share = {0};
    for (;;) {
        int found = relation_next_share(replica->parts.snapshot, &share,
                                        replica->parts.environment.id, from->service, from->key);
        if (found == 0)
            found = part->is_there ? change_share(replica->change, to, share.consumer)
                                   : tell_share(replica, to, share.consumer);
        if (found != 0)
            return found < 0 ? found : 0;
    }
}

static int copy_part(struct replica *replica, const struct part *part)
{
    const struct parts *parts = &replica->parts;
    struct path from, to;
    bool is_out = parts->services[part->service].is_out;
    int error = parts_path(parts, part, parts->environment.name, &from);
    if (error == 0)
        error = parts_path(parts, part, replica->name, &to);
    if (error == 0 && part->is_own && !part->is_secret && !part->is_left && !is_out)
        error = part->expires != 0 ? copy_ending(replica, part, &to)
                                   : change_copy(replica->change, &to, &from);
    return error < 0 ? error : copy_shares(replica, part, &from, &to);
}

static int add_parts(struct replica *replica)
{
    for (size_t i = 0; i < replica->parts.count; i++) {
        int error = copy_part(replica, &replica->parts.list[i]);
        if (error < 0)
            return error;
    }
    return 0;
}

/* What is not there yet, told */

static int tell_part(struct replica *replica, const struct part *part, const char *needs,
                     json_t *list)
{
    struct path from, to;
    char from_text[PATH_TEXT_MAX], to_text[PATH_TEXT_MAX];
    int error = parts_path(&replica->parts, part, replica->parts.environment.name, &from);
    if (error == 0)
        error = parts_path(&replica->parts, part, replica->name, &to);
    if (error < 0)
        return error;
    json_t *object = json_pack("{s:s, s:s, s:s*}", "path", path_text(&to, to_text), "from",
                               path_text(&from, from_text), "needs", needs);
    return object != NULL && json_array_append_new(list, object) == 0 ? 0 : no_memory();
}

static int tell_out(struct replica *replica, const struct parted_service *service)
{
    struct path path;
    char text[PATH_TEXT_MAX];
    int error = path_make(&path, replica->name, service->name, NULL);
    if (error < 0)
        return error;
    json_t *object = json_pack("{s:s, s:s, s:s}", "path", path_text(&path, text), "needs",
                               service->needs, "because", service->because);
    return object != NULL && json_array_append_new(replica->out, object) == 0 ? 0 : no_memory();
}

static int by_order(const void *a, const void *b)
{
    const struct part *const *one = a, *const *other = b;
    if ((*one)->order != (*other)->order)
        return (*one)->order < (*other)->order ? -1 : 1;
    return *one < *other ? -1 : 1; /* as they lie in the list */
}

/* In the order in which they can be added. */
static int tell_left(struct replica *replica)
{
    const struct parts *parts = &replica->parts;
    const struct part **left = calloc(parts->count > 0 ? parts->count : 1, sizeof *left);
    size_t count = 0;
    int error = 0;
    if (left == NULL)
        return no_memory();
    for (size_t i = 0; i < parts->count; i++) {
        const struct part *part = &parts->list[i];
        bool is_out = parts->services[part->service].is_out && part->is_own;
        if (!part->is_secret && (part->is_left || is_out))
            left[count++] = part;
    }
    qsort(left, count, sizeof *left, by_order);
    for (size_t i = 0; i < count && error == 0; i++)
        error =
            tell_part(replica, left[i], left[i]->is_left ? left[i]->needs : NULL, replica->left);
    free(left);
    return error;
}

static int tell(struct replica *replica)
{
    const struct parts *parts = &replica->parts;
    int error = 0;
    for (size_t i = 0; i < parts->count && error == 0; i++)
        if (parts->list[i].is_secret)
            error = tell_part(replica, &parts->list[i], NULL, replica->secrets);
    for (size_t i = 0; i < parts->service_count && error == 0; i++)
        if (parts->services[i].is_out)
            error = tell_out(replica, &parts->services[i]);
    return error < 0 ? error : tell_left(replica);
}

static int make(struct replica *replica, json_t *parameters)
{
    int error = add_environment(replica, parameters);
    if (error == 0)
        error = add_services(replica);
    if (error == 0)
        error = add_parts(replica);
    return error < 0 ? error : tell(replica);
}

static int read_names(struct request *request, struct path *from, struct path *to)
{
    char text[PATH_TEXT_MAX];
    json_t *parameters = request->call->parameters;
    int error = path_of(json_object_get(parameters, "from"), from);
    if (error == 0)
        error = path_of(json_object_get(parameters, "to"), to);
    if (error < 0)
        return error;
    const struct path *wrong = path_depth(from) != PATH_ENVIRONMENT ? from
                               : path_depth(to) != PATH_ENVIRONMENT ? to
                                                                    : NULL;
    if (wrong != NULL)
        return error_set(ERR_INVALID, "'%s' is not the name of an environment",
                         path_text(wrong, text));
    return rights_judge(request->service, &request->call->caller, RIGHT_READ, "EnvironmentCopy",
                        from);
}

static int read_source(struct request *request, struct replica *replica, const struct path *from,
                       const struct path *to)
{
    struct snapshot *snapshot;
    struct environment environment;
    int error = request_snapshot(request, &snapshot);
    if (error == 0)
        error = find_environment(snapshot, &environment, from);
    if (error < 0)
        return error;
    if (strcmp(from->environment, "all") == 0)
        return error_set(ERR_REFUSED,
                         "'all' is in effect in every environment: no copy of it is "
                         "needed, make one with 'emsa env add %s'",
                         to->environment);
    if (snapshot_environment(snapshot, &(struct environment){0}, to->environment) == 0)
        return error_set(ERR_REFUSED, "'%s' is there already: a copy is a new environment",
                         to->environment);
    return parts_gather(&replica->parts, snapshot, &environment);
}

static int replicate(struct request *request, struct replica *replica, const struct path *from,
                     const struct path *to)
{
    struct change *change CHANGE_CLEANUP = NULL;
    int error = read_source(request, replica, from, to);
    if (error == 0)
        error = write_begin(request, &change);
    replica->change = change;
    replica->name = to->environment;
    if (error == 0)
        error = make(replica, request->call->parameters);
    return error < 0 ? error : write_commit(request, change);
}

/* One that was done by an earlier try tells of the commit only. */
int verb_environment_copy(struct request *request)
{
    struct replica replica = {
        .secrets = json_array(), .shares = json_array(), .left = json_array(), .out = json_array()};
    struct path from = {0}, to = {0};
    int error = read_names(request, &from, &to);
    int done = error == 0 ? write_repeated(request) : 0;
    if (done < 0)
        error = done;
    if (error == 0 && done == 0)
        error = replicate(request, &replica, &from, &to);
    parts_release(&replica.parts);
    if (error == 0) {
        json_object_set(request->call->reply, "secrets", replica.secrets);
        json_object_set(request->call->reply, "shares", replica.shares);
        json_object_set(request->call->reply, "left", replica.left);
        json_object_set(request->call->reply, "out", replica.out);
    }
    json_decref(replica.secrets);
    json_decref(replica.shares);
    json_decref(replica.left);
    json_decref(replica.out);
    return error;
}
