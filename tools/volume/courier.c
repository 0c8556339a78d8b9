#include "tools/volume/courier.h"

#include <stdlib.h>

#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/common/varlink.h"

#define ANSWER_MAX (16u * 1024u * 1024u) /* some ten thousands of volumes in a list */
#define MESSAGE_MILLISECONDS 1000        /* from its first byte to its last one */

struct call {
    struct call *next;
    json_t *message; /* owned */
    int64_t end, end_alone;
    bool is_repeated;
    void *arg;
};

struct link {
    struct varlink *varlink; /* NULL: there is none */
    struct call *call;       /* in the server's hands; owned */
    bool is_late;            /* what comes next answers a call that was given up */
};

struct courier {
    courier_done *done;
    struct link links[COURIER_LINKS];
    struct call *first, **last; /* those that wait, in their order */
};

int courier_new(struct courier **out, courier_done *done)
{
    struct courier *courier = calloc(1, sizeof *courier);
    if (courier == NULL)
        return error_set(ERR_NOMEM, "cannot make calls: out of memory");
    courier->done = done;
    courier->last = &courier->first;
    *out = courier;
    return 0;
}

static void free_call(struct call *call)
{
    json_decref(call->message);
    free(call);
}

static void put_last(struct courier *courier, struct call *call)
{
    call->next = NULL;
    *courier->last = call;
    courier->last = &call->next;
}

static void put_first(struct courier *courier, struct call *call)
{
    if (courier->first == NULL)
        courier->last = &call->next;
    call->next = courier->first;
    courier->first = call;
}

static struct call *take_first(struct courier *courier)
{
    struct call *call = courier->first;
    courier->first = call->next;
    if (courier->first == NULL)
        courier->last = &courier->first;
    return call;
}

static void lose(struct courier *courier, struct link *link)
{
    varlink_free(link->varlink);
    if (link->call != NULL) {
        link->call->is_repeated = true;
        put_first(courier, link->call);
    }
    *link = (struct link){0};
}

void courier_free(struct courier *courier)
{
    if (courier == NULL)
        return;
    for (size_t i = 0; i < COURIER_LINKS; i++)
        lose(courier, &courier->links[i]);
    while (courier->first != NULL)
        free_call(take_first(courier));
    free(courier);
}

void courier_connect(struct courier *courier, int fds[], size_t count)
{
    for (size_t i = 0; i < COURIER_LINKS; i++) {
        struct link *link = &courier->links[i];
        lose(courier, link);
        if (i >= count)
            continue;
        int fd = fds[i];
        fds[i] = -1;
        if (varlink_new(&link->varlink, fd) < 0) {
            link->varlink = NULL;
            continue;
        }
        varlink_limit(link->varlink, ANSWER_MAX);
        varlink_without_descriptors(link->varlink);
    }
}

static size_t count_links(const struct courier *courier)
{
    size_t count = 0;
    for (size_t i = 0; i < COURIER_LINKS; i++)
        count += courier->links[i].varlink != NULL;
    return count;
}

bool courier_is_short(const struct courier *courier)
{
    return count_links(courier) < COURIER_LINKS;
}

int courier_call(struct courier *courier, const char *method, json_t *parameters, int64_t end,
                 void *arg)
{
    struct call *call = malloc(sizeof *call);
    json_t *message = json_pack("{s:s, s:O}", "method", method, "parameters", parameters);
    if (call == NULL || message == NULL) {
        free(call);
        json_decref(message);
        return error_set(ERR_NOMEM, "cannot make a call: out of memory");
    }
    *call = (struct call){
        .message = message, .end = end, .end_alone = deadline_in(COURIER_ALONE), .arg = arg};
    put_last(courier, call);
    return 0;
}

void courier_poll(const struct courier *courier, struct pollfd entries[static COURIER_LINKS])
{
    for (size_t i = 0; i < COURIER_LINKS; i++) {
        const struct link *link = &courier->links[i];
        entries[i] = (struct pollfd){
            .fd = link->varlink == NULL ? -1 : varlink_descriptor(link->varlink), .events = POLLIN};
    }
}

static void sooner(int *least, int64_t end)
{
    int left = deadline_left(end);
    if (left >= 0 && (*least < 0 || left < *least))
        *least = left;
}

int courier_patience(const struct courier *courier)
{
    bool is_alone = count_links(courier) == 0;
    int least = -1;
    for (size_t i = 0; i < COURIER_LINKS; i++)
        if (courier->links[i].call != NULL)
            sooner(&least, courier->links[i].call->end);
    for (const struct call *call = courier->first; call != NULL; call = call->next) {
        sooner(&least, call->end);
        if (is_alone)
            sooner(&least, call->end_alone);
    }
    return least;
}

static void end_call(struct courier *courier, struct call *call, const json_t *said)
{
    courier->done(call->arg, said, call->is_repeated);
    free_call(call);
}

/* What has come over a connection: an answer, or its end. */
static void hear(struct courier *courier, struct link *link)
{
    struct varlink_message message;
    if (varlink_wait(link->varlink, 0) == 1)
        return;
    bool is_expected = link->call != NULL || link->is_late;
    if (varlink_receive(link->varlink, &message, MESSAGE_MILLISECONDS) != 0) {
        lose(courier, link);
        return;
    }
    struct call *call = link->call;
    link->call = NULL;
    link->is_late = false;
    if (call != NULL)
        end_call(courier, call, message.object);
    varlink_message_release(&message);
    if (!is_expected)
        lose(courier, link); /* it is not known any more what answers what */
}

static bool is_past(int64_t end)
{
    return deadline_left(end) == 0;
}

static void end_late_calls(struct courier *courier)
{
    for (size_t i = 0; i < COURIER_LINKS; i++) {
        struct link *link = &courier->links[i];
        if (link->call == NULL || !is_past(link->call->end))
            continue;
        (void)error_set(ERR_BUSY, "the server did not answer in time (it may wait for a disk) and "
                                  "may do it yet: try again, or see 'emsa status'");
        struct call *call = link->call;
        link->call = NULL;
        link->is_late = true;
        end_call(courier, call, NULL);
    }
}

static void end_waiting_calls(struct courier *courier)
{
    bool is_alone = count_links(courier) == 0;
    struct call *waiting = courier->first;
    courier->first = NULL;
    courier->last = &courier->first;
    while (waiting != NULL) {
        struct call *call = waiting;
        waiting = call->next;
        if (is_alone && is_past(call->end_alone))
            (void)error_set(ERR_BUSY,
                            "the server is not there, or is being replaced: try again, or "
                            "see 'emsa status'");
        else if (is_past(call->end))
            (void)error_set(ERR_BUSY, "the server is busy with other volumes: try again");
        else {
            put_last(courier, call);
            continue;
        }
        end_call(courier, call, NULL);
    }
}

static void send_waiting_calls(struct courier *courier)
{
    for (size_t i = 0; i < COURIER_LINKS && courier->first != NULL; i++) {
        struct link *link = &courier->links[i];
        if (link->varlink == NULL || link->call != NULL || link->is_late)
            continue;
        link->call = take_first(courier);
        if (varlink_send(link->varlink, link->call->message, NULL, 0, MESSAGE_MILLISECONDS) < 0)
            lose(courier, link);
    }
}

void courier_turn(struct courier *courier)
{
    for (size_t i = 0; i < COURIER_LINKS; i++)
        if (courier->links[i].varlink != NULL)
            hear(courier, &courier->links[i]);
    end_late_calls(courier);
    send_waiting_calls(courier);
    end_waiting_calls(courier);
}
