/*
 * varlink (varlink.org): JSON objects ended by NUL over a unix stream socket, with descriptors
 * beside them. One message at a time each way. A message carries exactly the descriptors that it
 * names by index, and the names are few:
 *
 *   - "values", in parameters: the read end of a pipe. Of a call, the stream of its values; of a
 *     reply, the values of its parts, one after the other (it lists their sizes).
 *   - "channel", in parameters: a socket between two processes of emsad.
 *   - "mount", in a reply: a detached mount, to be attached by the caller.
 *
 * A connection is used by one thread at a time.
 */
#ifndef EMSA_TOOLS_COMMON_VARLINK_H
#define EMSA_TOOLS_COMMON_VARLINK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define VARLINK_MESSAGE_MAX (64u * 1024u * 1024u)
#define VARLINK_DESCRIPTORS_MAX 4

struct varlink; /* one connection */

/* Takes the socket over, also on failure. ERR_NOMEM. */
int varlink_new(struct varlink **out, int socket);
void varlink_free(struct varlink *);
int varlink_descriptor(const struct varlink *);

/* The size of the largest message that is received, for a peer that has no right to more than that
 * (VARLINK_MESSAGE_MAX at most, as it is at first). Between messages. */
void varlink_limit(struct varlink *, size_t maximum);

/* The same of how many values a message may have: each takes up to 240 bytes of memory, however
 * short it is. */
void varlink_limit_values(struct varlink *, size_t maximum);

/* No descriptor is taken of this peer, before anything is received of it; a message
 * with one is ERR_INVALID. It could be of a file system of the peer's own, and that can hold for
 * ever whoever closes it. And: from the next message on they are taken after all. */
void varlink_without_descriptors(struct varlink *);
void varlink_with_descriptors(struct varlink *);

/* Connects to a path of any length. ERR_NOT_FOUND: nobody listens there; ERR_DENIED; ERR_INVALID:
 * the name is too long. Waits while the listener's queue is full. */
int varlink_connect(struct varlink **out, const char *path);

struct varlink_message {
    json_t *object;                           /* owned */
    int descriptors[VARLINK_DESCRIPTORS_MAX]; /* owned; -1 where there is none */
    size_t descriptor_count;
};

/* Frees and closes what the message still holds; a descriptor that was taken out is to be replaced
 * by -1. A zeroed message has none. */
void varlink_message_release(struct varlink_message *);

/* The descriptor that parameters[name] gives the index of: taken out of the message, now the
 * caller's. 1: the parameters have no such name. ERR_INVALID: there is no such descriptor, or it
 * was taken already. */
int varlink_take(struct varlink_message *, int *fd, const json_t *parameters, const char *name);

/* Sends; descriptors stay the caller's. ERR_IO when the peer is gone or does not read within the
 * deadline (milliseconds, -1: none), ERR_INVALID: larger than VARLINK_MESSAGE_MAX, or too many
 * descriptors. */
int varlink_send(struct varlink *, const json_t *object, const int descriptors[], size_t count,
                 int deadline);

/* Waits until something of a message is there. 1: nothing within the deadline. ERR_IO. */
int varlink_wait(const struct varlink *, int deadline);

/* Receives one. 1: the peer closed. ERR_INVALID: no JSON object, too large, too many descriptors.
 * ERR_IO: the peer closed in the middle, or the message was not whole by the deadline
 * (milliseconds, -1: none). After a failure the connection is of no more use. */
int varlink_receive(struct varlink *, struct varlink_message *out, int deadline);

#endif
