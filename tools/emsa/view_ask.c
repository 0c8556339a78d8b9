#include "tools/emsa/view_ask.h"

#include <poll.h>
#include <stdbool.h>

#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/common/spawn.h"

#define START_DEADLINE 30000 /* ms */
#define PAUSE 20
#define SERVICE_MANAGER_PAUSE 500 /* RestartSec is 100 */

json_t *view_parameters(const struct session *session, const char *path, const char *directory)
{
    const struct options *options = &session->options;
    json_t *parameters = json_pack(
        "{s:s, s:b, s:b, s:b, s:b, s:s*, s:s*, s:s*}", "path", path, "cache", (int)options->cache,
        "masked", (int)options->masked, "history", (int)options->history, "idmap",
        (int)options->idmap, "layout", options->layout, "at", options->at, "directory", directory);
    if (options->has_uid)
        (void)json_object_set_new(parameters, "uid", json_integer((json_int_t)options->uid));
    if (options->has_gid)
        (void)json_object_set_new(parameters, "gid", json_integer((json_int_t)options->gid));
    if (options->mode != 0)
        (void)json_object_set_new(parameters, "mode", json_integer((json_int_t)options->mode));
    return parameters;
}

/* The server of this store, started where none runs. Somebody who owns the store and does not
 * answer yet is a server that starts, or a command that ends. */
static int reach_server(struct session *session)
{
    int64_t deadline = deadline_in(START_DEADLINE);
    for (;;) {
        int error = client_connect(&session->client, &session->place);
        if (error != -ERR_NOT_FOUND)
            return error;
        error = spawn_daemon(&session->place, START_DEADLINE);
        if (error < 0 && error != -ERR_BUSY)
            return error;
        if (error < 0 && deadline_left(deadline) == 0)
            return error;
        if (error < 0)
            poll(NULL, 0, PAUSE);
    }
}

/* For a server whose supervisor has died: a daemon that is started takes it over. Where that is not
 * so, it finds the store owned, or nobody there any more. The system's store has a service manager,
 * whose own daemon could not follow any more if ours did first: that is given a moment to. */
static int bring_supervisor(struct session *session, bool is_first)
{
    if (is_first && session->place.is_default) {
        poll(NULL, 0, SERVICE_MANAGER_PAUSE);
        return 0;
    }
    int error = spawn_daemon(&session->place, START_DEADLINE);
    return error == -ERR_BUSY ? 0 : error;
}

/* A server that was started on demand and has just lost its last mount may end between the
 * connection and the answer: then the way leads to the store in this process, which can mount
 * nothing, or to a refusal, and another server is to be started. */
static int ask(struct session *session, json_t *parameters, struct answer *out)
{
    int64_t deadline = deadline_in(START_DEADLINE);
    for (bool is_first = true;; is_first = false) {
        int error = session->client == NULL ? reach_server(session) : 0;
        if (error < 0)
            return error;
        error = session_ask(session, "io.emsa.Mount", json_incref(parameters), NULL, 0, out);
        bool has_ended = error == -ERR_BUSY || (error < 0 && client_is_local(session->client));
        if (!has_ended || deadline_left(deadline) == 0)
            return error;
        client_close(session->client);
        session->client = NULL;
        error = bring_supervisor(session, is_first);
        if (error < 0)
            return error;
    }
}

int view_ask(struct session *session, json_t *parameters, struct answer *out)
{
    if (parameters == NULL)
        return error_set(ERR_INVALID, "a path is not UTF-8");
    int error = ask(session, parameters, out);
    json_decref(parameters);
    if (error == 0 && out->mount_fd < 0)
        return error_set(ERR_IO, "the server gave no mount");
    return error;
}

/* The server's thread goes on to a next call only when it has closed its own descriptor of the
 * mount; until then the mount would be in use, and could not be taken away again. */
int view_wait_free(struct session *session)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    return session_ask(session, "org.varlink.service.GetInfo", json_object(), NULL, 0, &answer);
}
