/*
 * DIR/denials: one line for each call that was refused to somebody without the right, appended, for
 * the owner's eyes. It is written on behalf of strangers, so a flood of theirs must neither fill
 * the disk nor wash away what others did: of one user, 60 lines a minute are written and the others
 * counted; a file of 4 MiB becomes DIR/denials.old, in the place of the one before.
 */
#ifndef EMSA_TOOLS_SERVICE_DENIALS_H
#define EMSA_TOOLS_SERVICE_DENIALS_H

#include <pthread.h>
#include <stdint.h>

#include "tools/service/service.h"

#define DENIALS_BYTES (4 * 1024 * 1024)
#define DENIALS_A_MINUTE 60u
#define DENIALS_USERS 16u /* of whom lines are counted; the one longest silent makes room */

struct denied_user {
    uid_t uid;
    int64_t minute; /* since 1970; 0: this place is free */
    uint32_t lines; /* written in it */
    uint64_t left_out;
};

struct denials {
    pthread_mutex_t mutex; /* over all of it, and the file's size and name */
    struct denied_user users[DENIALS_USERS];
};

void denials_init(struct denials *);
void denials_release(struct denials *);

/* Notes that a caller was refused method at path (a place of the tree), at a time in seconds since
 * 1970, in the folder of a store. What cannot be written is lost: it is refused all the same. */
void denials_add(struct denials *, const char *folder, int64_t time, const struct caller *caller,
                 const char *method, const char *path);

#endif
