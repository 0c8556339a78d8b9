/* Keys and values as they were read from a file. The values stand in locked memory: some of them
 * are secrets, and which is known only later. */
#ifndef EMSA_TOOLS_EMSA_ASSIGNMENTS_H
#define EMSA_TOOLS_EMSA_ASSIGNMENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "store/limits.h"
#include "store/secret.h"

#define FILE_SIZE_MAX (32u * 1024u * 1024u) /* of a file that is read whole */

struct assignment {
    char key[KEY_NAME_MAX + 1];
    size_t offset; /* of the value in text */
    size_t size;
    unsigned line;
    bool secret;
    bool bare; /* a name alone, for_interpolation only: its value is somebody else's to know */
};

struct assignments {
    struct secret text;
    struct assignment *list;
    size_t count;
    size_t capacity;
    const char *file; /* for messages */
    /* Values are kept as they will be interpolated: a dollar that stands for itself is doubled. A
     * name alone is taken, and a key that stands twice is there twice, in the file's order. */
    bool for_interpolation;
    /* Something that the user should know, with file and line; may be NULL. */
    void (*note)(const char *text);
};

void assignments_release(struct assignments *assignments);

/* Begins an assignment whose value will be appended to text. A key that was there already is begun
 * anew (the last one holds, with a note). ERR_INVALID: no key name; ERR_NOMEM. */
int assignments_begin(struct assignments *assignments, const char *key, size_t length,
                      unsigned line, struct assignment **out);

/* Appends to the value of the assignment begun last. ERR_NOMEM. */
int assignments_append(struct assignments *assignments, const void *data, size_t size);

/* The value appended is whole. ERR_INVALID: over VALUE_MAX. */
int assignments_end(struct assignments *assignments, struct assignment *assignment);

const unsigned char *assignment_value(const struct assignments *assignments,
                                      const struct assignment *assignment);

/* "FILE, line N: " and the text, as ERR_INVALID; and the same as a note. */
int assignments_fail(const struct assignments *assignments, unsigned line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void assignments_note(const struct assignments *assignments, unsigned line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
