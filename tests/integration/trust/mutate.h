/*
 * What may become of a store's file in other hands, by chance: bytes of it, records through LMDB
 * with their hashes made right again, whole tables and whole files of an older copy.
 */
#ifndef EMSA_TESTS_TRUST_MUTATE_H
#define EMSA_TESTS_TRUST_MUTATE_H

#include <stdbool.h>

#include "tests/support/store/dice.h"

#define MUTATION_TEXT_MAX 160

enum mutation_family {
    MUTATE_BYTES,   /* damage: bits, bytes, zeros */
    MUTATE_RECORDS, /* through LMDB */
    MUTATE_OLDER,   /* pages and tables as they were before: each record in them is whole */
    MUTATE_FILE,    /* cut, or all of an older copy */
};
#define MUTATION_FAMILIES 4
extern const char *const mutation_families[MUTATION_FAMILIES];

/* Does one to the store in folder, of which old is an older copy, and says what it was. In a
 * process without a store. */
enum mutation_family mutate(char what[static MUTATION_TEXT_MAX], struct dice *dice,
                            const char *folder, const char *old);

#endif
