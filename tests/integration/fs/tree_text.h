/* A tree as lines of text: written from the naive model, and read from a mount. */
#ifndef EMSA_TESTS_FS_TREE_TEXT_H
#define EMSA_TESTS_FS_TREE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/support/store/naive.h"

#define TREE_TEXT_MAX (256u * 1024)

/*
 * One line for each directory and file: its path, what stat, its extended attributes and its bytes
 * tell, and behind a tab what it is for ever: whoever is the same has the same inode number.
 */
struct tree_text {
    size_t size;
    bool is_partial; /* there is something that can't be read: it is not compared */
    char lines[TREE_TEXT_MAX];
};

/* What a mount of this state must show. times: of revisions, by number. */
void tree_text_of(struct tree_text *out, const struct naive *state, const int64_t times[]);

struct tree_inodes { /* what was seen so far: who has which number */
    size_t count, capacity;
    struct tree_inode {
        uint64_t who; /* a hash of it */
        uint64_t number;
    } * rows;
};

/* Reads all below the folder and compares it with these lines, which are all of it in their order;
 * false: something differs, which is said on stderr. */
bool tree_text_is(const struct tree_text *text, const char *folder, struct tree_inodes *inodes);

#endif
