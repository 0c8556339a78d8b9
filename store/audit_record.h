/*
 * The audit record: what happened, line by line, in files that are only appended to
 * (store/AUDIT.md is the format). Each line is chained to the one before and authenticated with a
 * key that evolves and forgets; the first key is sealed to an auditor, who alone can check all of
 * it.
 *
 * One process writes at a time; a lock says which. Lines go to the kernel as they come; to the disk
 * when audit_record_sync says, and only then the key on disk moves on: so after a crash it is that
 * of a line that is there, and whoever writes next walks from it to the end.
 */
#ifndef EMSA_STORE_AUDIT_RECORD_H
#define EMSA_STORE_AUDIT_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/audit.h"
#include "store/identity.h"

#define AUDIT_FOLDER "audit"
#define AUDIT_SEGMENT_BYTES (16u * 1024u * 1024u) /* a file of it; then the next one begins */
#define AUDIT_LINE_MAX 4096u

struct audit_record;

/* What a line says beside its event: facts of a process, as far as somebody could still look. */
struct audit_facts {
    const char *program; /* its executable, or its name; NULL: none was looked for */
    const char *cgroup;
    const char *container; /* its id, as the cgroup has it */
    const char *path;      /* in place of the ids, where the event has no text; NULL: none */
};

/*
 * Opens the record in the folder of a store for writing, and begins one (its first line) where
 * there is none: for the auditor whose public text (identity_public) is given. Positive 1: there is
 * none, and auditor is NULL. ERR_BUSY: another process writes; ERR_INVALID: no public text;
 * ERR_CORRUPT: its key is damaged or gone; ERR_FULL, ERR_DENIED, ERR_IO.
 */
int audit_record_open(struct audit_record **out, const char *store, const char *auditor);
void audit_record_close(struct audit_record *); /* syncs; NULL is allowed */

/* Appends one line; of AUDIT_AUDITOR the key is a new one from there on. What cannot be written
 * whole is not there at all. ERR_FULL, ERR_IO; ERR_INVALID: an auditor that is none. */
int audit_record_append(struct audit_record *, const struct audit_event *event,
                        const struct audit_facts *facts);

/* The line that was appended last, without its newline; *size 0: that failed. Until the next. */
const char *audit_record_last(const struct audit_record *, size_t *size);

/* Has all lines on disk, and forgets their keys there too. Waits for the disk. ERR_IO. */
int audit_record_sync(struct audit_record *);
bool audit_record_is_synced(const struct audit_record *);

/* The same as audit_record_open, and where another process writes waits for its end, two seconds at
 * most. */
int audit_record_wait(struct audit_record **out, const char *store, const char *auditor);

/* Reading. Calls for each line of each file in order, without its end; what tells something else
 * than 0 ends it. ERR_NOT_FOUND: there is no record. */
int audit_record_read(const char *store, int (*each)(void *arg, const char *line, size_t size),
                      void *arg);

/* The value of a field of a line, decoded, cut to fit; false: it has none. */
bool audit_line_field(const char *line, size_t size, const char *name, char *out, size_t room);

struct audit_verdict {
    uint64_t first, last; /* numbers of the lines that are there; 0: none */
    uint64_t checked;     /* of them, by their keys */
    uint64_t faults;
    uint64_t lost;                   /* events that a line says were lost */
    uint64_t rev;                    /* the last revision that a line names */
    char last_time[40];              /* of the last good line */
    char chain[65];                  /* its chain value, for --head of the next time */
    char auditor[IDENTITY_TEXT_MAX]; /* who could check the last line */
    bool is_whole; /* the present key was looked at, and is that of the end: nothing was cut off */
};

/* Something that a pinned verdict from before said: line number and chain value. number 0: none. */
struct audit_head {
    uint64_t number;
    char chain[65];
};

/*
 * Checks all of it: numbers, chain, and with the auditor's identity (else NULL) every line's MAC.
 * fault is told what is wrong, a line for people each time, of the first hundred. ERR_NOT_FOUND: no
 * record; ERR_NO_KEY: it is not sealed for that identity; ERR_IO.
 */
int audit_record_check(const char *store, const struct identity *identity,
                       const struct audit_head *head, struct audit_verdict *out,
                       void (*fault)(void *arg, const char *text), void *arg);

#endif
