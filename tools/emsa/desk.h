/*
 * A private place for one text while an editor has it: a file in memory that nobody else reads. For
 * root that is a memory file system of its own, in a mount namespace of its own, which ends with
 * this process however that ends; for others a folder of mode 0700 in one that is there. What the
 * editor leaves beside the file (copies, swap files) goes with it.
 */
#ifndef EMSA_TOOLS_EMSA_DESK_H
#define EMSA_TOOLS_EMSA_DESK_H

#include <stdbool.h>

#include "store/secret.h"

#define DESK_PATH_MAX 1024

struct desk {
    char folder[DESK_PATH_MAX]; /* "": none */
    char file[DESK_PATH_MAX + 256];
    bool is_own; /* a file system of its own is mounted on the folder */
};

/* Makes the folder; the file will have that name. ERR_REFUSED: there is no memory file system, with
 * what to do; ERR_IO. desk_close in any case. */
int desk_open(struct desk *desk, const char *name);

/* The file, written anew; and whole. ERR_IO, ERR_NOT_FOUND, ERR_INVALID: no file, or too large. */
int desk_write(const struct desk *desk, const struct secret *text);
int desk_read(const struct desk *desk, struct secret *out);

/* Overwrites and removes everything. */
void desk_close(struct desk *desk);

/* Keeps a text in a file of mode 0600 that stays: in memory, and only there where the text is
 * hidden; where there is none, another text goes to where temporary files go. Writes the file's
 * path. Negative: it could not be kept (no error text). */
int desk_keep(char path[static DESK_PATH_MAX], const char *name, const struct secret *text,
              bool is_hidden);

#endif
