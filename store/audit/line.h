/* A line of the record: written, and taken apart (store/AUDIT.md). */
#ifndef EMSA_STORE_AUDIT_LINE_H
#define EMSA_STORE_AUDIT_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/audit_record.h"
#include "store/crypto/evolving.h"

#define HEX_HASH 64 /* digits of a hash */

struct line { /* in the making; what does not fit is marked, and the line is not used */
    char text[AUDIT_LINE_MAX];
    size_t size;
    bool is_cut;
};

void line_number(struct line *, const char *name, uint64_t value);
void line_text(struct line *, const char *name, const char *value); /* encoded */
void line_hex(struct line *, const char *name, const uint8_t *bytes, size_t size);
void line_time(struct line *, const char *name, int64_t nanoseconds);
void line_event(struct line *, const struct audit_event *event, const struct audit_facts *facts);

/* Computes the chain value of a line (without " chain=...") behind another one, in its place. */
void chain_on(uint8_t chain[static BLAKE_SIZE], const char *text, size_t size);

/* Closes a line: chain, MAC, newline. chain becomes the line's own. */
void line_close(struct line *, uint8_t chain[static BLAKE_SIZE], const struct evolving *key);

struct parsed_line {
    uint64_t number;
    size_t text_size; /* up to " chain=" */
    uint8_t chain[BLAKE_SIZE], mac[BLAKE_SIZE];
};
/* False: it is none. */
bool line_parse(struct parsed_line *out, const char *line, size_t size);

/* Exactly size bytes out of 2 size hex digits. */
bool hex_read(uint8_t *out, size_t size, const char *text);
void hex_write(char *out, const uint8_t *bytes, size_t size); /* and a NUL */

/* The X25519 key out of a public text. */
bool public_read(uint8_t out[static EVOLVING_SIZE], const char *text);

#endif
