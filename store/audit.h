/*
 * What is audited: one event, as it travels from who does something (a server's thread, the command
 * in-process) to the audit record (store/audit_record.h). Names and numbers, never a value.
 */
#ifndef EMSA_STORE_AUDIT_H
#define EMSA_STORE_AUDIT_H

#include <stdint.h>
#include <sys/types.h>

#include "store/limits.h"

enum audit_kind {
    AUDIT_NONE,   /* nothing: the place of an event whose writer died */
    AUDIT_READ,   /* a consumer was given (a piece of) a secret's value */
    AUDIT_DENIED, /* a call was refused to somebody without the right */
    AUDIT_START,  /* a server began; text: the identity that is the auditor, where none was named */
    AUDIT_STOP,   /* it ended as it should */
    AUDIT_UNLOCK, /* it was given an identity; text: its public part */
    AUDIT_RIGHTS, /* a commit that gives or takes rights */
    AUDIT_COMMIT, /* any other commit; text: its hash: the record was complete up to there */
    AUDIT_AUDITOR, /* another auditor is named; text: the public part of that identity */
    AUDIT_LOST,    /* events that found no place: count of them */
    AUDIT_REBUILD, /* what is derived in the store was made anew; text: the hash of its head */
    AUDIT_KINDS
};

enum audit_door {
    AUDIT_DOOR_NONE,
    AUDIT_DOOR_OPEN, /* a file */
    AUDIT_DOOR_JSON, /* .emsa/json */
    AUDIT_DOOR_ENV,  /* .emsa/env */
    AUDIT_DOOR_CALL, /* a call, which method names: all that is below is one, too */
    /* Values by the verbs Get and Definitions; what for, is the caller's word. */
    AUDIT_DOOR_GET,
    AUDIT_DOOR_EXPORT,
    AUDIT_DOOR_EXEC,
    AUDIT_DOOR_EDIT,
    AUDIT_DOOR_CREDENTIAL, /* a unit's, that systemd asked for */
    /* No value, but something of it: whether it is equal to another, whether it is as a schema
     * says, what it looks like. */
    AUDIT_DOOR_DIFF,
    AUDIT_DOOR_CHECK,
    AUDIT_DOOR_INFER,
    AUDIT_DOOR_CHANGE, /* of a change, also one that is only tried */
    AUDIT_DOORS
};

#define AUDIT_METHOD_MAX 31 /* of a call's name */

struct audit_event {
    int64_t time; /* nanoseconds since 1970; 0: now */
    uint8_t kind;
    uint8_t door;
    uint16_t spare;
    uint32_t uid, gid; /* as the kernel said; -1: it does not know */
    int32_t pid;       /* 0: nobody's */
    uint32_t view;     /* 0: by no view */
    uint32_t environment, service;
    uint64_t name_id; /* where the path is not at hand (a server's reader): ids, which stay */
    uint64_t rev;     /* of what was read, or of the commit */
    uint64_t count;   /* how many this stands for; 0: one */
    int64_t since;    /* of several: time of the first; time is the last's */
    char method[AUDIT_METHOD_MAX + 1];     /* of AUDIT_DOOR_CALL and AUDIT_DENIED */
    char identity[PRINCIPAL_NAME_MAX + 1]; /* that the caller proved to hold; "": none */
    char text[PATH_TEXT_MAX];              /* the path, or what the kind says; "": none */
};

/* An event of nobody and nothing yet, without texts. Their room is left as it is: readers of files
 * are told of a thousand times a second, without any. */
void audit_event_begin(struct audit_event *, enum audit_kind kind, enum audit_door door);

/* Copies what it says, and none of the room behind its texts. */
void audit_event_copy(struct audit_event *to, const struct audit_event *from);

/* As the record has it: "read", "open"; "?" for a number that is none. */
const char *audit_kind_word(unsigned kind);
const char *audit_door_word(unsigned door);

#endif
