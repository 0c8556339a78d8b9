/* The exit statuses of emsa and emsad: stable, and in the manual. The one table from errors to
 * statuses. */
#ifndef EMSA_TOOLS_COMMON_EXIT_STATUS_H
#define EMSA_TOOLS_COMMON_EXIT_STATUS_H

enum exit_status {
    EXIT_STATUS_DONE = 0,
    EXIT_STATUS_FAILED = 1,
    EXIT_STATUS_WRONG_USE = 2,
    EXIT_STATUS_NOT_FOUND = 3,
    EXIT_STATUS_REFUSED = 4,
    EXIT_STATUS_CONFLICT = 5,
    EXIT_STATUS_CORRUPT = 6
};

/* For a failure, of either sign (store/error.h); 0 is done. */
enum exit_status exit_status(int error);

#endif
