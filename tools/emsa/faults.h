/*
 * What is wrong in files that people write, all of it at once: each fault with its
 * FILE:LINE:COLUMN, as compilers tell it, so that editors find the place.
 */
#ifndef EMSA_TOOLS_EMSA_FAULTS_H
#define EMSA_TOOLS_EMSA_FAULTS_H

#include <stddef.h>

#include "store/bytes.h"
#include "store/error.h"

struct yaml_tree;
struct yaml_node;
struct fault;

struct faults { /* zeros: none */
    struct fault *list;
    size_t count, room;
    int error; /* a fault that could not be kept: -ERR_NOMEM */
};

/* A fault at a place of a tree. The text says what was expected; no byte of a value may be in it.
 */
void faults_add(struct faults *, const struct yaml_tree *tree, const struct yaml_node *at,
                const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The same, told by this thread's error text as it is ("FILE:LINE:COLUMN: ..."): what ended a
 * file's reading. */
void faults_add_failure(struct faults *);

/* Prints them to stderr, a line each, the files in the order in which they were read, and in each
 * by place. 0: there are none; ERR_INVALID: there are, with how many; ERR_NOMEM. Empties. */
int faults_tell(struct faults *);
void faults_release(struct faults *);

/* The same with a failure of another code. */
int faults_tell_as(struct faults *, enum error_code code);

/* The lines that faults_tell prints, each behind a prefix, appended to out; they stay. */
void faults_write(struct faults *, struct bytes *out, const char *prefix);

/* Which of the words (a list that ends with NULL) text is likely to be meant as; NULL: none. */
const char *faults_nearest(const char *const words[], const char *text);

#define FAULTS_CLEANUP __attribute__((cleanup(faults_release)))

#endif
