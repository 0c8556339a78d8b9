/* How keys are built and parsed: what the files of keys share. */
#ifndef EMSA_STORE_DB_KEYS_INTERNAL_H
#define EMSA_STORE_DB_KEYS_INTERNAL_H

#include "store/db/keys.h"

/* Building: each adds at the end. What doesn't fit is cut: every name was checked for its length,
 * and a key that is longer than any in the store finds nothing. */
void key_add(struct key *key, const void *data, size_t size);
/* size bytes, big-endian. */
void key_add_number(struct key *key, uint64_t value, size_t size);
/* A text that something follows: its length in a byte, then its bytes. */
void key_add_short(struct key *key, const char *text);
/* Empties the key and begins it; returns it. */
struct key *key_start(struct key *key, const char *tag);
/* Borrows from the key. */
struct slice key_done(const struct key *key);
/* All of it: a tag and a text that nothing follows. */
struct slice key_of_text(struct key *key, const char *tag, const char *text);

/* Parsing: the same the other way round; what failed stays failed. What is given back lies in the
 * slice that is parsed. */
struct key_parser {
    struct slice left;
    int failed;
};
struct key_parser key_parse(struct slice found, const char *tag);
const unsigned char *key_take(struct key_parser *in, size_t size);
uint64_t key_take_number(struct key_parser *in, size_t size);
/* The next bytes as a text of at most maximum of them. */
struct slice key_take_text(struct key_parser *in, size_t size, size_t maximum);
struct slice key_take_rest(struct key_parser *in, size_t maximum);
struct slice key_take_short(struct key_parser *in, size_t maximum);
/* 0 if all was there and nothing is left over; else ERR_CORRUPT, naming the database. */
int key_end(const struct key_parser *in, const char *database);
/* With a closing NUL, for which there must be room. */
void key_copy_text(char *out, struct slice text);

#endif
