/*
 * The supervisor's side of LoadCredential=: a socket for root alone, at which systemd's processes
 * ask. The server answers (lender.h); each connection is kept open here too until it has, because
 * its end is all that tells a unit that its credential is whole: if the server were killed while it
 * is the only one to have it, the unit would start with an empty or a cut value. Those that a
 * server left unanswered the next one spoils, so that the unit fails.
 */
#ifndef EMSA_TOOLS_EMSAD_CREDENTIALS_H
#define EMSA_TOOLS_EMSAD_CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/limits.h"
#include "tools/emsad/child.h"
#include "tools/emsad/socket_file.h"

#define CREDENTIALS_HELD_MAX 128 /* at one time; who comes after them waits to be accepted */

struct credentials {
    const char *path; /* borrowed; "": there is no such socket */
    const char *environment;
    struct socket_file file;
    int listener;  /* -1 */
    int64_t again; /* when to accept again where that failed; -1: it did not */
    uint32_t last_id;
    size_t count;
    struct {
        uint32_t id;
        int fd;
    } held[CREDENTIALS_HELD_MAX];
};

#define CREDENTIALS_INIT                                                                           \
    {                                                                                              \
        .listener = -1, .again = -1                                                                \
    }

/* Makes the socket; path "": does nothing. environment is that of units that name none; "": they
 * are refused. As socket_file_listen. */
int credentials_begin(struct credentials *, const char *path, const char *environment);

/* To be polled for readers while a server serves; -1: there are as many as may be, or it is not
 * time (again) to accept others. */
int credentials_descriptor(const struct credentials *);

/* Accepts who waits, and hands them to the server. ERR_IO: it does not take them. */
int credentials_accept(struct credentials *, const struct child *server);

/* Another server serves: it spoils what the one before left unanswered. ERR_IO: the same. */
int credentials_served(struct credentials *, const struct child *server);

/* The server has answered one. */
void credentials_lent(struct credentials *, uint32_t id);

/* No more are accepted; what is held is closed with the daemon. */
void credentials_hide(struct credentials *);
void credentials_end(struct credentials *);

#endif
