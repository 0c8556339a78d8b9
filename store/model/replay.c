#include "store/model/replay.h"

#include <inttypes.h>
#include <string.h>

#include "store/change.h"
#include "store/db/keys.h"
#include "store/error.h"
#include "store/limits.h"
#include "store/model/rules.h"
#include "store/model/settle.h"

/* What is derived of an operation, and of a commit: about, and twice as much where many see it. */
#define ROOM_A_COMMIT ((size_t)4 * 1024)
#define ROOM_AN_OPERATION ((size_t)2 * 1024)

struct replaying { /* one commit */
    struct replay *replay;
    struct header header;
    uint64_t rev;
    struct index index;
    struct gather gather;
    struct plan plan;
    bool is_due;
};

static int in_commit(uint64_t rev, int error)
{
    char text[ERROR_TEXT_MAX];
    if (error != -ERR_CORRUPT && error != -ERR_FORMAT)
        return error;
    memcpy(text, error_text(), strlen(error_text()) + 1);
    return error_set((enum error_code) - error, "commit %" PRIu64 ": %s", rev, text);
}

static int read_header(struct replay *replay, struct header *header, struct slice *body,
                       uint64_t rev)
{
    struct key key;
    const int found = txn_get(replay->from, body, DB_COMMIT, key_commit(&key, rev));
    return found ? found : header_decode(header, *body);
}

int replay_size(struct replay *replay, size_t *bytes)
{
    const uint64_t rev = replay->head.rev + 1;
    struct header header;
    struct slice body;
    struct key key;
    int found = read_header(replay, &header, &body, rev);
    if (found)
        return in_commit(rev, found);
    *bytes = ROOM_A_COMMIT + 2 * body.size;
    for (uint32_t op = 0; op < header.operations; op++) {
        found = txn_get(replay->from, &body, DB_VALUE, key_operation(&key, rev, op));
        *bytes += ROOM_AN_OPERATION + (found ? 0 : body.size);
    }
    found = txn_get(replay->from, &body, DB_SIGNED, key_commit(&key, rev));
    *bytes += found ? 0 : body.size;
    return 0; /* what is damaged is told of when it is copied */
}

/* --- the truth, as it is --- */

static int copy(struct replay *replay, struct slice *body, enum database database, struct slice key)
{
    const int found = txn_get(replay->from, body, database, key);
    if (found)
        return found;
    txn_append(replay->to, database, key, *body);
    return txn_error(replay->to);
}

static int copy_operation(struct replaying *at, uint32_t op)
{
    struct replay *replay = at->replay;
    struct operation operation;
    struct slice body, value;
    struct key key;
    const struct slice place = key_operation(&key, at->rev, op);
    int found = copy(replay, &body, DB_LOG, place);
    if (found > 0)
        return error_set(ERR_CORRUPT, "operation %u is not there", op);
    if (!found)
        found = operation_decode(&operation, body);
    if (found)
        return found;
    if (operation_has_value(operation.kind)) {
        found = copy(replay, &value, DB_VALUE, place);
        if (found)
            return found < 0 ? found
                             : error_set(ERR_CORRUPT, "the value of operation %u is not there", op);
        replay->values++;
    }
    at->is_due |=
        (operation.kind == OPERATION_REMOVE || operation.kind == OPERATION_ENVIRONMENT_REMOVE) &&
        operation.expires;
    replay->operations++;
    return plan_add(&at->plan, &operation, NULL);
}

static int copy_commit(struct replaying *at, struct slice header)
{
    struct replay *replay = at->replay;
    struct slice body;
    struct key key;
    int error = plan_reserve(&at->plan, at->header.operations);
    for (uint32_t op = 0; op < at->header.operations && !error; op++)
        error = copy_operation(at, op);
    if (error)
        return error;
    const struct slice place = key_commit(&key, at->rev);
    txn_append(replay->to, DB_COMMIT, place, header);
    const int found = at->header.is_signed ? copy(replay, &body, DB_SIGNED, place) : 0;
    if (found > 0)
        return error_set(ERR_CORRUPT, "the request that was signed is not there");
    return found ? found : txn_error(replay->to);
}

/* --- what is derived --- */

/* In two rounds, as it was: keys are made when all else was judged and settled. */
static int apply(struct replaying *at, bool of_keys)
{
    int error = 0;
    for (size_t i = 0; i < at->plan.count && !error; i++) {
        const struct operation *operation = &at->plan.steps[i].operation;
        if (operation_makes_keys(operation->kind) == of_keys)
            error = index_apply(&at->index, operation, (uint32_t)i);
    }
    return error;
}

static int settle_commit(struct replaying *at)
{
    static const struct change_terms terms;
    struct judge judge = {.store = at->replay->store,
                          .index = &at->index,
                          .gather = &at->gather,
                          .plan = &at->plan,
                          .terms = &terms,
                          .now = at->header.time,
                          .reasons = BYTES_INIT(ERROR_TEXT_MAX - 1),
                          .is_replay = true,
                          .is_due = at->is_due};
    for (size_t i = 0; i < at->plan.count; i++)
        judge.schema_count += operation_is_of_schema(at->plan.steps[i].operation.kind);
    int error = settle(&judge);
    if (!error && judge.code)
        error = error_set(ERR_CORRUPT, "it comes to what no commit may: %.*s",
                          (int)judge.reasons.size, (const char *)judge.reasons.data);
    judge_release(&judge);
    return error;
}

static int derive(struct replaying *at, struct slice header)
{
    static const uint8_t no_request[REQUEST_ID_SIZE];
    struct replay *replay = at->replay;
    struct head head = {.rev = at->rev, .time = at->header.time};
    int error = index_begin(&at->index, replay->to, at->rev, at->header.time);
    if (!error)
        error = apply(at, false);
    if (!error)
        error = settle_commit(at);
    if (!error)
        error = apply(at, true);
    if (!error)
        error = index_finish(&at->index);
    if (error)
        return error;
    header_hash(head.hash, header);
    state_put_head(replay->to, &head);
    if (memcmp(at->header.request_id, no_request, REQUEST_ID_SIZE) != 0)
        state_put_request(replay->to, at->header.request_id, at->rev);
    replay->head = head;
    return txn_error(replay->to);
}

int replay_commit(struct replay *replay)
{
    struct replaying at = {.replay = replay, .rev = replay->head.rev + 1};
    struct slice body;
    int error = read_header(replay, &at.header, &body, at.rev);
    if (error > 0)
        return error;
    if (!error)
        error = copy_commit(&at, body);
    if (!error)
        error = derive(&at, body);
    index_release(&at.index);
    plan_release(&at.plan);
    gather_release(&at.gather);
    return in_commit(at.rev, error);
}
