/* Sealed texts: anything is refused or read whole, and what was read never reaches past its bytes.
 * The first byte says what the rest is: 0, a text; else a body, to which its prefix and its check
 * are made here, so that what lies behind the check is reached. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "store/crypto/hash.h"
#include "store/error.h"
#include "store/sealed.h"
#include "tests/fuzz/target.h"

#define BODY_MAX 65536
#define PREFIX "emsa-sealed-1:"

static void read_text(const void *text, size_t size)
{
    struct sealed sealed;
    const int error = sealed_read(&sealed, text, size);
    if (error > 0 || (error && sealed.body.data))
        abort();
    if (!error && (sealed.head < 32 || sealed.head + 32 + 4 != sealed.sealed_at ||
                   sealed.sealed_at + 40 + sealed.padded + 16 + 16 != sealed.body.size ||
                   path_depth(&sealed.path) != PATH_KEY))
        abort();
    sealed_release(&sealed);
}

static void read_body(const uint8_t *data, size_t size)
{
    static uint8_t body[BODY_MAX + 16];
    static char text[sizeof PREFIX + (BODY_MAX + 16) * 2];
    uint8_t hash[32];
    if (size > BODY_MAX)
        return;
    memcpy(body, data, size);
    const struct hash_part part = {body, size};
    hash_parts(hash, "emsa-sealed-check-1", &part, 1);
    memcpy(body + size, hash, 16);
    memcpy(text, PREFIX, sizeof PREFIX - 1);
    sodium_bin2base64(text + sizeof PREFIX - 1, sizeof text - sizeof PREFIX, body, size + 16,
                      sodium_base64_VARIANT_ORIGINAL);
    read_text(text, strlen(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || data[0] == 0)
        read_text(data + (size > 0), size - (size > 0));
    else
        read_body(data + 1, size - 1);
    return 0;
}
