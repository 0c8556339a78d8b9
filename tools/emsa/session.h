/* One run of the command: its options, its store, and the way to it. */
#ifndef EMSA_TOOLS_EMSA_SESSION_H
#define EMSA_TOOLS_EMSA_SESSION_H

#include <sys/resource.h>

#include "tools/common/place.h"
#include "tools/emsa/agent.h"
#include "tools/emsa/client.h"
#include "tools/emsa/options.h"

struct command;
struct identity;

struct session {
    struct options options;
    const struct command *command;
    struct place_of_store place;
    struct client *client;     /* by session_client; NULL before */
    struct {                   /* what changes are signed with (sign.h) */
        int fd;                /* of a file */
        struct identity *kept; /* of a locked one, once it was opened; NULL: none */
        struct agent agent;    /* or an agent, and the key in it */
        struct agent_key agent_key;
        bool is_open, is_agent, has_store_id;
        uint8_t store_id[16];
    } sign;
    struct rlimit core, locked; /* as we found them, for a program that we become */
};

/* The way to the store, opened at the first call of it. */
int session_client(struct session *session, struct client **out);
/* Gives it up until the next call: a store that no server owns is free for others meanwhile. */
void session_leave(struct session *session);

/* One call: opens the way, asks, and gives the answer. parameters are taken over, also on failure.
 */
int session_ask(struct session *session, const char *method, json_t *parameters,
                const struct piece *pieces, size_t piece_count, struct answer *out);

/* Adds -m, --if-rev (for what is at path; "": at all that the change touches), --dry-run, --new,
 * --allow-equal and --override to the parameters of a change, and a random id, so that a change
 * whose answer was lost is not made twice. */
int session_terms(struct session *session, json_t *parameters, const char *path);

/* What makes this process what it was before emsa ran: for a program that takes its place. */
void session_restore(struct session *session);

#endif
