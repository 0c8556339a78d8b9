/* The one place where a failure of ours becomes an errno for the reader. */
#ifndef EMSA_FS_ERRNO_H
#define EMSA_FS_ERRNO_H

/* error: negative, as store/error.h has it. Returns a positive errno. */
int errno_from_error(int error);

#endif
