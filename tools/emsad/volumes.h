/*
 * Where volumes stand: the one folder in which the supervisor mounts what a server asks for. All of
 * it is looked at by descriptors, over no link, and a name is one part of a path, which is checked
 * here and not believed.
 */
#ifndef EMSA_TOOLS_EMSAD_VOLUMES_H
#define EMSA_TOOLS_EMSAD_VOLUMES_H

#include "tools/emsad/supervision.h"

/* A server asks for a volume: the answer, and where a new view was made for it (else *out is NULL)
 * that view, which it and the notifier have not been told of yet. Never fails: the answer does. */
void volumes_mount(struct supervisor *, const struct channel_message *asked,
                   struct channel_message *answer, struct view **out);

/* A server has no such volume any more. Lazily: who still has it mounted elsewhere keeps it. */
void volumes_unmount(struct supervisor *, const struct channel_message *asked,
                     struct channel_message *answer);

/* At the end: no volume stands in its place any more. Asks no server; what fails is logged. */
void volumes_unmount_all(struct supervisor *);

#endif
