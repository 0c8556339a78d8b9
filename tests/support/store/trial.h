/* What every test of the whole store needs. A store may be opened by one process only, and never
 * before a fork: so most of these tests open it in children, where cmocka's assertions are of no
 * use. */
#ifndef EMSA_TESTS_TRIAL_H
#define EMSA_TESTS_TRIAL_H

#include <stdbool.h>
#include <stddef.h>

/* Prints where, what did not hold (NULL: nothing to say) and why, with the thread's last error
 * text, and ends the process with status 1. */
_Noreturn void trial_failed(const char *file, int line, const char *condition, const char *format,
                            ...) __attribute__((format(printf, 4, 5)));

/* condition, and what to print where it does not hold, as for printf */
#define MUST(condition, ...)                                                                       \
    ((condition) ? (void)0 : trial_failed(__FILE__, __LINE__, #condition, __VA_ARGS__))

/* For a call that must return 0. */
#define MUST_DO(call)                                                                              \
    do {                                                                                           \
        int must_result = (call);                                                                  \
        if (must_result != 0)                                                                      \
            trial_failed(__FILE__, __LINE__, #call, "gave %d", must_result);                       \
    } while (0)

/* count divided by $EMSA_TEST_SCALE (1 where it is not set), at least 1. */
unsigned trial_scaled(unsigned count);

/* A new empty folder, removed with all that is in it when this process exits. The text lives as
 * long. */
const char *trial_folder(void);

/* folder/name into out (which has room for TRIAL_PATH_MAX); returns out. */
#define TRIAL_PATH_MAX 512
const char *trial_path(char out[static TRIAL_PATH_MAX], const char *folder, const char *name);

/* Removes a file or a folder with everything in it; nothing there is fine. */
void trial_remove(const char *path);

/* Copies the regular files of a folder into a new folder, which replaces what stood there. */
void trial_copy_folder(const char *to, const char *from);

/* Runs body in a child, which exits with what body returns. After seconds it is killed by SIGALRM,
 * so that a hang is an end like others. Returns the status of waitpid. */
int trial_child(int (*body)(void *arg), void *arg, unsigned seconds);

/* The same for a child that must return 0. */
void trial_child_well(int (*body)(void *arg), void *arg, unsigned seconds);

/* Describes a status of waitpid; valid until the next call. */
const char *trial_end(int status);

#endif
