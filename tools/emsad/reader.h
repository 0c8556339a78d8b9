/*
 * Reads on, once, in what was not looked at before the store was opened (store_read_on): in a
 * thread beside those that serve, so that damage is told of before somebody meets it.
 */
#ifndef EMSA_TOOLS_EMSAD_READER_H
#define EMSA_TOOLS_EMSAD_READER_H

#include "store/store.h"

struct reader;

/* Starts it. The store is borrowed. *out is NULL where nothing was left: a small store was looked
 * at whole. ERR_NOMEM. */
int reader_start(struct reader **out, struct store *store);

/* Ends the thread, wherever it is. NULL is allowed. */
void reader_stop(struct reader *reader);

#endif
