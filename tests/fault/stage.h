/* The store that faults are tried on: made once, copied for every run; the commit under test; and
 * what must hold after it, done or not. */
#ifndef EMSA_TESTS_STAGE_H
#define EMSA_TESTS_STAGE_H

#include "tests/fault/inject.h"
#include "tests/support/store/sample.h"
#include "tests/support/store/trial.h"

struct stage {
    char base[TRIAL_PATH_MAX];
    char run[TRIAL_PATH_MAX]; /* the copy */
};

/* A run: one fault, and what it is tried on. */
struct fault {
    enum inject_family family;
    enum inject_how how;
    bool onwards;
    unsigned at;
    const struct stage *stage;
};

/* How a run's child ends when all is well: a call failed, or there was none to fail any more. */
#define RUN_STRUCK 0
#define RUN_PASSED 10

/* Makes the base in a folder that is in memory where that can be had. */
void stage_init(struct stage *stage);

/* The state before the commit under test, and after it. */
enum stage_standing { STAGE_BEFORE, STAGE_AFTER };
#define STAGE_REVISION_BEFORE 4u
#define STAGE_REQUEST 77u

/* Makes the commit under test: its result as change_commit's. */
int stage_commit(struct store *store, struct change_result *result);

/* Where the store stands; a mixture, a lost value or a wrong one ends the test. */
enum stage_standing stage_look(struct store *store);
enum stage_standing stage_look_in(struct snapshot *snapshot);

/* Whether a failure is one that the fault may lead to. */
bool stage_is_fair(const struct fault *fault, int error);

/* Runs body in a child for a fault at 1, 2, 3 …, each on a fresh copy of the base, until one
 * passes; prints how many there were. After each, where it is given, look is run in another child.
 */
void stage_for_all(struct stage *stage, const char *what, struct fault fault,
                   int (*body)(void *fault), int (*look)(void *fault));

/* The same for a process killed before and after each of its system calls. */
void stage_for_kills(struct stage *stage, int (*body)(void *fault), int (*look)(void *fault));

#endif
