/*
 * Another process, held by its folder in /proc: what is asked of it later is asked of that one,
 * also when it has ended and its number is another's. And its users: what it calls 0 may be
 * somebody else here.
 */
#ifndef EMSA_TOOLS_COMMON_PROCESS_H
#define EMSA_TOOLS_COMMON_PROCESS_H

#include <sys/types.h>

struct process {
    pid_t pid;  /* as this process sees it, for messages */
    int folder; /* owned */
};

#define PROCESS_NONE ((struct process){.folder = -1})
#define PROCESS_CLEANUP __attribute__((cleanup(process_release)))

/* ERR_NOT_FOUND: there is none; ERR_DENIED, ERR_IO. */
int process_find(struct process *out, pid_t pid);
void process_release(struct process *process);

/* Opens what its folder has of that name (CLOEXEC, the caller's). ERR_NOT_FOUND: it has ended;
 * ERR_DENIED: only its owner, and root, may; ERR_IO. */
int process_open(int *out, const struct process *process, const char *name, int flags);

/* Whether the process has another user namespace than this one, so that owners look different to
 * it. Negative: as process_open. */
int process_has_users(const struct process *process);

/*
 * Maps a detached mount's owners to the user namespace of the process: 0 in it is 0 there. For a
 * mount that nobody has attached yet, of a view that allows it. 1: this kernel, this view or this
 * caller cannot: then the view is to be made with the owner that process_owner gives. Else as
 * process_open.
 */
int process_idmap(int mount_fd, const struct process *process);

/* What this process calls a user and a group of the process's namespace, in place. ERR_INVALID: it
 * has no such one; else as process_open. */
int process_owner(const struct process *process, uid_t *uid, gid_t *gid);

#endif
