/* The server's side of the channel to the supervisor: what its threads ask of it. Any thread. */
#ifndef EMSA_TOOLS_EMSAD_LINK_H
#define EMSA_TOOLS_EMSAD_LINK_H

#include <sys/types.h>

#include "tools/emsad/channel.h"

struct link;

/* The channel stays the caller's and open as long as the link. ERR_NOMEM. */
int link_new(struct link **out, int channel);
void link_free(struct link *link); /* link_close first, and no thread in it; NULL is allowed */

/* Says one thing of a kind, with the view that it is of (or 0). A failure means that the supervisor
 * is gone, which the main loop sees for itself; END ends the server then. */
void link_tell(struct link *link, enum channel_kind kind, uint32_t view);

/* The same with a descriptor, which stays the caller's. */
void link_give(struct link *link, enum channel_kind kind, int fd);

/* Answers ASK: the server is there, and runs so many calls. */
void link_answer(struct link *link, uint32_t calls);

/* Says that the server cannot begin, and why. */
void link_fail(struct link *link, int error, const char *text);

/* Has the supervisor make a superblock; waits for it. directory is where the caller will attach it,
 * as far as it says (NULL). *view is its id, *mount_fd a detached mount, the caller's.
 * What mount_make gives; ERR_BUSY: the daemon is ending; ERR_IO: no answer in time. */
int link_mount(struct link *link, const struct view_options *options, const char *directory,
               uint32_t *view, int *mount_fd);

/* Has a volume of that name stand in the supervisor's folder of volumes; waits for it. The same
 * failures, and what stands in the way there. */
int link_volume(struct link *link, const struct view_options *options, const char *name);

/* Has it stand there no more. */
int link_volume_end(struct link *link, const char *name);

/* Has the supervisor open the system's list of users, or of groups (enum people_file), as it is
 * now; *fd is the caller's. ERR_NOT_FOUND: there is none; else as above. */
int link_people(struct link *link, unsigned which, int *fd);

/* Both for volumes, of a server that begins and does not wait: the answers come with the request 0.
 */
void link_volume_begin(struct link *link, const struct view_options *options, const char *name);
void link_volume_drop(struct link *link, const char *name);

/* For the main loop: MOUNTED has come; takes the descriptor. Whoever waits for it goes on when the
 * view is adopted. */
void link_mounted(struct link *link, const struct channel_message *message, int *mount_fd);

/* For the main loop: the view is served, or cannot be (error, with this thread's text). */
void link_adopted(struct link *link, uint32_t view, int error);

/* The supervisor's pid (whoever made the channel), or 0 when it is gone, or does not hold all yet:
 * were the server to die then, its mounts would. */
pid_t link_supervisor(const struct link *link);

/*
 * A supervisor that died, and the one that follows. For the main loop: link_lost, and then
 * link_wait_heir until somebody brings the channel to the next (the caller's), or -1 when the
 * server is to end; link_found when the next was sent all that it needs, and link_followed when it
 * says that it has it. Meanwhile what asks for a supervisor is given ERR_BUSY.
 */
void link_lost(struct link *link);
int link_wait_heir(struct link *link);
void link_found(struct link *link);
void link_followed(struct link *link);

/* From a caller: brings a channel to a next supervisor, which is taken over on success. ERR_BUSY:
 * there is one. */
int link_take_over(struct link *link, int channel);

/* Nobody is to wait any more: what waits and what comes is given ERR_BUSY. */
void link_close(struct link *link);

#endif
