/*
 * How often a caller's values were found equal to secrets of other environments. The leak guard
 * answers yes or no to whoever proposes a value, and so would be a way to guess: after ten such
 * answers within an hour a caller's changes that bring values are refused without being looked at,
 * until an hour has passed since the first of the ten. Dry runs count as much.
 *
 * Kept in memory, by the user id that the kernel tells: a server that ends forgets it. The clock is
 * the caller's: seconds of one that never goes back.
 */
#ifndef EMSA_TOOLS_SERVICE_GUARD_H
#define EMSA_TOOLS_SERVICE_GUARD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define GUARD_HITS 10u
#define GUARD_SECONDS 3600
#define GUARD_USERS 64u /* that are remembered; the one whose last hit is oldest makes room */

struct guarded_user {
    uid_t uid;
    unsigned hits;            /* remembered, up to GUARD_HITS; 0: this place is free */
    unsigned next;            /* where the next one goes */
    int64_t when[GUARD_HITS]; /* a ring */
};

struct guard {
    pthread_mutex_t mutex; /* over all of it */
    struct guarded_user users[GUARD_USERS];
};

void guard_init(struct guard *guard);
void guard_release(struct guard *guard);

/* Whether a change of theirs that brings values may be looked at. */
bool guard_admits(struct guard *guard, uid_t uid, int64_t now);

/* That many of the caller's values were equal to a secret. */
void guard_count(struct guard *guard, uid_t uid, int64_t now, size_t hits);

#endif
