/* stop: ends the server of a store. */
#include <poll.h>
#include <unistd.h>

#include "store/error.h"
#include "store/store.h"
#include "tools/common/descriptor.h"
#include "tools/common/spawn.h"
#include "tools/emsa/command.h"
#include "tools/emsa/output.h"

#define STOP_DEADLINE 20000 /* ms */
#define START_DEADLINE 30000
#define STOP_PAUSE 5

/* Until the daemon has given the store back, so that whatever comes next finds it free. */
static int wait_until_free(const struct place_of_store *place)
{
    int64_t deadline = deadline_in(STOP_DEADLINE);
    for (;;) {
        int fd = store_lock(place->store);
        if (fd >= 0)
            close(fd);
        if (fd != -ERR_BUSY) /* whoever may not look at the lock does not wait for it */
            return 0;
        if (deadline_left(deadline) == 0)
            return error_add(ERR_BUSY, "the server was asked to end, and has not yet");
        poll(NULL, 0, STOP_PAUSE);
    }
}

int run_stop(struct session *session)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    int error = client_connect(&session->client, &session->place);
    if (error == -ERR_NOT_FOUND)
        return error_set(ERR_NOT_FOUND,
                         "no server runs for the store '%s': there is nothing to stop",
                         session->place.store);
    if (error == 0)
        error = session_ask(session, "io.emsa.Stop", json_object(), NULL, 0, &answer);
    /* Its supervisor has died: one that follows can end it. */
    if (error == -ERR_BUSY && spawn_daemon(&session->place, START_DEADLINE) == 0)
        error = session_ask(session, "io.emsa.Stop", json_object(), NULL, 0, &answer);
    if (error == 0)
        error = wait_until_free(&session->place);
    if (error == 0 && session->options.json)
        error = output_json(json_object());
    return error;
}
