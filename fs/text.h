/*
 * The texts of `.emsa`: rev, env and json (fs/hidden.h), each as of the revision of its node.
 *
 * A text is made for each piece that is read, from its beginning, and only the piece is kept, in
 * locked memory, until it is sent: most are one piece. So nothing is held between two requests, and
 * whichever server is asked for the next piece makes the same text. What a thread remembers is how
 * long a text was, which never changes.
 *
 * A text is made of at most RENDER_KEYS_MAX keys and RENDER_TEXT_MAX bytes, so that no request
 * takes long: larger ones show size 0 and can't be opened (EFBIG).
 */
#ifndef EMSA_FS_TEXT_H
#define EMSA_FS_TEXT_H

#include "fs/server.h"

/* Fills in the size of a text, exact: 0 where it can't be opened (masked, no key, too large).
 * Between snapshot_begin and snapshot_end. 0 or a failure. */
int text_attr(struct worker *worker, struct stat *st, const struct place *place);

/* OPEN and READ. */
void text_open(fuse_req_t request, fuse_ino_t id, const struct node *node,
               struct fuse_file_info *info);
void text_read(fuse_req_t request, fuse_ino_t id, const struct node *node, size_t size,
               size_t offset, const struct fuse_file_info *info);

#endif
