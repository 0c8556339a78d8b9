/*
 * The control socket's other half: takes connections, one thread each, receives calls, has the
 * dispatcher do them, and sends the replies with what belongs beside them. Knows no verb.
 *
 * Whoever connects may make the server spend memory and threads before anything is judged; so those
 * who hold no right get small messages and few connections, and everybody gets deadlines.
 */
#ifndef EMSA_TOOLS_EMSAD_CONTROL_H
#define EMSA_TOOLS_EMSAD_CONTROL_H

#include <stdbool.h>
#include <sys/types.h>

#include "tools/service/service.h"

struct control;

struct control_options {
    int listener;                  /* taken over; not blocking */
    struct dispatcher *dispatcher; /* borrowed */
    uid_t owner;                   /* the store's, who holds all rights beside root */
    void (*quiet)(
        void *arg); /* after a call, when no other is running and nobody waits for a first one */
    void *arg;
};

/* Starts to take connections. ERR_NOMEM. */
int control_start(struct control **out, const struct control_options *options);

/* Whether no call runs and nobody who connected waits for a first one. */
bool control_is_quiet(struct control *control);

/* Takes no more connections and calls, lets the running ones finish, frees. NULL is allowed. */
void control_stop(struct control *control);

#endif
