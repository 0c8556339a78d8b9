/*
 * A file of definitions, read (tools/man/emsa-apply.5): environments, their services, the keys of
 * those and with whom they are shared. Everything borrows from the tree that it was read from,
 * whose text is locked memory: a definition may be a secret in clear.
 */
#ifndef EMSA_TOOLS_EMSA_SHEET_H
#define EMSA_TOOLS_EMSA_SHEET_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "store/limits.h"
#include "store/secret.h"
#include "tools/emsa/faults.h"
#include "tools/emsa/yaml.h"

enum sheet_form {
    SHEET_PLAIN,
    SHEET_LINK,     /* data is the text "service/KEY" */
    SHEET_TEMPLATE, /* data is the text */
    SHEET_SECRET,   /* data is the value */
    SHEET_KEPT,     /* a secret that stays as it is: no data */
    SHEET_SEALED,   /* a secret; data is the text that it was sealed as */
};

struct sheet_key {
    const struct yaml_node *at; /* its name */
    const char *name;
    const struct yaml_node *definition;
    enum sheet_form form;
    bool is_added; /* the bytes are in the sheet's added, not in the tree's text */
    size_t offset, size;
    uint64_t ttl;    /* seconds; 0: none */
    int64_t expires; /* 0: none */
};

struct sheet_share {
    const struct yaml_node *at; /* the consumer */
    const char *key;
    const char *consumer; /* "*": every service */
};

struct sheet_service {
    const struct yaml_node *at;
    const char *name;
    size_t environment;
    bool has_keys;               /* "keys" stands there */
    size_t first_key, key_count; /* in the order of their names, as bytes */
    size_t first_share, share_count;
};

struct sheet_schema {
    const struct yaml_node *at;
    const char *environment; /* whose it is; "all" of those that stand in "schemas" */
    const char *service;
    json_t *schema; /* owned */
};

struct sheet_environment {
    const struct yaml_node *at;
    const char *name;
    const struct yaml_node *protection, *signing, *base, *life; /* NULL: not said */
    bool is_protected, is_signed;
    uint64_t ttl;
    int64_t expires;
    size_t service_count;
};

struct sheet {
    struct yaml_tree tree;
    struct secret added; /* what came from files and variables, or was decoded */
    bool has_rev;
    uint64_t rev;
    bool has_clear; /* a secret stands in it in clear */
    struct sheet_environment *environments;
    size_t environment_count, environment_room;
    struct sheet_service *services;
    size_t service_count, service_room;
    struct sheet_key *keys;
    size_t key_count, key_room;
    struct sheet_share *shares;
    size_t share_count, share_room;
    struct sheet_schema *schemas;
    size_t schema_count, schema_room;
};

/* Reads a file's text; file is for messages (and must outlive the sheet), folder is where the paths
 * in it begin ("" for where the process stands). What is wrong in it goes to faults; a failure is
 * what ends the reading: no YAML at all (ERR_INVALID), ERR_NOMEM. sheet_release in any case. */
int sheet_read(struct sheet *sheet, struct faults *faults, const char *file, const char *folder,
               const char *text, size_t size);
void sheet_release(struct sheet *sheet);

/* "prod/billing", and its NUL. */
#define PLACE_TEXT_MAX (ENVIRONMENT_NAME_MAX + SERVICE_NAME_MAX + 2)
const char *sheet_place(char out[static PLACE_TEXT_MAX], const struct sheet *sheet,
                        const struct sheet_service *service);

/* The bytes of a key's definition. */
const unsigned char *sheet_data(const struct sheet *sheet, const struct sheet_key *key);

/* A fault that says what this thread's error text does, behind what ("" for nothing). */
void sheet_fault(const struct sheet *sheet, struct faults *faults, const struct yaml_node *at,
                 const char *what);

/* Where in the list the word stands; -1, and a fault at the key that names those there are, where
 * it is none of them. what: "a service". */
int sheet_member(struct faults *faults, const struct yaml_tree *tree, const struct yaml_node *key,
                 const char *const words[], const char *what);

/* A list of services, or one, to a sheet's shares (sheet.c). 0 or ERR_NOMEM. */
int sheet_add_shares(struct sheet *sheet, struct faults *faults, const char *key,
                     const struct yaml_node *list);

/* A duration or a moment, or a fault (sheet.c). */
void sheet_ttl(const struct sheet *sheet, struct faults *faults, const struct yaml_node *node,
               uint64_t *out);
void sheet_expires(const struct sheet *sheet, struct faults *faults, const struct yaml_node *node,
                   int64_t *out);

/* What a key is defined as (sheet_definition.c). 0, also where it is wrong, or a failure. */
int sheet_definition(struct sheet *sheet, struct faults *faults, const char *folder,
                     struct sheet_key *key);

#endif
