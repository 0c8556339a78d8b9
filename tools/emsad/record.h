/*
 * Where views are mounted, written down beside the control socket, so that after the death of
 * supervisor and server the next start can take the dead mounts away and mount again in their
 * place. Only a hint: what it names is touched only where that very mount stands, dead. The number
 * of its superblock says so: where a view is mounted is what its caller says, who may name a
 * directory of somebody else's store.
 *
 * The folder may belong to another user: a file is believed only if it is this user's own, and
 * nobody else can make such a one. Nor is the folder's path followed over a link, which whoever
 * owns a folder above could put there to have a file of that name written, or removed, elsewhere.
 */
#ifndef EMSA_TOOLS_EMSAD_RECORD_H
#define EMSA_TOOLS_EMSAD_RECORD_H

#include "tools/common/place.h"
#include "tools/emsad/views.h"

/* Writes what there is, in place of what was written before; without views that are mounted
 * somewhere, removes it. A failure is only logged: it costs what a crash would find. */
void record_write(const struct place_of_store *place, const struct views *views);

struct recorded {
    struct view_options options;
    unsigned number; /* as in struct mount */
    uint8_t is_ours, is_volume;
    char directory[PATH_MAX];
};

/* Calls for each entry, until one fails. A missing, foreign or damaged record has none. */
int record_read(const struct place_of_store *place, int (*each)(void *arg, const struct recorded *),
                void *arg);

#endif
