/* The public text of an identity, read. */
#include <sodium.h>
#include <string.h>

#include "store/error.h"
#include "store/identity.h"

#define PREFIX "emsa1"
#define HALF 64u /* hex digits of one key */

static int read_half(unsigned char out[static 32], const char *text)
{
    size_t size = 0;
    return sodium_hex2bin(out, 32, text, HALF, NULL, &size, NULL) || size != 32;
}

int identity_public_parse(unsigned char x25519[static 32], unsigned char ed25519[static 32],
                          const char *text, size_t size)
{
    const size_t prefix = strlen(PREFIX);
    unsigned char open[32], sign[32];
    if (size != prefix + 2 * HALF || memcmp(text, PREFIX, prefix) != 0 ||
        read_half(open, text + prefix) || read_half(sign, text + prefix + HALF))
        return error_set(ERR_INVALID,
                         "this is no public identity: one is 'emsa1' and 128 hex digits, as "
                         "'emsa identity export --public' prints it");
    memcpy(x25519, open, 32);
    memcpy(ed25519, sign, 32);
    return 0;
}
