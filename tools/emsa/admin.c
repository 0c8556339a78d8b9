/* verify and stop. */
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "store/error.h"
#include "store/store.h"
#include "tools/common/descriptor.h"
#include "tools/common/exit_status.h"
#include "tools/common/spawn.h"
#include "tools/emsa/command.h"
#include "tools/emsa/output.h"

#define STOP_DEADLINE 20000 /* ms */
#define START_DEADLINE 30000
#define STOP_PAUSE 5

static long long number_of(json_t *object, const char *name)
{
    return (long long)json_integer_value(json_object_get(object, name));
}

static void print_verdict(json_t *reply, long long faults)
{
    json_t *checked = json_object_get(reply, "checked");
    size_t index;
    json_t *line;
    json_array_foreach(json_object_get(reply, "lines"), index, line)
        printf("%s\n", json_string_value(line) != NULL ? json_string_value(line) : "");
    printf("%lld commits, %lld operations, %lld values, %lld derived records: ",
           number_of(checked, "commits"), number_of(checked, "operations"),
           number_of(checked, "values"), number_of(checked, "derived"));
    if (faults == 0)
        printf("all as they were written\n");
    else
        printf("%lld faults\n", faults);
}

int run_verify(struct session *session)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    int error = session_ask(session, "io.emsa.Verify", json_object(), NULL, 0, &answer);
    if (error < 0)
        return error;
    long long faults = number_of(answer.reply, "faults");
    if (session->options.json)
        error = output_json(json_incref(answer.reply));
    else
        print_verdict(answer.reply, faults);
    if (error < 0 || faults == 0)
        return error;
    fprintf(stderr,
            "emsa: the store '%s' is damaged: bring back a backup, or take out what still reads "
            "('emsa export')\n",
            session->place.store);
    return (int)EXIT_STATUS_CORRUPT;
}

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
    json_t *parameters = json_object();
    if (error == 0)
        error = client_ask(session->client, "io.emsa.Stop", parameters, NULL, 0, &answer);
    /* Its supervisor has died: one that follows can end it. */
    if (error == -ERR_BUSY && spawn_daemon(&session->place, START_DEADLINE) == 0)
        error = client_ask(session->client, "io.emsa.Stop", parameters, NULL, 0, &answer);
    json_decref(parameters);
    if (error == 0)
        error = wait_until_free(&session->place);
    if (error == 0 && session->options.json)
        error = output_json(json_object());
    return error;
}
