/*
 * The environment that values make: "KEY=value" texts in memory that is locked where it may be,
 * left out of core dumps, and wiped. What cannot stand in an environment is remembered by name, so
 * that all of it is told at once.
 */
#ifndef EMSA_TOOLS_RUN_VARIABLES_H
#define EMSA_TOOLS_RUN_VARIABLES_H

#include <stdbool.h>
#include <stddef.h>

struct variables {
    char *text; /* the texts, each with its NUL, one after the other */
    size_t size;
    size_t count;
    size_t largest; /* where the longest text begins */
    size_t largest_size;
    char *faults; /* each of them a line; owned; NULL: none */
    size_t faults_size;
    size_t fault_count;
};

#define VARIABLES_INIT                                                                             \
    {                                                                                              \
        0                                                                                          \
    }

/* The most that all of it may come to: the kernel takes no more from anybody (exec, three quarters
 * of 8 MiB), and mostly less. */
#define VARIABLES_MAX ((size_t)6 << 20)

/* The longest "KEY=value" that the kernel takes, with its NUL. */
size_t variables_text_max(void);

/* Whether a key can be the name of a variable: letters, digits and '_', no digit first. */
bool variables_name_fits(const char *key);

/* Room for one more "KEY=value" of size bytes of value: where the value is to be written; NULL: it
 * does not fit, which is a fault by then. */
char *variables_room(struct variables *variables, const char *key, size_t size);

/* What was written there is taken: size bytes; a NUL in them is a fault. */
void variables_take(struct variables *variables, const char *key, size_t size);

/* Remembers that a key cannot be a variable. */
void variables_fault(struct variables *variables, const char *key, const char *why);

/* The environment: what is in inherited and not set anew, and the values. The texts stay where they
 * are, the list is the caller's to free. NULL: no memory. */
char **variables_environment(const struct variables *variables, char **inherited);

/* Forgets all of it, for another reading. */
void variables_clear(struct variables *variables);
/* Wipes and frees. */
void variables_release(struct variables *variables);

#endif
