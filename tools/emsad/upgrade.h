/*
 * Another binary in this one's place, without a reader's error. The new server is started first and
 * says HELLO; then the old one finishes its calls, answering readers all the while, and is reaped;
 * then the new one opens the store. If it does not say HELLO, does not get ready, or fails in its
 * first five seconds, the binary from before is started again and the upgrade has failed. After
 * five good seconds the supervisor puts the new binary in its own place (same process) and follows
 * itself, as it would a dead one (takeover.h): so both ends of each channel are always one program.
 *
 * Which file that is nobody says but the supervisor itself: the path that it was started by.
 */
#ifndef EMSA_TOOLS_EMSAD_UPGRADE_H
#define EMSA_TOOLS_EMSAD_UPGRADE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "tools/emsad/child.h"

/* What a supervisor that follows itself finds in its environment: its own pid, and after a
 * colon the path that it was started by. */
#define UPGRADE_FOLLOWS "EMSAD_FOLLOWS"

struct supervisor;

enum upgrade_stage {
    UPGRADE_NONE,
    UPGRADE_BEGUN,   /* the new server was started, and is to say HELLO */
    UPGRADE_HANDING, /* the old one is to end */
    UPGRADE_TRIAL    /* the new one serves, or is about to */
};

struct upgrade {
    enum upgrade_stage stage;
    int binary;        /* the new one; -1 */
    struct child next; /* of BEGUN and HANDING */
    int64_t deadline;  /* of the stage; -1: none */
    bool has_served;   /* in TRIAL; the next server of it, if that one was killed, is no news */
    bool is_awaited;   /* it was killed as the trial ended, and the next is still to be ready */
    char path[PATH_MAX];
};

/* Finds this program's path. */
void upgrade_init(struct upgrade *);

/* Begins one, unless one has begun; during a trial the binary to go back to stays the last good
 * one. */
void upgrade_begin(struct supervisor *);

/* The new server has said something, or the next moment has come. */
void upgrade_listen(struct supervisor *);
void upgrade_look(struct supervisor *);

/* A process was reaped. True: it was the new server, which had not served yet. */
bool upgrade_reaped(struct supervisor *, pid_t pid, int wait_status);

/* The server was reaped, of which child_ended was told. True: the new one takes its place, and is
 * to be set up. */
bool upgrade_replaces(struct supervisor *, bool has_failed);

/* The new server answers. */
void upgrade_ready(struct supervisor *, uint64_t pause);

/* Whether a server on trial is running: its failure is the upgrade's. */
bool upgrade_on_trial(const struct supervisor *);

/* The binary that a server is started from. */
int upgrade_binary(const struct supervisor *);

#endif
