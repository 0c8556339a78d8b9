/* The lines of a file, one after the other, in locked memory: they may hold secrets. */
#ifndef EMSA_TOOLS_EMSA_LINES_H
#define EMSA_TOOLS_EMSA_LINES_H

#include <stdbool.h>

#include "store/secret.h"

#define LINE_SIZE_MAX (8u * 1024u * 1024u) /* a value of 1 MiB, all of it escaped */

struct lines {
    int fd; /* borrowed */
    struct secret buffer;
    size_t at;       /* of the next line in buffer */
    unsigned number; /* of the line given last */
    bool ended;
};

/* The next line, without its newline; valid until the next call. 1: there is none. ERR_INVALID: too
 * long; ERR_IO; ERR_NOMEM. */
int lines_next(struct lines *lines, const char **text, size_t *size);

/* From the beginning again. ERR_INVALID: the file is a pipe. */
int lines_rewind(struct lines *lines);

void lines_release(struct lines *lines);

#endif
