/* Keys and values as text that other programs read: built in locked memory. What is written is read
 * back by import byte for byte. */
#ifndef EMSA_TOOLS_EMSA_RENDER_H
#define EMSA_TOOLS_EMSA_RENDER_H

#include <jansson.h>
#include <stdbool.h>

#include "store/secret.h"

/* Each appends one line. ERR_INVALID: the value holds a NUL byte, which the form cannot say. */
int render_dotenv(struct secret *out, const char *key, const unsigned char *value, size_t size);
int render_shell(struct secret *out, const char *key, const unsigned char *value, size_t size);

/* Appends a JSON text: a string, or {"base64": "..."} of what is not UTF-8. */
int render_json(struct secret *out, const unsigned char *value, size_t size);

/* Appends an entry of a Get with its value, as one JSON object and a newline. */
int render_entry(struct secret *out, json_t *entry, const unsigned char *value, size_t size);

/* Whether a key can be the name of a variable: [A-Za-z_][A-Za-z0-9_]* */
bool is_variable_name(const char *key);

bool is_utf8(const unsigned char *data, size_t size);

#endif
