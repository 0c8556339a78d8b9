#include "store/model/rebuild_compare.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "store/db/keys.h"
#include "store/error.h"

struct walk { /* through one database */
    struct txn *txn;
    enum database database;
    struct key last; /* empty at the beginning */
    bool is_over;
    bool is_damaged;    /* the record in hand can't be read */
    bool is_unreadable; /* it ended where there was no way on */
    struct slice body;  /* of the record in hand, whose key is last */
};

/* As LMDB orders keys. A tree that is damaged may lead back. */
static int order_of(const struct key *one, const unsigned char *other, size_t other_size)
{
    const size_t size = one->size < other_size ? one->size : other_size;
    const int result = memcmp(one->data, other, size);
    return result ? result : (one->size > other_size) - (one->size < other_size);
}

/* The seal of the whole tells of a file and not of the log. */
static bool is_seal(const struct walk *walk)
{
    return walk->database == DB_META && walk->last.size == 5 &&
           memcmp(walk->last.data, "whole", 5) == 0;
}

/* Steps to the record behind. Failures but damage. */
static int step(struct walk *walk)
{
    struct slice found = {0};
    const struct slice from = {walk->last.data, walk->last.size};
    const int result =
        txn_seek(walk->txn, &found, &walk->body, walk->database, from, walk->last.size > 0);
    if (result < 0 && result != -ERR_CORRUPT)
        return result;
    walk->is_damaged = result < 0;
    walk->is_over = result == TXN_NOT_FOUND || !found.size || found.size > sizeof walk->last.data ||
                    (from.size && order_of(&walk->last, found.data, found.size) >= 0);
    walk->is_unreadable = walk->is_over && result != TXN_NOT_FOUND;
    if (walk->is_over)
        return 0;
    memcpy(walk->last.data, found.data, found.size);
    walk->last.size = found.size;
    return 0;
}

/* Steps to the next record that counts. */
static int next(struct walk *walk)
{
    int error;
    do
        error = step(walk);
    while (!error && !walk->is_over && is_seal(walk));
    return error;
}

/* Every key of the truth begins with a revision. */
static uint64_t revision_of(const struct key *key)
{
    uint64_t rev = 0;
    for (size_t i = 0; i < 8 && i < key->size; i++)
        rev = rev << 8 | key->data[i];
    return rev;
}

int rebuild_walk(struct txn *txn, uint64_t *records, enum database database,
                 void (*fault)(void *arg, const char *text), void *arg)
{
    struct walk walk = {.txn = txn, .database = database};
    char text[512];
    int error;
    *records = 0;
    while (!(error = next(&walk)) && !walk.is_over) {
        (*records)++;
        if (!walk.is_damaged)
            continue;
        (void)snprintf(text, sizeof text, "commit %" PRIu64 ": %s", revision_of(&walk.last),
                       error_text());
        fault(arg, text);
    }
    if (error || !walk.is_unreadable)
        return error;
    (void)snprintf(text, sizeof text,
                   "database '%s': behind commit %" PRIu64 " it can't be walked (%s)",
                   database_name(database), revision_of(&walk.last), error_text());
    fault(arg, text);
    return txn_renew(txn); /* LMDB bars whoever met such a page */
}

/* What is over is after all. */
static int order(const struct walk *one, const struct walk *other)
{
    if (one->is_over || other->is_over)
        return one->is_over - other->is_over;
    return order_of(&one->last, other->last.data, other->last.size);
}

static bool is_same(const struct walk *one, const struct walk *other)
{
    return !one->is_damaged && one->body.size == other->body.size &&
           memcmp(one->body.data, other->body.data, one->body.size) == 0;
}

int rebuild_compare(struct rebuild_table *out, struct txn *old, struct txn *now,
                    enum database database, bool had)
{
    struct walk was = {.txn = old, .database = database, .is_over = !had, .is_unreadable = !had};
    struct walk is = {.txn = now, .database = database};
    *out = (struct rebuild_table){.name = database_name(database)};
    int error = had ? txn_renew(old) : 0;
    if (!error && had)
        error = next(&was);
    if (!error)
        error = next(&is);
    while (!error && !(was.is_over && is.is_over)) {
        const int compared = order(&was, &is);
        out->extra += compared < 0;
        out->missing += compared > 0;
        out->changed += compared == 0 && !is_same(&was, &is);
        out->records += compared >= 0;
        if (compared <= 0)
            error = next(&was);
        if (!error && compared >= 0)
            error = next(&is);
    }
    out->is_unreadable = was.is_unreadable;
    if (!error && is.is_unreadable)
        error = error_set(ERR_CORRUPT, "the new file can't be read: %s", database_name(database));
    return error;
}
