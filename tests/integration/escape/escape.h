/*
 * What somebody tries who is root in a container, and wants out of his view or at another's.
 *
 *   escape TALK VIEW          obeys the lines of TALK/ask, one at a time; answers in TALK/told
 *   escape watch TALK VIEW    another consumer, who only wants his values (escape/watch.c)
 *
 * Each attempt answers with rows "attempt<TAB>what came back". A row that begins with '!' is a hole
 * for sure: something was written, a name was told apart from one that is not there. Whatever came
 * back, bytes and names, is also kept in TALK/loot, where the script that drives this looks for the
 * names and values of others. All of an answer ends with a line of one dot.
 */
#ifndef EMSA_ESCAPE_H
#define EMSA_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

extern const char *talk;    /* the folder that is shared with the script */
extern const char *view;    /* where the view is mounted */
extern char service[256];   /* the directory in it that has files */
extern char key[300];       /* one of them */
extern unsigned long limit; /* how many ids are guessed */

/* Keeps what came back. */
void loot(const void *bytes, size_t size);
void loot_text(const char *text);
/* All of a file, at most 64 KiB of it, and of a directory's names; true: something came. */
bool loot_file(int directory, const char *path);
bool loot_names(int directory, const char *path);
bool loot_link(const char *path);

/* Rows of the answer. */
void row(const char *attempt, const char *format, ...) __attribute__((format(printf, 2, 3)));
void hole(const char *attempt, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A row of a call that must fail: result < 0 and errno say how it did; what succeeds is a hole. */
void must_fail(const char *attempt, long result);
/* A row of a call that may do either. */
void may_do(const char *attempt, long result);

/* The name of an error, "0" of none. */
const char *error_name(int error);

/* How often each error came back. */
struct tally {
    unsigned long of[256];
};
void tally_add(struct tally *tally, long result);
void tally_row(const char *attempt, const struct tally *tally);

/* Calls a function with each line of a file in TALK. */
void each_line(const char *name, void (*take)(void *context, char *line), void *context);

/* Runs what may not come back in a process of its own, at most PATIENCE long. -1: it had to be
 * ended.
 */
int in_child(void (*function)(void));

/* The attempts, by room. */
void try_paths(void);
void try_names(void);
void try_handles(void);
void try_offsets(void);
void try_mounts(void);
void try_writable(const char *how); /* what a mount of ours that is writable lets write */
void try_writes(void);
void try_files(void);
void try_host(void);

/* What the view looks like, all of it, into TALK/NAME: equal as long as nothing of its own changed.
 */
void look(const char *name);

/* Watching everything that can be watched; what was heard since, a row each. */
void watch_arm(void);
void watch_heard(void);

/* Load that goes on until it is ended, and what hurts the own view. */
void load_begin(const char *what);
void load_end(void);
void harm(const char *what);

/* The other consumer. Returns when it is told to end. */
int watch_main(void);

#endif
