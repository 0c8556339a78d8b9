/*
 * The dispatcher: one handler a verb, called by the server over its socket and by the command
 * in-process where no server runs. Two transports, and no verb is written twice. Who may is decided
 * here, by the verb table (tools/service/verb.h, rights.h), before a handler runs.
 *
 * Values never travel inside JSON. A call brings them as a stream (one run of bytes; the parameters
 * name the size of each) and takes them back as a list of parts: the reply has "values": 0 then,
 * the index of the one descriptor that a transport sends beside it, and "mount": 0 where output_fd
 * is set. What every varlink service answers (org.varlink.service) is answered here too.
 */
#ifndef EMSA_TOOLS_SERVICE_SERVICE_H
#define EMSA_TOOLS_SERVICE_SERVICE_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "store/audit.h"
#include "store/bytes.h"
#include "store/secret.h"
#include "store/store.h"

#define SERVICE_INTERFACE "io.emsa"

struct holdings;
struct proof; /* proof.h */

struct caller { /* as the kernel told (SO_PEERCRED, SO_PEERGROUPS), or of this process */
    uid_t uid;
    gid_t gid;
    pid_t pid;
    const gid_t *groups; /* the others that it is in; borrowed */
    size_t group_count;
    struct proof *proof; /* of the identities that it holds, kept by its connection; NULL: there is
                            none, and nothing to prove. Borrowed */
    bool is_as_user;     /* this call is not to have the rights of what was proven */
    struct holdings *holdings; /* what it holds; set while a call of it runs (rights.h) */
};

struct view_wish; /* wish.h */

struct view_made {
    int mount_fd;  /* a detached mount, for the caller to attach; owned */
    uint32_t view; /* its id */
};

struct service_host { /* what a verb may ask of the process it runs in; NULL members where it has
                         none */
    void *arg;
    /* After a commit, before the caller is answered: has every view told (fs_publish). 1: a view is
     * late. */
    int (*published)(void *arg, uint64_t rev);
    /* After a commit that set something with an end: the first moment (nanoseconds since 1970) at
     * which one of them ends, for whoever calls service_expire then. Must not wait. */
    void (*expiring)(void *arg, int64_t moment);
    /* A new superblock. */
    int (*mount)(void *arg, const struct view_wish *wish, struct view_made *out);
    /* Adds an object for each view to a list: path and all that there is to tell of it. */
    int (*views)(void *arg, json_t *list);
    /* Holds a view at a revision; 0: it follows the newest. As fs_move. */
    int (*view_move)(void *arg, uint32_t view, uint64_t rev);
    /* A volume is to stand in its place, or to stand there no more; done when it is so, also where
     * it was so before. The names are good ones. */
    int (*volume_mount)(void *arg, const char *name, const struct view_wish *wish);
    int (*volume_unmount)(void *arg, const char *name);
    const char *volume_folder; /* where they stand */
    struct audit_ring *audit;  /* where what is audited goes; NULL: this process writes it down */
    /* The newest revision that was published, and thus may be told to those who watch. */
    uint64_t (*told)(void *arg);
    /* Adds what the process knows to the Status reply (views, processes). */
    int (*status)(void *arg, json_t *reply);
    /* A next supervisor, where the one before died: on success the channel to it is taken. */
    int (*take_over)(void *arg, const struct caller *caller, int channel);
    /* Opens the identity with its passphrase, and keeps it open over every restart of the server.
     * 1: secrets are open already; else 0, and who it is (its public text, IDENTITY_TEXT_MAX). */
    int (*unlock)(void *arg, const struct secret *passphrase, char *identity);
    /* Begins an upgrade to the binary that lies where the daemon's own lay. */
    int (*upgrade)(void *arg);
    /* Begins a clean end of the whole daemon. */
    int (*stop)(void *arg);
};

struct audit_ring; /* store/audit_ring.h */

struct dispatcher; /* a store and a host */
int service_new(struct dispatcher **out, struct store *store, const struct service_host *host);
void service_free(struct dispatcher *);

/* Without a ring: for whom (identity_public) a record begins, where there is none. Before the first
 * call. */
void service_auditor(struct dispatcher *, const char *identity);

/* Without a ring: what kept something from being audited, a text that lives as long; NULL: nothing.
 * After the last call. */
const char *service_unaudited(const struct dispatcher *);

struct value_part { /* one value of a reply; exactly one of the two is used */
    bool is_secret;
    struct bytes plain;
    struct secret secret;
};

struct call {
    struct caller caller;
    const char *method; /* "io.emsa.Set" */
    json_t *parameters; /* borrowed; an object */
    int input;          /* where the stream of values is read from, or -1; borrowed */
    int input_deadline; /* milliseconds for the whole stream, -1: none */
    int *channel;       /* of TakeOver: a socket, which is -1 once it was taken; or NULL */
    /* By which it gets at secrets, where this process knows (a unit's credential); NONE: as the
     * method and the parameters say. */
    enum audit_door door;
    /* set by service_call */
    json_t *reply;            /* owned; an object, also of failures: {"message", "reasons"} */
    const char *error;        /* NULL, or the name of a varlink error: "io.emsa.Refused", static */
    int output_fd;            /* a descriptor to hand over (mount), or -1; owned */
    struct value_part *parts; /* owned */
    size_t part_count;
    /* Of a call that goes on (Watch): what to ask next, owned, or NULL; the revision before which
     * that would tell nothing, or 0; and whether this reply tells nothing. */
    json_t *again;
    uint64_t awaited;
    bool is_idle;
};

/* Whether the caller holds any right at all, and whether it holds all: root, the store's owner. */
bool service_knows(struct dispatcher *, const struct caller *caller);
bool service_owned_by(struct dispatcher *, const struct caller *caller);

/* Does the call and fills the lower half; 0 whenever there is a reply to send (also one that tells
 * of a failure), negative when not even that could be made. call_release afterwards in any case. */
int service_call(struct dispatcher *, struct call *call);
void call_release(struct call *);

/* Removes everything that has ended by now (nanoseconds since 1970: the clock's, which is asked by
 * whoever calls this and by nobody else), and has the views told. *next is the moment at which the
 * next key ends, 0: none does. To be called before anything is served of a store that was just
 * opened, and then when *next, or what host->expiring said, has come. A failure may be tried again:
 * what was not removed is still there. Any thread. */
int service_expire(struct dispatcher *, int64_t *next, int64_t now);

/* Whether the store must be opened anew (store_broken, -ERR_IO) before any call can be answered
 * truly. A process that is started again ends then, unanswered: the caller asks once more with its
 * request id. */
bool service_is_lost(const struct dispatcher *);

/* The volumes that are to stand, for who mounts them again at a beginning: the n-th, by name. name
 * has room for VOLUME_NAME_MAX + 1; the wish's texts live as long as the dispatcher. 1: there are
 * not so many. ERR_CORRUPT: nobody knows; what a volume is of may be ERR_INVALID. */
int service_volume(struct dispatcher *, size_t n, char *name, struct view_wish *wish);

/* Whether one of that name is to stand. */
bool service_has_volume(struct dispatcher *, const char *name);

/* The interface in varlink's own description language, for GetInterfaceDescription. */
const char *service_description(void);

#endif
