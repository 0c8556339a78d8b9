/*
 * The way to a store: a message to its server, or, where none runs, the same handlers in this
 * process, which then owns the store until client_close. A connection that breaks without an answer
 * is made again and asked again (a change carries an id, so it is not made twice).
 */
#ifndef EMSA_TOOLS_EMSA_CLIENT_H
#define EMSA_TOOLS_EMSA_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "store/bytes.h"
#include "store/secret.h"
#include "tools/common/place.h"

struct client;
struct local;
struct varlink;

/* Connects, or opens the store here. ERR_NOT_FOUND: no store, with how to make one; ERR_DENIED;
 * ERR_BUSY: somebody owns the store and does not answer; ERR_FORMAT; ERR_CORRUPT. place is
 * borrowed. */
int client_open(struct client **out, const struct place_of_store *place);

/* Only to a server: ERR_NOT_FOUND where none answers. */
int client_connect(struct client **out, const struct place_of_store *place);

/* To a store on another machine, as remote_open has it. */
int client_reach(struct client **out, const char *host, const char *store);

/* Closes, and is again whom the process was before. NULL is allowed. */
void client_close(struct client *client);

bool client_is_local(const struct client *client);
/* The store that is open in this process; NULL: a server has it. */
struct local *client_local(const struct client *client);
/* Why secrets cannot be opened here, or NULL; for the status. */
const char *client_identity_problem(const struct client *client);

/* How a client proves who asks, on every connection before anything else is asked on it, and again
 * where it had to make another one. prove asks with client_ask_bare and hands on what that returns.
 */
void client_prove_by(struct client *client, int (*prove)(void *arg, struct client *), void *arg);

/* What the caller proves over this client is another's, at the far end of something, who alone can
 * prove it again: a connection that ends is not made again (client_ask returns 1). */
void client_hold(struct client *client);

struct piece { /* borrowed bytes of a call's values */
    const void *data;
    size_t size;
};

struct answer {
    json_t *reply; /* owned */
    int mount_fd;  /* owned; -1 where there is none */
    /* The values of reply's "entries", one after the other, in memory fit for what they are. */
    struct secret secret;
    struct bytes plain;
    const unsigned char *values;
    size_t value_size; /* of all of them */
};
#define ANSWER_INIT ((struct answer){.mount_fd = -1})
void answer_release(struct answer *answer);
#define ANSWER_CLEANUP __attribute__((cleanup(answer_release)))

/* Asks; parameters are borrowed. A failure that the other side told of is this function's, with its
 * text. */
int client_ask(struct client *client, const char *method, json_t *parameters,
               const struct piece *pieces, size_t piece_count, struct answer *out);

/* Asks once, over the connection that there is, without values. 1: it ended. */
int client_ask_bare(struct client *client, const char *method, json_t *parameters,
                    struct answer *out);
int client_link_ask(struct varlink *link, const char *method, json_t *parameters,
                    struct answer *out);

#endif
