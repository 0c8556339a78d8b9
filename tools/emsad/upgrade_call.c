#include "tools/emsad/upgrade_call.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/common/place.h"
#include "tools/common/varlink.h"
#include "tools/service/failure.h"

#define CALL_MILLISECONDS 30000
#define WAIT_MILLISECONDS 60000
#define PAUSE 50

struct counts {
    json_int_t upgraded, failed, followed, pause;
};

static int take_reply(json_t **out, struct varlink_message *message)
{
    json_t *reply = json_object_get(message->object, "parameters");
    const char *failure = json_string_value(json_object_get(message->object, "error"));
    const char *text = json_string_value(json_object_get(reply, "message"));
    if (failure != NULL) {
        enum error_code code = failure_code(failure);
        return error_set(code != 0 ? code : ERR_IO, "%s", text != NULL ? text : failure);
    }
    *out = json_incref(reply);
    return 0;
}

/* 1: the server ended without an answer. */
static int call(json_t **out, const struct place_of_store *place, const char *method)
{
    struct varlink *link;
    struct varlink_message answer = {0};
    int error = varlink_connect(&link, place->socket);
    if (error < 0)
        return error;
    json_t *message = json_pack("{s:s}", "method", method);
    error = message == NULL ? error_set(ERR_NOMEM, "cannot make a call: out of memory")
                            : varlink_send(link, message, NULL, 0, CALL_MILLISECONDS);
    json_decref(message);
    if (error == 0)
        error = varlink_receive(link, &answer, CALL_MILLISECONDS);
    if (error == -ERR_IO)
        error = 1;
    if (error == 0)
        error = take_reply(out, &answer);
    varlink_message_release(&answer);
    varlink_free(link);
    return error;
}

static json_int_t number(json_t *restarts, const char *name)
{
    return json_integer_value(json_object_get(restarts, name));
}

static int count(struct counts *out, const struct place_of_store *place)
{
    json_t *status = NULL;
    int error = call(&status, place, "io.emsa.Status");
    if (error != 0)
        return error;
    json_t *restarts = json_object_get(status, "restarts");
    *out = (struct counts){.upgraded = number(restarts, "upgraded"),
                           .failed = number(restarts, "upgrades_failed"),
                           .followed = number(restarts, "taken_over"),
                           .pause = number(restarts, "last_pause")};
    json_decref(status);
    return 0;
}

/* Until the new binary has taken everybody's place, or the old one its own again. */
static int wait_for(const struct place_of_store *place, const struct counts *before)
{
    int64_t deadline = deadline_in(WAIT_MILLISECONDS);
    json_int_t pause = -1;
    while (deadline_left(deadline) > 0) {
        struct counts now;
        int error = count(&now, place);
        if (error < 0 && error != -ERR_NOT_FOUND)
            return error;
        if (error == 0 && now.failed > before->failed)
            return error_set(ERR_IO, "the new binary failed, and the one from before serves again: "
                                     "the daemon's log says why");
        if (error == 0 && now.upgraded > before->upgraded && pause < 0)
            pause = now.pause;
        if (error == 0 && now.upgraded > before->upgraded && now.followed > before->followed) {
            (void)printf("upgraded: readers waited %.1f ms\n", (double)pause / 1e6);
            return fflush(stdout) == 0 ? 0 : error_set(ERR_IO, "cannot write what was done");
        }
        (void)poll(NULL, 0, PAUSE);
    }
    return error_set(ERR_BUSY, "the upgrade has not come to an end: the daemon's log says why");
}

int upgrade_call(const char *store)
{
    struct place_of_store place;
    struct counts before;
    json_t *reply = NULL;
    int error = place_find(&place, store);
    if (error == 0)
        error = count(&before, &place);
    if (error == -ERR_NOT_FOUND)
        return error_set(ERR_NOT_FOUND,
                         "no daemon runs for the store '%s': there is nothing to upgrade",
                         place.store);
    if (error == 0)
        error = call(&reply, &place, "io.emsa.Upgrade");
    json_decref(reply);
    if (error == 0)
        error = wait_for(&place, &before);
    return error <= 0 ? error : error_set(ERR_IO, "the server ended without an answer: try again");
}
