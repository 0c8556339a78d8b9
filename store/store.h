/*
 * The store: the facade. A directory that one process owns, holding the log of commits and what is
 * derived from it (store/FORMAT.md). Reading goes through a snapshot (store/snapshot.h,
 * store/history.h), writing through a change (store/change.h); nothing else writes.
 */
#ifndef EMSA_STORE_STORE_H
#define EMSA_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "store/identity.h"

struct store;

#define STORE_ID_SIZE 16
#define HASH_SIZE 32

struct store_options {
    const char *path; /* the directory */
    /* A descriptor of owner.lock that bears the lock already (the supervisor's), or -1: take it
     * here. The store keeps no reference to a given one; it must stay open as long as the store. */
    int lock_fd;
    /* Called when damage is met, with one line for people; from any thread, also readers: must not
     * block. NULL: nothing. */
    void (*alarm)(void *arg, const char *text);
    void *alarm_arg;
    /* What pin_open gave (store/pin.h), taken over also on failure; 0: the head is not pinned. */
    int pin_fd;
    /* Opens the store also where the pin speaks against it (store_pinned says so then). */
    bool accepts_head;
    /* Opens it also where its seal speaks against it (store/model/whole.h), to be verified: nothing
     * else may be read of it. Implied by accepts_head. */
    bool is_examined;
    /* It was opened, and looked at, by a process of the same owner, and the lock was held ever
     * since: for a server in the place of one that died. A seal is then trusted
     * (store/model/whole.h). */
    bool is_continued;
};

/*
 * Makes a new store in path, which must not exist or be an empty directory: mode 0700, preallocated
 * files, a random store id, revision 0, and the identity's public part recorded as the first that
 * reads everything (its own commit, revision 1, by author). ERR_REFUSED: there is a store already,
 * the directory is not empty, or it lies on a network file system. ERR_FULL, ERR_DENIED, ERR_IO:
 * what was made is removed again.
 */
struct author;
int store_create(const char *path, const struct identity *identity, const struct author *author);

/* The same, with a second identity that reads everything from revision 1 on: the one of that public
 * text (NULL: none), known as RECOVERY (store/grant.h). ERR_INVALID: the text is none; ERR_REFUSED:
 * it is the first one's. */
int store_create_recoverable(const char *path, const struct identity *identity,
                             const char *recovery, const struct author *author);

/* Takes the owner lock on path/owner.lock without opening the store. Returns a descriptor to close
 * (which gives the lock back), or ERR_BUSY naming the owner's pid if it can be known, ERR_NOT_FOUND
 * if path is no store, ERR_DENIED. */
int store_lock(const char *path);

/* Names another process as the owner, for messages: the lock passes on with its descriptor. */
void store_sign(int lock_fd, pid_t pid);

/* Opens a store. ERR_BUSY, ERR_NOT_FOUND (with how to make one), ERR_FORMAT, ERR_CORRUPT (a
 * truncated file, a meta page that is none; an older or a second head, by its pin; records that are
 * not what was written, by its seal: with the first findings), ERR_DENIED,
 * ERR_NOMEM. One store per process; never fork after it. */
int store_open(struct store **out, const struct store_options *options);

/* Closes; every snapshot must have been freed. NULL is allowed. */
void store_close(struct store *store);

/*
 * Gives the store an identity to open secrets with; the store takes it over (also on failure).
 * Without one plain values are served, commits of plain values and, with public keys only, of
 * secrets are made, and opening a secret gives ERR_NO_KEY. ERR_NO_KEY: no grant in this store is
 * for that identity.
 */
int store_unlock(struct store *store, struct identity *identity);
bool store_unlocked(const struct store *store);

/* The newest revision that readers see. Any thread, no lock, no wait. */
uint64_t store_revision(const struct store *store);
const uint8_t *store_id(const struct store *store);
const char *store_path(const struct store *store);

/* 0, or why this store can't be written any more until it is opened anew. -ERR_IO: the disk failed
 * in a commit's last write, reading has ended too, and whether that commit is there can't be known
 * here; a process that is started again does best to end at once, without an answer. -ERR_CORRUPT:
 * damage was met while writing; reading goes on. Any thread. */
int store_broken(const struct store *store);

struct store_status {
    uint64_t revision;
    uint8_t head[HASH_SIZE];
    uint64_t environments, services, entries;
    uint64_t expiring;   /* entries that will end by themselves */
    int64_t next_expiry; /* when the first of them does, nanoseconds since 1970; 0: none */
    uint64_t file_bytes; /* size of data.mdb, allocated ahead */
    uint64_t used_bytes; /* of it in use */
    uint64_t alarms;     /* damaged records met since open */
};
int store_status(struct store *store, struct store_status *out);

/* What was destroyed is nowhere in the store's file then (env_scrub, store/db/env.h); after commits
 * that purge. *left: pages that somebody still reads: commits that follow try again. ERR_CORRUPT,
 * ERR_IO, ERR_NOMEM: some of it may be there still. */
int store_scrub(struct store *store, uint64_t *left);

#endif
