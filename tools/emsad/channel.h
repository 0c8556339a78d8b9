/*
 * What the supervisor and its children say to each other, over a SOCK_SEQPACKET pair. Both ends are
 * this very program (a child is started from the supervisor's own executable), so a message is a
 * struct as it stands in memory, and anything that does not look like one is a reason to end, not
 * to guess.
 *
 * Supervisor to server:
 *   - SETUP: paths of store and identity, threads, flags, and descriptors (enum channel_setup)
 *   - NOTIFIER: the server's end of a new channel to the notifier, and its pid
 *   - METRICS: the server's end of a new channel to the metrics process, and its pid
 *   - VOLUME: the server's ends of connections to the volume plugin, and its pid
 *   - VIEW: a live connection: options, INIT, its /dev/fuse descriptor
 *   - START: all that there was has been handed over: answer
 *   - MOUNTED: the answer to MOUNT: an error and its text, or the mount; its VIEW follows. Of a
 *     volume there is no mount, and no VIEW where it stood already (CHANNEL_STANDS); also the
 *     answer to UNMOUNT
 *   - CREDENTIAL: somebody who asks for one (view: its number), and the environment of units that
 *     name none
 *   - STOP: finish the running calls, close the store, end
 *   - ASK: is the server there?
 *   - ADOPTED: the supervisor that follows a dead one has all that the server handed over; its
 * flags
 *
 * Server to supervisor:
 *   - OPENED: the store is open
 *   - READY: readers and callers are answered
 *   - FAILED: cannot begin, or go on: the error and its text
 *   - MOUNT: a new superblock is wanted, with these options; of a volume (CHANNEL_IS_VOLUME) text
 *     its name, and it is to stand in the folder of volumes
 *   - UNMOUNT: the volume of this name is to stand there no more
 *   - PEOPLE: the system's list of users or groups is wanted, as it is now (view: which one, enum
 *     people_file); the answer is a MOUNTED with it
 *   - GONE: this view's superblock is no more
 *   - CALLED: a call has come, after ANSWERED said that none runs
 *   - ANSWERED: to ASK: it is, and so many calls run (calls)
 *   - HELLO: first of all, to each supervisor, with CHANNEL_VERSION as flags
 *   - SILENT: readers are answered no more
 *   - IDENTITY: a caller opened it: what later servers get instead of its file, sealed
 *   - LENT: to CREDENTIAL: answered (view: its number)
 *   - UPGRADE: another binary is to take over (upgrade.h)
 *   - HELLO, HELD, VIEW (each), HANDED: to the supervisor that follows a dead one, what the server
 *     keeps (estate.h): HELD is SETUP as it was, with its descriptors
 *   - END: the whole daemon is to end (asked for by a call, or its last view is gone)
 *
 * Supervisor to notifier:
 *   - ROSTER: where it enters its threads (fs/roster.h); first of all
 *   - NOTIFIER: the notifier's end of a new channel to the server
 *   - VIEW, GONE: a connection, and its end
 *   - HANDLE: the answer to HANDLE: a writable mount of the view, or an error
 *   - ASK: is the notifier there?
 *
 * Notifier to supervisor:
 *   - HANDLE: a writable mount of this view is wanted
 *   - ANSWERED: to ASK: it is
 *
 * Notifier, and audit, to supervisor:
 *   - ENTERED: it is in its sandbox
 *
 * Supervisor to audit:
 *   - AUDIT: the store's path, the second sink (identity), and the ring; nothing else, until the
 *     channel's end
 *
 * Supervisor to metrics, and to volume:
 *   - LISTENER: the socket that clients come to
 *   - METRICS: its end of a new channel to the server
 *   - VOLUME: its ends of connections to the server, in place of those before
 *
 * Volume to supervisor:
 *   - VOLUME: it has lost some, and wants others
 */
#ifndef EMSA_TOOLS_EMSAD_CHANNEL_H
#define EMSA_TOOLS_EMSAD_CHANNEL_H

#include <limits.h>
#include <stdint.h>

#include "fs/fs.h"
#include "fs/mount.h"

/* Where a child finds its end. */
#define CHANNEL_FD 3

enum channel_kind {
    CHANNEL_SETUP = 1,
    CHANNEL_NOTIFIER,
    CHANNEL_VIEW,
    CHANNEL_START,
    CHANNEL_MOUNTED,
    CHANNEL_STOP,
    CHANNEL_ASK,
    CHANNEL_ADOPTED,
    CHANNEL_OPENED,
    CHANNEL_READY,
    CHANNEL_FAILED,
    CHANNEL_MOUNT,
    CHANNEL_GONE,
    CHANNEL_ROSTER,
    CHANNEL_HANDLE,
    CHANNEL_CALLED,
    CHANNEL_ANSWERED,
    CHANNEL_HELLO,
    CHANNEL_SILENT,
    CHANNEL_UPGRADE,
    CHANNEL_HELD,
    CHANNEL_HANDED,
    CHANNEL_END,
    CHANNEL_LISTENER,
    CHANNEL_METRICS,
    CHANNEL_CREDENTIAL,
    CHANNEL_LENT,
    CHANNEL_VOLUME,
    CHANNEL_UNMOUNT,
    CHANNEL_PEOPLE,
    CHANNEL_IDENTITY,
    CHANNEL_AUDIT,
    CHANNEL_ENTERED,
    CHANNEL_KIND_COUNT
};

/* The descriptors of SETUP, by index: the owner lock, the listening socket, the memory that
 * outlives a server, the notifier's roster, the audit ring, and the file of the identity and its
 * key file, where there is one. */
enum channel_setup {
    SETUP_LOCK,
    SETUP_LISTENER,
    SETUP_STATE,
    SETUP_ROSTER,
    SETUP_AUDIT,
    SETUP_IDENTITY,
    SETUP_IDENTITY_KEY, /* never without an identity */
    SETUP_DESCRIPTORS
};

#define CHANNEL_ON_DEMAND 1u   /* SETUP and ADOPTED: end after the last view */
#define CHANNEL_HAD_VIEWS 2u   /* SETUP: there was one already */
#define CHANNEL_CONTINUED 128u /* SETUP: a server before had the store, under this lock */
#define CHANNEL_REQUIRED 64u   /* SETUP: nothing secret is given that cannot be audited */

#define CHANNEL_OURS 4u      /* VIEW: the supervisor mounted it itself, where text says */
#define CHANNEL_IS_VOLUME 8u /* MOUNT, VIEW: it is a volume */
#define CHANNEL_STANDS 16u   /* MOUNTED: it was there already */
#define CHANNEL_SPOILT 32u   /* CREDENTIAL: nothing good may come of it any more */

struct channel_message {
    uint32_t kind;
    uint32_t request; /* of MOUNT, UNMOUNT and MOUNTED; 0: of a server that begins */
    int32_t error;    /* of FAILED, MOUNTED and HANDLE, as store/error.h */
    int32_t pid;      /* of NOTIFIER, METRICS and VOLUME */
    uint32_t flags;
    uint32_t threads;
    uint32_t view;       /* of VIEW, GONE, MOUNTED and HANDLE */
    uint32_t init_size;  /* of VIEW */
    uint32_t number;     /* of VIEW: of its superblock (fs/mount.h); 0: not known */
    uint32_t calls;      /* of ANSWERED */
    uint32_t uid;        /* of SETUP: the supervisor's */
    uint32_t views_each; /* of SETUP: how many one user may have */
    struct view_options options;
    unsigned char init[MOUNT_INIT_MAX];
    char text[PATH_MAX];     /* a message for people, or the store's path, or where a view is
                                mounted, as far as that is known */
    char identity[PATH_MAX]; /* of SETUP; of AUDIT: the second sink, as --audit-sink has it */
};

/* Two programs that have the same may speak to each other. */
#define CHANNEL_VERSION ((2u << 16) | (uint32_t)sizeof(struct channel_message))

struct channel_descriptors {
    int fd[SETUP_DESCRIPTORS]; /* owned; -1 where there is none */
    int count;
};
void channel_descriptors_release(struct channel_descriptors *descriptors);

/* How many of SETUP there are to send, by which the last ones are. */
size_t channel_setup_count(const int fds[static SETUP_DESCRIPTORS]);

/* Sends a message with count descriptors, which stay the caller's. ERR_IO when the other end is
 * gone or did not read within deadline milliseconds (-1: none). */
int channel_send(int channel, const struct channel_message *message, const int fds[], size_t count,
                 int deadline);

/* A copy as long as what it says, for free: only to be sent, or read up to its text. NULL: out of
 * memory. Not of SETUP. */
struct channel_message *channel_copy(const struct channel_message *message);

/* A message of only a kind and a view. */
int channel_send_plain(int channel, enum channel_kind kind, uint32_t view, int deadline);

/* Receives one, without waiting. 1: the other end is gone; 2: there is none. ERR_IO: what came is
 * none. */
int channel_receive(int channel, struct channel_message *out,
                    struct channel_descriptors *descriptors);

#endif
