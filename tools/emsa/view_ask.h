/* Asking the server for a view: for mount and attach, which put it where it is to be. */
#ifndef EMSA_TOOLS_EMSA_VIEW_ASK_H
#define EMSA_TOOLS_EMSA_VIEW_ASK_H

#include "tools/emsa/session.h"

/* The parameters of Mount for a path ("": everything), with what the options of this run say;
 * owned. directory: where it is to be mounted in this namespace, or NULL. NULL: not UTF-8. */
json_t *view_parameters(const struct session *session, const char *path, const char *directory);

/* Asks for it, of a server that is started where none runs. The answer has a mount. parameters are
 * taken over, also on failure, and may be NULL. */
int view_ask(struct session *session, json_t *parameters, struct answer *out);

/* Until the server has closed its own descriptor of the mount that it gave: while it is open, the
 * mount is in use, and could not be taken away again. */
int view_wait_free(struct session *session);

#endif
