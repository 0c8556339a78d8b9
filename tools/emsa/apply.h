/* Making true what a file of definitions says: one commit, or none. */
#ifndef EMSA_TOOLS_EMSA_APPLY_H
#define EMSA_TOOLS_EMSA_APPLY_H

#include "tools/emsa/session.h"
#include "tools/emsa/sheet.h"

struct apply_terms {
    bool prune, unshare; /* as struct difference_terms has them */
    bool has_rev;        /* refused where anything that the sheet names was changed after rev */
    uint64_t rev;
    const char *again; /* what to do after a conflict; NULL: write the file anew */
};

/* Compares, commits, and prints what was done; with --dry-run only what would be. ERR_CONFLICT:
 * says what was changed since, by whom; ERR_REFUSED with faults: what the sheet says cannot be made
 * true, at its places, which the caller tells; and what a change fails with. */
int apply_sheet(struct session *session, const struct sheet *sheet, struct faults *faults,
                const struct apply_terms *terms);

#endif
