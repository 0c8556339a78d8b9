/*
 * Who a caller is, in names: the principals (store/grant.h) that the system's files have for its
 * user and its groups. /etc/passwd and /etc/group are read here, line by line: a server in its
 * sandbox has no name service, and its libraries are not to be trusted with long lines. A user or
 * group of several names is all of them; one that only a name service knows has none. Which groups
 * a process is in, the kernel says, and never /etc/group.
 */
#ifndef EMSA_TOOLS_SERVICE_PEOPLE_H
#define EMSA_TOOLS_SERVICE_PEOPLE_H

#include <stdbool.h>
#include <stddef.h>

#include "store/limits.h"
#include "tools/service/service.h"

struct people {                       /* principals, each once */
    char (*names)[PRINCIPAL_MAX + 1]; /* owned */
    size_t count;
};

/* Adds what the caller is. A file that cannot be read has no names in it. ERR_NOMEM. */
int people_of(struct people *out, const struct caller *caller);
/* Adds one more name, once. ERR_NOMEM. */
int people_add(struct people *people, const char *principal);
bool people_have(const struct people *people, const char *principal);
void people_release(struct people *people);

/* Another way to these files, for a process that may no more open them itself: when they were
 * replaced since it was confined, as tools for users and groups do. open gives a descriptor, the
 * caller's, or -1. Before the first thread. */
enum people_file { PEOPLE_USERS, PEOPLE_GROUPS };
void people_open_by(int (*open)(void *arg, enum people_file file), void *arg);

/* Whether the system's files know this principal. */
bool people_known(const char *principal);

/* "uid 1000 (alice)", or "uid 1000" where the system's user file has no name for it, or none
 * that rights can be granted to. */
void caller_text(const struct caller *caller, char *out, size_t capacity);

#endif
