/* Views and volumes, as the dispatcher asks for them: what it wishes as options of a view, and the
 * supervisor does it. */
#ifndef EMSA_TOOLS_EMSAD_HOSTED_H
#define EMSA_TOOLS_EMSAD_HOSTED_H

#include "tools/emsad/host.h"
#include "tools/service/wish.h"

/* Hooks of the dispatcher (struct service_host); arg is the host. */
int hosted_mount(void *arg, const struct view_wish *wish, struct view_made *out);
int hosted_views(void *arg, json_t *list);
int hosted_view_move(void *arg, uint32_t view, uint64_t rev);
int hosted_volume_mount(void *arg, const char *name, const struct view_wish *wish);
int hosted_volume_unmount(void *arg, const char *name);

/*
 * The volumes of a server that begins: those that stand from before and are none any more go, and
 * those that do not stand come, one after the other. For the main loop: from START on, and after
 * each answer (to what it asked; others are not the beginning's). 1: one was asked for, whose
 * answer is waited for; 0: there are no more. What fails is logged.
 */
struct volume_beginning { /* zeroed: nothing was asked for yet */
    size_t next;          /* of the volumes that are to stand */
};
int hosted_begin(struct volume_beginning *beginning, struct host *host,
                 struct dispatcher *dispatcher);

#endif
