/* owner.lock: one process owns a store. An OFD lock, so that it passes to a child with its
 * descriptor and ends with the last holder, however that ended. */
#ifndef EMSA_STORE_MODEL_OWNER_H
#define EMSA_STORE_MODEL_OWNER_H

#include <sys/types.h>

/* As store_lock. */
int owner_lock(const char *path);

/* Makes owner.lock in a new store's directory and takes it: a descriptor, or ERR_REFUSED (there is
 * one), ERR_DENIED, ERR_FULL, ERR_IO. */
int owner_create(const char *path);

/* As store_sign. */
void owner_sign(int fd, pid_t pid);

/* Gives the lock back and closes. */
void owner_unlock(int fd);

#endif
