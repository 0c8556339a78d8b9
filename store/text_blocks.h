/* Many short texts that live and go together: copied one behind the other into blocks, which grow
 * with what is in them. A text stays where it is. For texts that are no secrets: nothing is wiped.
 */
#ifndef EMSA_STORE_TEXT_BLOCKS_H
#define EMSA_STORE_TEXT_BLOCKS_H

#include <stddef.h>

struct text_block;

struct text_blocks { /* zeroed: empty */
    struct text_block *last;
};

/* A copy of size bytes with a closing NUL, which lives until the release. NULL: no memory; the
 * caller says for what. */
const char *text_blocks_copy(struct text_blocks *blocks, const void *data, size_t size);

/* The same of a text that often is the one before (NULL: none): that serves again. */
const char *text_blocks_again(struct text_blocks *blocks, const char *before, const char *text);

/* Frees all of them. */
void text_blocks_release(struct text_blocks *blocks);

#endif
