/* Values on their way into this process: from a file, stdin or a person, secrets straight into
 * locked memory. */
#ifndef EMSA_TOOLS_EMSA_INPUT_H
#define EMSA_TOOLS_EMSA_INPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "store/bytes.h"
#include "store/secret.h"

struct input {
    bool secret;
    struct secret hidden; /* of a secret */
    struct bytes open;    /* of anything else */
};

void input_release(struct input *value);
const unsigned char *input_data(const struct input *value);
size_t input_size(const struct input *value);

/* The exact bytes of a file. ERR_NOT_FOUND, ERR_DENIED, ERR_IO; ERR_INVALID: a folder, or over
 * VALUE_MAX. name is what messages call the value. */
int input_from_file(struct input *value, const char *path, const char *name);

/* stdin to its end; where that is one line, its final newline is left away (and *trimmed set)
 * unless raw. */
int input_from_stdin(struct input *value, bool raw, const char *name, bool *trimmed);

/* Asked for twice on the terminal, not shown. ERR_INVALID: there is no terminal, or the two differ.
 */
int input_from_prompt(struct input *value, const char *name);

/* Asks a person a question on the terminal, the answer not shown; and once more, where again is not
 * NULL. otherwise is the text where there is no terminal. ERR_INVALID as above. */
int input_ask(struct secret *out, const char *question, const char *again, const char *otherwise);

/* A file whole, into locked memory. "-" is stdin. ERR_INVALID: larger than maximum. */
int read_whole(struct secret *out, const char *path, size_t maximum);

#endif
