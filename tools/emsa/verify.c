/* verify: the proof, the head's pin. */
#include <stdio.h>

#include "store/error.h"
#include "store/pin.h"
#include "tools/common/exit_status.h"
#include "tools/emsa/command.h"
#include "tools/emsa/local.h"
#include "tools/emsa/output.h"

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

static void print_pin(struct session *session, json_t *reply)
{
    struct local *local = client_local(session->client);
    const char *problem = local != NULL ? local_pin_problem(local) : NULL;
    printf("the head is revision %lld, %s: ", number_of(reply, "rev"),
           output_member(reply, "head"));
    if (json_is_true(json_object_get(reply, "pinned")))
        printf("pinned\n");
    else
        printf("not pinned%s%s\n", problem != NULL ? ": " : "", problem != NULL ? problem : "");
}

/* Restoring a backup is an ordinary event; that it was one, only a person can say. */
static int accept_head(struct session *session)
{
    struct local *local = client_local(session->client);
    struct pin_report pin;
    if (local == NULL) {
        output_note("a server has this store open: its head agrees with its pin, and there is "
                    "nothing to accept");
        return 0;
    }
    int error = store_pinned(local_store(local), &pin);
    if (error < 0)
        return error;
    if (!pin.is_pinned)
        return error_set(ERR_REFUSED, "the head cannot be accepted: %s",
                         local_pin_problem(local) != NULL ? local_pin_problem(local)
                                                          : "there is no pin to write to");
    if (!session->options.json && pin.verdict == 0)
        printf("there is nothing to accept: the pin says the same\n");
    else if (!session->options.json)
        printf("accepted: %s\nwhat comes from now on is held against revision %llu\n",
               pin.difference, (unsigned long long)pin.head.rev);
    return store_pin_head(local_store(local));
}

static int tell_verdict(struct session *session, json_t *reply, long long faults)
{
    if (session->options.json)
        return output_json(json_incref(reply));
    print_verdict(reply, faults);
    if (faults == 0 && !session->options.accept_head)
        print_pin(session, reply);
    return 0;
}

int run_verify(struct session *session)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    if (session->options.rebuild)
        return run_rebuild(session);
    session->place.accepts_head = session->options.accept_head;
    session->place.is_examined = true;
    int error = session_ask(session, "io.emsa.Verify", json_object(), NULL, 0, &answer);
    if (error < 0)
        return error;
    long long faults = number_of(answer.reply, "faults");
    error = tell_verdict(session, answer.reply, faults);
    if (error == 0 && faults == 0 && session->options.accept_head)
        error = accept_head(session);
    if (error < 0 || faults == 0)
        return error;
    fprintf(stderr,
            "emsa: the store '%s' is damaged: what is derived from its log can be made anew "
            "('emsa verify --rebuild', with no server running); else bring back a backup, or take "
            "out what still reads ('emsa export')\n",
            session->place.store);
    return (int)EXIT_STATUS_CORRUPT;
}
