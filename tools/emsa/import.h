/* Importing, in its two forms. */
#ifndef EMSA_TOOLS_EMSA_IMPORT_H
#define EMSA_TOOLS_EMSA_IMPORT_H

#include "tools/emsa/session.h"

/* import --tree FILE: JSON lines of paths and values, as a sequence of commits. */
int load_tree(struct session *session, const char *file);

/* import --format compose|kubernetes FILE ENV: a whole environment in one commit. */
int import_environment(struct session *session);

#endif
