/*
 * An environment in the making: what an importer of other people's files (compose, kube) finds,
 * kept until all of it is known, and then one commit.
 *
 * A key's value is composed of parts, each a run of its effective bytes: text of its own, or all of
 * another key's value. So every value is there twice, as bytes and as where they come from, and the
 * bytes decide: a key becomes a link (one part, another key's) or a template (text around) only
 * where that gives exactly the bytes that its source would have given; else it is a value of its
 * own. All bytes stand in locked memory: which of them are secret is known last.
 *
 * References go to what was set before: each key has the number of its setting, and a reference to
 * a later one is none. So there is no cycle, however a source redefines its names.
 */
#ifndef EMSA_TOOLS_EMSA_INTAKE_H
#define EMSA_TOOLS_EMSA_INTAKE_H

#include <stdbool.h>
#include <stddef.h>

#include "store/limits.h"
#include "store/secret.h"
#include "store/text_blocks.h"

#define INTAKE_NONE ((size_t)-1)

struct intake_part {
    size_t key;    /* whose value it is; INTAKE_NONE: text of its own */
    size_t offset; /* from the value's beginning */
    size_t size;
};

struct intake_value {
    size_t offset; /* of the effective bytes, in text */
    size_t size;
    size_t first_part, part_count;
};

enum intake_form { INTAKE_VALUE, INTAKE_LINK, INTAKE_TEMPLATE };

struct intake_key {
    size_t service;
    const char *name; /* in names */
    const char *file;
    unsigned line;
    struct intake_value value;
    unsigned long setting; /* the how-manieth it was */
    bool dropped;          /* it is none after all */
    bool flat;             /* its parts are no references, only where it comes from */
    bool secret;           /* a secret value of its own */
    bool touches;          /* what it comes to is a secret */
    char mark;             /* 's' for --secret, 'p' for --plain, 0 */
    bool asked;            /* it looks like a secret, and was not marked */
    size_t asked_by;       /* a key that is all of this one, and looks like a secret */
};

struct intake_service {
    char name[SERVICE_NAME_MAX + 1];
    bool absent; /* made no service: what was in it moved */
};

struct intake_slot {
    size_t key;  /* INTAKE_NONE: free */
    size_t hash; /* of its service and name: most keys that are not meant differ in it already */
};

struct intake {
    struct secret text;
    struct intake_part *parts;
    size_t part_count, part_room;
    struct intake_key *keys;
    size_t key_count, key_room;
    struct intake_service *services;
    size_t service_count, service_room;
    struct text_blocks names;
    struct intake_slot *table; /* keys by service and name: open addressing */
    size_t table_room;         /* a power of 2 */
    unsigned long settings;
    struct intake_value draft;
    char **files; /* names of files that were read, for messages */
    size_t file_count;
    /* Something that was not taken in, or is otherwise than it looks; may be NULL. */
    void (*note)(const char *text);
};

void intake_release(struct intake *intake);

void intake_note(const struct intake *intake, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* "FILE, line N: " and the text, as ERR_INVALID; and the same as a note. */
int intake_fail(const char *file, unsigned line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void intake_note_at(const struct intake *intake, const char *file, unsigned line,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Finds or makes a service. ERR_INVALID: no name for one; ERR_NOMEM. */
int intake_service(struct intake *intake, size_t *out, const char *name, size_t length,
                   const char *file, unsigned line);
size_t intake_find_service(const struct intake *intake, const char *name);

/* A key of a service, or INTAKE_NONE. */
size_t intake_find(const struct intake *intake, size_t service, const char *name, size_t length);

/* A copy of a file's name that lives as long as the intake. NULL: no memory, and its text is set.
 */
const char *intake_file(struct intake *intake, const char *name);

/* A value is drafted part by part, and then set. Between, nothing else is drafted. */
void intake_draft(struct intake *intake);
int intake_text(struct intake *intake, const void *data, size_t size);
int intake_reference(struct intake *intake, size_t key);
/* The first size bytes are left away again; a reference of which only a rest remains is none, but
 * it is still known where the rest comes from. */
void intake_behead(struct intake *intake, size_t size);
/* The bytes drafted so far; valid until the next call. */
const char *intake_drafted(const struct intake *intake);
/* Wipes what was drafted since a length that the draft had. */
void intake_undraft(struct intake *intake, size_t size);

/* Sets the key to what was drafted; a key that is set again is as if it had not been before.
 * ERR_INVALID: no name for a key, or a value over VALUE_MAX; ERR_NOMEM. out may be NULL. */
int intake_set(struct intake *intake, size_t service, const char *name, size_t length,
               const char *file, unsigned line, size_t *out);

const unsigned char *intake_bytes(const struct intake *intake, const struct intake_key *key);
/* Whether the key will be made: it was not dropped, nor its service. */
bool intake_has(const struct intake *intake, const struct intake_key *key);
enum intake_form intake_form(const struct intake *intake, const struct intake_key *key);

/* When all is set: whatever would not give its bytes as a link or template becomes a value of its
 * own. ERR_NOMEM. */
int intake_settle(struct intake *intake);

/* Keys by their settings: whatever a key refers to stands before it. ERR_NOMEM; the caller frees.
 */
int intake_order(const struct intake *intake, size_t **out);

#endif
