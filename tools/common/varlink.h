/*
 * varlink (varlink.org): JSON objects ended by NUL over a unix stream socket, with descriptors beside them.
 * One message at a time each way. A message carries exactly the descriptors that it names by index.
 */
#ifndef EMSA_TOOLS_COMMON_VARLINK_H
#define EMSA_TOOLS_COMMON_VARLINK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define VARLINK_MESSAGE_MAX (64u * 1024u * 1024u)
#define VARLINK_DESCRIPTORS_MAX 4

struct varlink; /* one connection */

/* Takes the socket over. */
int varlink_new(struct varlink **out, int socket);
void varlink_free(struct varlink *);
int varlink_descriptor(const struct varlink *);

/* Connects to a path of any length. ERR_NOT_FOUND: nobody listens there; ERR_DENIED. */
int varlink_connect(struct varlink **out, const char *path);

struct varlink_message {
    json_t *object;                        /* owned */
    int descriptors[VARLINK_DESCRIPTORS_MAX]; /* owned; -1 where there is none */
    size_t descriptor_count;
};
void varlink_message_release(struct varlink_message *);

/* Sends; descriptors stay the caller's. ERR_IO when the peer is gone or does not read within the deadline
 * (milliseconds, -1: none). */
int varlink_send(struct varlink *, json_t *object, const int descriptors[], size_t count, int deadline);

/* Receives one. 1: the peer closed. ERR_INVALID: no JSON, too large, too many descriptors. */
int varlink_receive(struct varlink *, struct varlink_message *out, int deadline);

#endif
