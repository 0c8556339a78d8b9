/* The files of a record, in the store's folder "audit": record.000001 and on, key. */
#ifndef EMSA_STORE_AUDIT_FILES_H
#define EMSA_STORE_AUDIT_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "store/audit/line.h"

/* The folder, for openat; made where it is not and is_made is asked for. ERR_NOT_FOUND, ERR_DENIED,
 * ERR_IO, ERR_FULL. */
int files_folder(int *out, const char *store, bool is_made);

/* The numbers of the first and the last file; 0: there is none. ERR_IO. */
int files_range(uint64_t *first, uint64_t *last, int folder);

/* Opens the file of a number; flags as open has them. */
int files_open(int *out, int folder, uint64_t number, int flags);

/* Calls for each line of one file, without its newline; *good is the size up to the last newline.
 * What tells something else than 0 ends it, and is returned. ERR_IO. */
int files_lines(int fd, uint64_t *good, int (*each)(void *arg, const char *line, size_t size),
                void *arg);

struct present { /* the file "key": what the next line is to be made with */
    uint64_t number;
    struct evolving key;
    uint8_t chain[BLAKE_SIZE]; /* of the line before */
};

/* 1: the file is empty or damaged. ERR_IO. */
int present_read(struct present *out, int fd);
int present_write(int fd, const struct present *present);
void present_wipe(struct present *);

#endif
