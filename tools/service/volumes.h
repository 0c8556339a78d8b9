/*
 * The volumes of a store: names that docker, podman and their like know, and what stands in each.
 * Kept in a file (volume_file.h), so that a name means the same after any restart. What is changed
 * by several at once is written in one go.
 *
 * One that is being made or removed belongs to the call that does so; others that want the same
 * wait for it.
 */
#ifndef EMSA_TOOLS_SERVICE_VOLUMES_H
#define EMSA_TOOLS_SERVICE_VOLUMES_H

#include <jansson.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tools/common/place.h"

#define VOLUMES_MAX 8192u /* half of the views that a server has */

struct volume {
    char name[VOLUME_NAME_MAX + 1];
    json_t *options; /* as Mount takes them, only those that were given; owned */
    int64_t created; /* nanoseconds since 1970 */
    uid_t uid;       /* who owns what is in it, where options say nothing */
    gid_t gid;
};
#define VOLUME_CLEANUP __attribute__((cleanup(volume_release)))
void volume_release(struct volume *);

struct volumes {
    pthread_mutex_t mutex; /* over all below; not held while the file is written */
    pthread_cond_t settled;
    struct kept_volume *items;
    size_t count, capacity;
    const char *folder; /* borrowed: the store's */
    uint64_t changes, written;
    bool is_writing;
    int fault;        /* the file could not be read: nothing is known, and nothing is changed */
    char *fault_text; /* owned */
};

/* Reads what there is. What cannot be read is told by each of the calls below. folder is borrowed.
 */
void volumes_init(struct volumes *, const char *folder);
void volumes_release(struct volumes *);

/* Begins to make one. 0: it is the caller's, to be kept or dropped; 1: it is there, equal to what
 * is wanted, and held (volumes_let). ERR_REFUSED: with other options, or there are too many;
 * ERR_CORRUPT: the file is; ERR_NOMEM. wanted is borrowed. */
int volumes_begin(struct volumes *, const struct volume *wanted);

/* It is made: writes it down. On failure (ERR_FULL, ERR_IO, ERR_NOMEM) it is the caller's still. */
int volumes_keep(struct volumes *, const char *name);

/* The caller's own is no more. */
void volumes_drop(struct volumes *, const char *name);

/* Begins to remove one, when nobody holds it any more: writes down that it is not there, and makes
 * it the caller's, to be dropped.
 * ERR_NOT_FOUND; on failure (ERR_FULL, ERR_IO) it is there as before. */
int volumes_leave(struct volumes *, const char *name);

/* A copy of one. ERR_NOT_FOUND. */
int volumes_find(struct volumes *, struct volume *out, const char *name);

/* The same, and it stays until volumes_let: who has its view stand is not to be overtaken by who
 * removes it, or a view would stand that is no volume's. */
int volumes_hold(struct volumes *, struct volume *out, const char *name);
void volumes_let(struct volumes *, const char *name);

/* A copy of the n-th by name; 1: there are not so many. */
int volumes_nth(struct volumes *, struct volume *out, size_t n);

#endif
