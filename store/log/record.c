#include "store/log/record.h"

#include "store/error.h"

#define RECORD_FORMAT 1

struct bytes *record_begin(struct record *record)
{
    record->bytes = (struct bytes){
        .data = record->room, .capacity = STATE_RECORD_MAX, .limit = STATE_RECORD_MAX};
    put_u8(&record->bytes, RECORD_FORMAT);
    return &record->bytes;
}

struct slice record_body(const struct record *record)
{
    return (struct slice){record->bytes.data, record->bytes.size};
}

int record_open(struct decoder *in, struct slice body, const char *what)
{
    *in = DECODER(body.data, body.size);
    const unsigned format = take_u8(in);
    if (in->failed)
        return error_set(ERR_CORRUPT, "%s: an empty record", what);
    if (format != RECORD_FORMAT)
        return error_set(ERR_FORMAT, "%s: a record of format %u is not known to this version", what,
                         format);
    return 0;
}

int record_get(struct txn *txn, struct decoder *in, enum database database, struct slice key,
               const char *what)
{
    struct slice body;
    const int found = txn_get(txn, &body, database, key);
    return found ? found : record_open(in, body, what);
}
