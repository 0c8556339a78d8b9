/* A growable run of bytes with a maximum, for what is not secret. Errors stick: a sequence of
 * appends is checked once at its end. */
#ifndef EMSA_STORE_BYTES_H
#define EMSA_STORE_BYTES_H

#include <stddef.h>
#include <stdint.h>

struct bytes {
    unsigned char *data; /* owned; may be NULL while size is 0 */
    size_t size;
    size_t capacity;
    size_t limit; /* never grows past this */
    int error;    /* 0, or the first failure: -ERR_NOMEM or -ERR_INVALID (past the limit) */
};

#define BYTES_INIT(maximum) ((struct bytes){.limit = (maximum)})

/* Appends; on failure sets error, and later appends do nothing. */
void bytes_append(struct bytes *bytes, const void *data, size_t size);
void bytes_append_text(struct bytes *bytes, const char *text);
void bytes_append_format(struct bytes *bytes, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Room for size more bytes at the end, to be filled by the caller, who then adds to size. NULL on
 * failure. */
unsigned char *bytes_reserve(struct bytes *bytes, size_t size);

/* Forgets the content and the error, keeps the memory. */
void bytes_reset(struct bytes *bytes);

/* Frees the memory and makes it empty again. NULL is allowed. */
void bytes_release(struct bytes *bytes);

#define BYTES_CLEANUP __attribute__((cleanup(bytes_release)))

#endif
