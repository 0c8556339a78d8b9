/* What it takes to make true what a sheet says: its definitions compared with those that there are,
 * as the operations of one Set. */
#ifndef EMSA_TOOLS_EMSA_DIFFERENCE_H
#define EMSA_TOOLS_EMSA_DIFFERENCE_H

#include "tools/emsa/defined.h"
#include "tools/emsa/sheet.h"

struct difference_terms {
    bool prune;   /* keys that the sheet does not name, where it names keys, are removed */
    bool unshare; /* so are shares that it does not name */
    bool
        is_unseen; /* what there is was not asked for: keys are set, and nothing is made for them */
    int64_t now;   /* from which a time to live is counted */
};

struct difference {
    json_t *operations;   /* owned */
    struct piece *pieces; /* owned; their bytes are the sheet's */
    size_t piece_count;
    struct difference_key {               /* a key that is set or removed */
        char *path;                       /* owned */
        const struct defined_key *before; /* NULL: it is new */
        const struct sheet_key *after;    /* NULL: it is removed */
    } * keys;
    size_t key_count, key_room;
    size_t same; /* definitions, shares and places that are there already */
};

/* What cannot be made true (a secret that is to stay where there is none, an environment that is
 * another) goes to faults. ERR_NOMEM. difference_release in any case. */
int difference_make(struct difference *difference, struct faults *faults, const struct sheet *sheet,
                    const struct defined *defined, const struct difference_terms *terms);
void difference_release(struct difference *difference);

/* The key of that path among those that change; NULL: none. */
const struct difference_key *difference_find(const struct difference *difference, const char *path);

#endif
