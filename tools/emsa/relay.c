/* relay: the far side of `emsa --host` (remote.h). Each call that comes is done as a command here
 * would do it, with the rights of who runs this, and its answer goes back. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/emsa/command.h"
#include "tools/emsa/frame.h"
#include "tools/service/failure.h"
#include "tools/service/proof.h"
#include "tools/service/service.h"

/* What somebody at the other end proves is of this connection to the server: no other is made in
 * its place. */
static void hold_proof(struct client *client, const char *method)
{
    if (strcmp(method, SERVICE_INTERFACE "." PROOF_CHALLENGE) == 0 && !client_is_local(client))
        client_hold(client);
}

/* A store that is open in this process is given back after each call: who is at the other end may
 * be at it for hours. */
static void give_back(struct session *session)
{
    if (session->client != NULL && client_is_local(session->client)) {
        client_close(session->client);
        session->client = NULL;
    }
}

static int do_call(struct session *session, const struct frame *call, struct answer *out)
{
    struct client *client;
    const char *method = json_string_value(json_object_get(call->object, "method"));
    json_t *parameters = json_object_get(call->object, "parameters");
    struct piece piece = {call->values.data, call->values.size};
    if (method == NULL || !json_is_object(parameters))
        return error_set(ERR_INVALID, "what came is no call");
    int error = session_client(session, &client);
    if (error == 0)
        error = client_ask(client, method, parameters, &piece, piece.size > 0 ? 1 : 0, out);
    if (error == 0)
        hold_proof(client, method);
    if (error == 0 && out->mount_fd >= 0)
        error = error_set(ERR_REFUSED, "a mount is of the machine that it is made on");
    return error;
}

/* Negative: the other end is gone. */
static int answer_one(struct session *session, const struct frame *call)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    int error = do_call(session, call, &answer);
    struct piece piece = {answer.values, error == 0 ? answer.value_size : 0};
    json_t *message = error == 0  ? json_pack("{s:O}", "parameters", answer.reply)
                      : error > 0 ? json_pack("{s:s, s:{}}", "error", FRAME_UNPROVEN, "parameters")
                                  : json_pack("{s:s, s:o}", "error", failure_name(error),
                                              "parameters", failure_reply(error));
    if (error > 0)
        session_leave(session);
    if (message == NULL)
        return error_set(ERR_NOMEM, "no memory for an answer");
    int sent = frame_send(STDOUT_FILENO, message, &piece, piece.size > 0 ? 1 : 0);
    json_decref(message);
    give_back(session);
    return sent;
}

int run_relay(struct session *session)
{
    if (isatty(STDIN_FILENO) || isatty(STDOUT_FILENO))
        return error_set(ERR_INVALID, "'emsa relay' is run by 'emsa --host', over ssh");
    (void)signal(SIGPIPE, SIG_IGN);
    int error = fputs(FRAME_HELLO, stdout) < 0 || fflush(stdout) != 0
                    ? error_set(ERR_IO, "nobody reads what the relay says")
                    : 0;
    while (error == 0) {
        struct frame call FRAME_CLEANUP = {0};
        error = frame_receive(STDIN_FILENO, &call);
        if (error == 0)
            error = answer_one(session, &call);
    }
    return error == 1 ? 0 : error;
}
