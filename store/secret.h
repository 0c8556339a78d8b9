/*
 * Memory for what must not be seen: keys and the plaintext of secrets.
 *
 * One arena for the process, made by secret_setup: mapped apart, locked (and checked to be:
 * libsodium's sodium_malloc ignores a failing mlock), left out of core dumps, not inherited by
 * fork, and grown by further locked regions up to its maximum. What is given back is wiped at once.
 * A secret is a type, never a char pointer, so that a reviewer can follow it.
 */
#ifndef EMSA_STORE_SECRET_H
#define EMSA_STORE_SECRET_H

#include <stddef.h>

struct secret {
    unsigned char *data; /* in the arena; NULL when empty */
    size_t size;         /* bytes in use */
    size_t capacity;
};

/* Makes the process undumpable and the arena ready; maximum is in bytes and bounds all secrets that
 * live at one time. May be called again (then it does nothing). ERR_NOMEM with what to do
 * (RLIMIT_MEMLOCK). */
int secret_setup(size_t maximum);

/* Wipes and unmaps the arena; every secret must have been released. */
void secret_teardown(void);

/* Memory for capacity bytes, zeroed, size 0. ERR_NOMEM: the arena is used up, *secret untouched. */
int secret_alloc(struct secret *secret, size_t capacity);

/* The same, filled with a copy of size bytes. */
int secret_copy(struct secret *secret, const void *data, size_t size);

/* Makes room for at least capacity bytes, keeping content. */
int secret_grow(struct secret *secret, size_t capacity);

/* Reads fd to its end into secret (which must be empty), at most maximum bytes. ERR_INVALID if
 * there is more, ERR_IO. */
int secret_read(struct secret *secret, int fd, size_t maximum);

/* Wipes the content (size bytes: a large buffer that held little costs little) and sets size 0,
 * keeps the memory. */
void secret_clear(struct secret *secret);

/* Wipes, frees, and makes it empty. NULL and empty are allowed. */
void secret_release(struct secret *secret);

#define SECRET_CLEANUP __attribute__((cleanup(secret_release)))

/* Bytes in use and bytes locked in this process, for status and tests. */
void secret_usage(size_t *used, size_t *locked);

#endif
