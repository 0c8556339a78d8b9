/*
 * YAML as a tree that knows its places, read by libyaml into locked memory: any scalar of a compose
 * file or a manifest may be a secret.
 *
 * Aliases stand for the node they name, "<<" is merged into its mapping (what the mapping says
 * itself comes first, then the earlier of several), and a key that stands twice is refused. How
 * deep and how large a tree may be, with every alias counted as what it stands for, is bounded.
 */
#ifndef EMSA_TOOLS_EMSA_YAML_H
#define EMSA_TOOLS_EMSA_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "store/secret.h"
#include "store/text_blocks.h"

#define YAML_DEPTH_MAX 64
#define YAML_NODES_MAX 2000000u /* aliases counted as what they stand for */

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_node;
struct faults;

struct yaml_pair {
    const struct yaml_node *key; /* a scalar */
    const struct yaml_node *value;
};

struct yaml_node {   /* a manifest has half a million */
    const char *tag; /* as it is written out ("!reset", "tag:yaml.org,2002:str"); "" for none */
    size_t offset;   /* a scalar's bytes, in the tree's text */
    size_t size;
    union {
        const struct yaml_node **items; /* of a list */
        struct yaml_pair *pairs;        /* of a map, merged */
    };
    unsigned count;
    unsigned line, column; /* from 1 on; columns count characters */
    unsigned weight;
    enum yaml_kind kind;
    bool plain; /* a scalar without quotes: it may stand for a number, null, ... */
    bool open;  /* while it is read */
};

struct yaml_tree {
    struct secret text;
    struct yaml_node **nodes; /* all of them, in runs that never move, owned */
    size_t node_count;
    struct text_blocks tags;
    const struct yaml_node **documents;
    size_t document_count;
    const char *file; /* for messages; the caller's */
    /* Where set, keys that stand twice are told there and reading goes on (the first one holds),
     * and what is no YAML is told as "FILE:LINE:COLUMN: ...". */
    struct faults *faults;
};

/* Reads a whole file's text. Empty documents are left out. ERR_INVALID: "FILE, line N: ..." for the
 * first thing that is no YAML, is too much, or stands twice; ERR_NOMEM. tree->file (and faults) are
 * set before; yaml_release in any case. */
int yaml_read(struct yaml_tree *tree, const char *text, size_t size);
void yaml_release(struct yaml_tree *tree);

/* A scalar's bytes, and a NUL behind them. */
const char *yaml_text(const struct yaml_tree *tree, const struct yaml_node *node);
bool yaml_is(const struct yaml_tree *tree, const struct yaml_node *node, const char *text);

/* What a map has for a key; NULL where map is NULL, is no map, or has no such key. */
const struct yaml_node *yaml_get(const struct yaml_tree *tree, const struct yaml_node *map,
                                 const char *key);

/* "FILE, line N: " and the text, as ERR_INVALID. */
int yaml_fail(const struct yaml_tree *tree, unsigned line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* How many bytes that libyaml gave back were wiped in this thread: 0 would say that it does not use
 * our allocator. For tests. */
size_t yaml_memory_wiped(void);

#endif
