/*
 * The third walk: every record of every database, once, in the order of keys.
 *
 * The other walks look each record up by its key. A listing doesn't: it goes from one record to the
 * next. A page whose head is damaged can answer every look-up and still show a record twice, in the
 * wrong place or with another's bytes to who walks, so what walkers see is walked here.
 */
#include <inttypes.h>
#include <string.h>

#include "store/error.h"
#include "store/log/state.h"
#include "store/log/verify_internal.h"

static void next_database(struct verify *verify)
{
    verify->database++;
    verify->last.size = 0;
    verify->walked = 0;
}

/* As many as the database says that it has, where nothing was written since its walk began. */
static int check_walked(struct verify *verify)
{
    struct head head;
    uint64_t count = 0;
    int found = verify_read(verify, state_head(verify->txn, &head), "head");
    if (!found && head.rev == verify->walked_rev)
        found = verify_read(verify, txn_count(verify->txn, &count, verify->database),
                            database_name(verify->database));
    else
        count = verify->walked;
    if (!found && count != verify->walked)
        verify_fault(verify, "database '%s' shows %" PRIu64 " records of its %" PRIu64,
                     database_name(verify->database), verify->walked, count);
    return found < 0 ? found : 0;
}

static int begin_walk(struct verify *verify)
{
    struct head head;
    const int found = verify_read(verify, state_head(verify->txn, &head), "head");
    if (!found)
        verify->walked_rev = head.rev;
    return found < 0 ? found : 0;
}

int verify_next_record(struct verify *verify)
{
    struct slice found = {0}, body;
    const struct slice last = {verify->last.data, verify->last.size};
    if (verify->database >= DB_COUNT)
        return 1;
    int result = last.size ? 0 : begin_walk(verify);
    if (result < 0)
        return result;
    result = txn_seek(verify->txn, &found, &body, verify->database, last, last.size > 0);
    if (result == TXN_NOT_FOUND) {
        result = check_walked(verify);
        next_database(verify);
        return result;
    }
    result = verify_read(verify, result, database_name(verify->database));
    if (result < 0)
        return result;
    if (!found.size || found.size > sizeof verify->last.data) {
        next_database(verify); /* told of; there is no way on in this one */
        return 0;
    }
    memcpy(verify->last.data, found.data, found.size);
    verify->last.size = found.size;
    verify->walked++;
    return 0;
}
