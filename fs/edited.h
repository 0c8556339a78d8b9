/*
 * The server's half of what the notifier does to a view by itself, so that watchers hear of it: it
 * makes and removes names and touches files as an editor would, on a mount of its own. All that has
 * happened in the store before; what is answered here changes nothing but how far the names of the
 * view are in step, and is answered so to a thread of the roster alone. Everybody else is refused,
 * however the tree is mounted.
 */
#ifndef EMSA_FS_EDITED_H
#define EMSA_FS_EDITED_H

#include "fs/server.h"

/* The names of the view whose request this is, and whether the store is ahead of them: only then
 * need anybody ask further. Within a snapshot. */
bool edited_step(struct worker *worker, struct step *out);

/* The notifier looks for what it is about to remove, or for the way to it, which the store has no
 * more. Fills out and returns true if it is that. Within a snapshot. */
bool edited_lookup(struct worker *worker, fuse_req_t request, struct fuse_entry_param *out,
                   fuse_ino_t parent, const struct step *step);

/* The same for the attributes of what stands on that way. */
bool edited_getattr(struct worker *worker, fuse_req_t request, struct stat *out, fuse_ino_t node);

/* Whether the notifier asks, on behalf of this view. */
bool edited_by_notifier(struct worker *worker, fuse_req_t request);

/* Rows of the table. */
void edited_mknod(fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode,
                  dev_t device);
void edited_mkdir(fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode);
void edited_unlink(fuse_req_t request, fuse_ino_t parent, const char *name);
void edited_rmdir(fuse_req_t request, fuse_ino_t parent, const char *name);
void edited_setattr(fuse_req_t request, fuse_ino_t node, struct stat *attr, int which,
                    struct fuse_file_info *info);

/* OPEN for writing: true if it was answered. */
bool edited_open(fuse_req_t request, struct fuse_file_info *info);

#endif
