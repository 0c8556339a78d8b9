/*
 * The server's side of LoadCredential= (credentials.h has the supervisor's): one thread that gives
 * each asker the value it wishes for (loan.h), in memory that is locked where it is a secret, or
 * spoils the connection.
 *
 * The protocol knows no refusal: an end is the end of the value, and nothing at all an empty one. A
 * unix socket whose peer has sent nothing cannot be reset either. What systemd refuses for certain
 * is a credential of more than 1 MiB (an encrypted one may have 128 KiB more), and then the unit is
 * not started: so that is what an asker gets where there is no value for it, where it is not root,
 * or where it has not read its value in time.
 */
#ifndef EMSA_TOOLS_EMSAD_LENDER_H
#define EMSA_TOOLS_EMSAD_LENDER_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/service/service.h"

#define LENDER_SPOIL_SIZE (1024 * 1024 + 128 * 1024 + 1)

struct lender;

struct lender_options {
    struct dispatcher *dispatcher; /* borrowed */
    /* An asker was given its value, or was spoilt, or is gone. From the lender's thread. */
    void (*lent)(void *arg, uint32_t id);
    void *arg;
    int milliseconds; /* for an asker to read its value */
};

/* Starts the thread. ERR_NOMEM, ERR_IO. */
int lender_start(struct lender **out, const struct lender_options *options);

/* An asker (a connection, which must not wait; taken over); environment is that of units that name
 * none. is_spoilt: a server before may have given it something. ERR_NOMEM. */
int lender_give(struct lender *, uint32_t id, int fd, const char *environment, bool is_spoilt);

/* Ends the thread; who still waits is spoilt, within a second. NULL is allowed. */
void lender_free(struct lender *);

#endif
