#include "tools/emsa/session.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "store/change.h"
#include "store/error.h"
#include "tools/emsa/command.h"
#include "tools/emsa/prove.h"
#include "tools/emsa/sign.h"
#include "tools/emsa/words.h"
#include "tools/service/hex.h"

int session_client(struct session *session, struct client **out)
{
    const struct options *options = &session->options;
    int error = session->client == NULL || sign_is_named(session) ? sign_open(session) : 0;
    if (error == 0 && session->client == NULL)
        error = options->host != NULL
                    ? client_reach(&session->client, options->host, options->store)
                    : client_open(&session->client, &session->place);
    if (error < 0)
        return error;
    if (prove_is_wanted(session) && session->command->run != run_relay)
        client_prove_by(session->client, prove_to, session);
    *out = session->client;
    return 0;
}

void session_leave(struct session *session)
{
    client_close(session->client);
    session->client = NULL;
}

int session_ask(struct session *session, const char *method, json_t *parameters,
                const struct piece *pieces, size_t piece_count, struct answer *out)
{
    struct client *client;
    struct signing_pieces signing SIGNING_CLEANUP = {0};
    int error = parameters == NULL ? error_set(ERR_INVALID, "a name or a reason is not UTF-8")
                                   : session_client(session, &client);
    if (error == 0)
        error = sign_call(session, method, parameters, pieces, piece_count, &signing);
    if (error == 0)
        error =
            client_ask(client, method, parameters, signing.pieces != NULL ? signing.pieces : pieces,
                       signing.pieces != NULL ? signing.count : piece_count, out);
    json_decref(parameters);
    return error;
}

static int add_request_id(json_t *parameters)
{
    uint8_t id[REQUEST_ID_SIZE];
    char text[2 * REQUEST_ID_SIZE + 1];
    if (getrandom(id, sizeof id, 0) != (ssize_t)sizeof id)
        return error_system(errno, "cannot have random bytes");
    hex_text(text, id, sizeof id);
    json_object_set_new(parameters, "request_id", json_string(text));
    return 0;
}

int session_terms(struct session *session, json_t *parameters, const char *path)
{
    const struct options *options = &session->options;
    if (options->reason != NULL) {
        json_t *reason = json_string(options->reason);
        if (reason == NULL)
            return error_set(ERR_INVALID, "the reason (-m) is not UTF-8");
        json_object_set_new(parameters, "reason", reason);
    }
    if (options->has_if_rev) {
        json_object_set_new(parameters, "if_rev", json_integer((json_int_t)options->if_rev));
        if (path[0] != '\0')
            json_object_set_new(parameters, "if_path", json_string(path));
    }
    if (options->dry_run)
        json_object_set_new(parameters, "dry_run", json_true());
    if (options->allow_new)
        json_object_set_new(parameters, "allow_new", json_true());
    if (options->allow_equal)
        json_object_set_new(parameters, "allow_equal", json_true());
    if (options->override != NULL) {
        json_t *words = words_cut(options->override);
        if (words == NULL)
            return -ERR_INVALID;
        json_object_set_new(parameters, "override", words);
    }
    return add_request_id(parameters);
}

void session_restore(struct session *session)
{
    client_close(session->client);
    session->client = NULL;
    sign_close(session);
    /* A limit that cannot be had back stays: the program is none the worse for it. */
    (void)setrlimit(RLIMIT_CORE, &session->core);
    (void)setrlimit(RLIMIT_MEMLOCK, &session->locked);
}
