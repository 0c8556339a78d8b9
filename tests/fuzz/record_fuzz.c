/* The records of the log: the first byte says whether the rest is an operation, a commit's header
 * or a value. Nothing outside of the record is borrowed, and an operation has one encoding only. */
#include <stdlib.h>
#include <string.h>

#include "store/log/commit.h"
#include "store/log/operation.h"
#include "tests/fuzz/target.h"

static void must_lie_in(struct slice body, const void *data, size_t size)
{
    const unsigned char *at = data;
    if (size && (at < body.data || at + size > body.data + body.size))
        abort();
}

static void operation(struct slice body)
{
    struct operation found;
    if (operation_decode(&found, body))
        return;
    must_lie_in(body, found.name, found.name_size);
    if (found.wrapped)
        must_lie_in(body, found.wrapped, WRAPPED_KEY_SIZE);
    BYTES_CLEANUP struct bytes again = BYTES_INIT(body.size);
    operation_encode(&again, &found);
    if (again.error || again.size != body.size || memcmp(again.data, body.data, body.size) != 0)
        abort();
}

static void header(struct slice body)
{
    struct header found;
    uint8_t hash[HASH_SIZE];
    if (header_decode(&found, body))
        return;
    must_lie_in(body, found.author, found.author_size);
    must_lie_in(body, found.reason, found.reason_size);
    for (uint32_t i = 0; i < found.scope_count; i++) {
        const struct scope_sum sum = header_scope(&found, i);
        header_touches(&found, sum.environment, sum.service);
        header_touches(&found, sum.environment, COMMIT_ANY_SERVICE);
    }
    header_touches(&found, 0, 0);
    header_hash(hash, body);
}

static void value(struct slice body)
{
    const unsigned char *data;
    size_t size;
    uint8_t digest[HASH_SIZE];
    value_digest(digest, body);
    if (value_decode(&data, &size, OPERATION_SET_PLAIN, body) == 0 ||
        value_decode(&data, &size, OPERATION_SET_SECRET, body) == 0)
        must_lie_in(body, data, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const struct slice body = {data + 1, size - 1};
    switch (data[0] % 3) {
    case 0:
        operation(body);
        break;
    case 1:
        header(body);
        break;
    default:
        value(body);
    }
    return 0;
}
