/*
 * That every page of the file has one use: a place in one tree, or in the list of those that are
 * free. A page that is in a tree and in the list is right as long as nobody writes; the next
 * transaction takes it for something else, and what was found there is found no more, in silence.
 * LMDB looks at none of this, and no hash covers it.
 *
 * It is read from LMDB's pages themselves (0.9, as tests/integration/format/lmdb_file.py does), by
 * a map of its own, as of the newest transaction, while nobody writes. Pages that are in neither
 * are lost room and nothing worse.
 */
#ifndef EMSA_STORE_DB_PAGES_H
#define EMSA_STORE_DB_PAGES_H

#include <stdbool.h>

#include "store/db/env.h"

/* 0, with *why NULL, or what is wrong, a text that lives for ever. *is_endless: a page says that it
 * has fewer bytes than its own head; LMDB 0.9 looks for a key in it for ever, so that nobody may
 * look. ERR_NOMEM, ERR_IO. */
int pages_check(struct env *env, const char **why, bool *is_endless);

/* Whether the list of databases can be looked at: before any is opened. ERR_CORRUPT: it is endless;
 * ERR_NOMEM, ERR_IO. */
int pages_check_main(struct env *env);

/* The same as pages_check where others may write: they wait meanwhile. */
int pages_check_alone(struct env *env, const char **why, bool *is_endless);

#endif
