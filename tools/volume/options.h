/* What -o OPTION=VALUE says of a volume: docker's and podman's Opts, as the server's VolumeOptions.
 */
#ifndef EMSA_TOOLS_VOLUME_OPTIONS_H
#define EMSA_TOOLS_VOLUME_OPTIONS_H

#include <jansson.h>

/*
 * Reads opts (an object of texts; NULL or null: there are none) into *out, the caller's: path, and
 * of layout, uid, gid, mode, at, history, idmap those that were given. "nocopy" and "timeout" are
 * for the runtime and say nothing here. ERR_INVALID: an option that there is not (the text lists
 * those there are), a value that is none, a volume without environment or service; ERR_NOMEM.
 */
int options_read(json_t **out, json_t *opts);

#endif
