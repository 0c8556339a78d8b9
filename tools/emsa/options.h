/* The command line: which verb, its options and its arguments. */
#ifndef EMSA_TOOLS_EMSA_OPTIONS_H
#define EMSA_TOOLS_EMSA_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct command;

/* One bit an option; a verb's row says which it takes. */
enum option_bit {
    OPTION_REASON = 1 << 0,
    OPTION_IF_REV = 1 << 1,
    OPTION_DRY_RUN = 1 << 2,
    OPTION_REVEAL = 1 << 3,
    OPTION_SECRET = 1 << 4,     /* a flag: set */
    OPTION_SECRET_KEY = 1 << 5, /* --secret KEY: import */
    OPTION_PLAIN_KEY = 1 << 6,
    OPTION_GUESS = 1 << 7,
    OPTION_RAW = 1 << 8,
    OPTION_FILE = 1 << 9,
    OPTION_SECRET_FILE = 1 << 10,
    OPTION_NEW = 1 << 11,
    OPTION_ALL = 1 << 12,
    OPTION_FORMAT = 1 << 13,
    OPTION_TREE = 1 << 14,
    OPTION_ONLY = 1 << 15,
    OPTION_PRISTINE = 1 << 16,
    OPTION_STRICT = 1 << 17,
    OPTION_CACHE = 1 << 18,
    OPTION_FOREGROUND = 1 << 19,
    OPTION_MASKED = 1 << 20,
    OPTION_NUMBER = 1 << 21,
    OPTION_VERBOSE = 1 << 22,
    OPTION_NO_SECRETS = 1 << 23,
    OPTION_TTL = 1 << 24,
    OPTION_METRICS = 1 << 28,
    OPTION_FROM = 1 << 29,
};

#define OPTIONS_CHANGE (OPTION_REASON | OPTION_IF_REV | OPTION_DRY_RUN)

struct texts { /* a list of argv's texts */
    const char **list;
    size_t count;
};

struct options { /* texts are argv's */
    const char *store;
    bool json;
    bool help;
    const char *reason;
    bool has_if_rev;
    uint64_t if_rev;
    bool dry_run, reveal, secret, guess_secrets, raw, allow_new, all, pristine, strict, cache,
        foreground, masked, verbose, no_secrets, metrics;
    const char *file, *format, *tree, *only;
    uint64_t number;
    bool has_from;
    uint64_t from;
    uint64_t ttl; /* seconds; 0: for good */
    struct texts secret_keys, plain_keys, secret_files;
    struct texts arguments;
    bool has_dashes; /* "--" stood among the arguments */
    size_t before_dashes;
};

/* Finds the verb and reads everything after it. ERR_INVALID: with what is wrong and how to learn
 * more. options_release afterwards in any case. */
int options_parse(struct options *out, const struct command **command, int argc, char *argv[]);
void options_release(struct options *options);

/* The n-th option of the table as it is written ("--dry-run"), NULL past its end; whether a verb
 * with these bits takes it. For help, completion and tests. */
const char *options_listed(unsigned n, uint32_t bits, bool *taken);

#endif
