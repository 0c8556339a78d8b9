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

#include "tools/emsad/news.h"
#include "tools/service/service.h"

struct control;

struct control_options {
    int listener;                  /* taken over; not blocking */
    struct dispatcher *dispatcher; /* borrowed */
    uid_t owner;                   /* the store's, who holds all rights beside root */
    struct news *news;             /* for calls that go on; borrowed */
    /* Before a call, or a connection that may bring one, when there was none; and after the last.
     */
    void (*called)(void *arg);
    void (*quiet)(void *arg);
    void *arg;
};

/* Starts to take connections. ERR_NOMEM. */
int control_start(struct control **out, const struct control_options *options);

/* Serves a connection whose other end the supervisor gave to a process of its own, with the rights
 * of whose it is, and for methods alone whose names begin with only (static). The socket is taken
 * over; NULL: nobody is let in. */
void control_let_in(struct control *control, int socket, const char *only);

/* How many calls run, with those who connected and are to make their first one. */
unsigned control_calls(struct control *control);

/* Takes no more connections and calls, lets the running ones finish, frees. NULL is allowed. */
void control_stop(struct control *control);

#endif
