/* Memory that outlives a server: which cached pages of secrets are still to be swept, and the revision that
 * the kernels were told of. The supervisor makes it and hands the same to each server it starts; it holds
 * no value and no key. */
#ifndef EMSA_FS_STATE_H
#define EMSA_FS_STATE_H

/* A sealed-size memfd, zeroed; the caller closes it. ERR_IO, ERR_NOMEM. */
int state_create(int *fd);

#endif
