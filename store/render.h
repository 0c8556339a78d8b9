/*
 * Keys and values as texts that other programs read: what `emsa export` prints and what stands in
 * `.emsa/env` and `.emsa/json` of a mount is made here, and nowhere else.
 *
 * A text is made from its beginning and may be longer than anybody has room for: a window of it is
 * kept, in locked memory, and the rest is only counted. So a piece in the middle is made by making
 * all that is before it again, and nothing is held between two pieces.
 *
 *     dotenv  one line a variable. Quoted so that emsa reads back the same bytes, and others where
 *             they agree: a value that no common quoting can say stands in double quotes with
 *             backslashes, which some readers take otherwise
 *     env     one line a variable, only where a shell (set -a; .), the env_file of docker compose,
 *             node's and python's dotenv and systemd's EnvironmentFile read the same value
 *     shell   lines of export, for a shell alone: every value
 *     json    one object of strings; what is no UTF-8 is {"base64": "..."}
 */
#ifndef EMSA_STORE_RENDER_H
#define EMSA_STORE_RENDER_H

#include <stdbool.h>
#include <stddef.h>

#include "store/secret.h"

struct render {
    struct secret *out; /* borrowed: what is kept is appended to it, growing; NULL: nothing is */
    size_t from, size;  /* the window */
    size_t total;       /* how long the text is so far */
    int error;          /* of the first append that failed: -ERR_NOMEM; nothing is kept after it */
};

/* All of it is kept. */
struct render render_whole(struct secret *out);
/* At most size bytes from an offset on. */
struct render render_window(struct secret *out, size_t from, size_t size);

void render_bytes(struct render *, const void *data, size_t size);
void render_text(struct render *, const char *text);

/* Why a variable can't stand in a text of its form; 0: it can. */
enum render_gap {
    RENDER_NO_GAP = 0,
    RENDER_NO_NAME,    /* its name can't be a variable's */
    RENDER_OWN_NAME,   /* a shell has a variable of that name itself, and may end over it */
    RENDER_NUL,        /* its value holds a NUL byte */
    RENDER_NO_UTF8,    /* its value is no UTF-8 */
    RENDER_NO_QUOTING, /* no quoting of its value is read alike by all */
};
const char *render_gap_text(enum render_gap gap);

/* Each appends a line, or nothing where there is a gap, and returns that. */
enum render_gap render_dotenv(struct render *, const char *key, const unsigned char *value,
                              size_t size);
enum render_gap render_shell(struct render *, const char *key, const unsigned char *value,
                             size_t size);
/* Here the gap is named in a comment. */
enum render_gap render_env(struct render *, const char *key, const unsigned char *value,
                           size_t size);

/* A value as JSON: a string, or an object with its base64. */
void render_json(struct render *, const unsigned char *value, size_t size);
/* An object: a member for each key, the first of them with first; then its end. */
void render_member(struct render *, const char *key, const unsigned char *value, size_t size,
                   bool first);
void render_object_end(struct render *, bool empty);

/* Whether a key can be the name of a variable: [A-Za-z_][A-Za-z0-9_]* */
bool is_variable_name(const char *key);

bool is_utf8(const unsigned char *data, size_t size);

#endif
