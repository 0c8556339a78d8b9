/*
 * Shamir's scheme, byte by byte over GF(256) with x^8 + x^4 + x^3 + x + 1: byte i of the seed is
 * the value at 0 of a polynomial of degree K - 1 whose other coefficients are random; share X has
 * the values at X. Nothing here branches on a secret or looks one up in a table.
 *     emsa-share-1 K X ID SHARE CHECK NAME
 */
#include "store/identity_share.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "store/crypto/private.h"
#include "store/crypto/seal.h"
#include "store/error.h"
#include "store/name.h"

#define MAGIC "emsa-share-1 "
#define ID_SIZE 8
#define CHECK_SIZE 4
#define BODY_SIZE (2 + ID_SIZE + SEED_SIZE)

struct share { /* in the arena */
    uint8_t needed, number;
    uint8_t id[ID_SIZE];
    uint8_t value[SEED_SIZE];
    char name[IDENTITY_NAME_MAX];
};

struct gathered {
    struct share shares[IDENTITY_SHARES_MAX];
    unsigned count;
};

static uint8_t multiply(uint8_t a, uint8_t b)
{
    uint8_t product = 0;
    for (int i = 0; i < 8; i++) {
        product = (uint8_t)(product ^ (a & -(b & 1)));
        a = (uint8_t)((a << 1) ^ (0x1b & -(a >> 7)));
        b >>= 1;
    }
    return product;
}

/* a to the 254th */
static uint8_t invert(uint8_t a)
{
    uint8_t power = a;
    for (int i = 0; i < 6; i++)
        power = multiply(multiply(power, power), a);
    return multiply(power, power);
}

static void id_of(uint8_t out[static ID_SIZE], const struct identity *identity)
{
    uint8_t hash[BLAKE_SIZE];
    const struct hash_part parts[] = {{identity->x25519, 32}, {identity->ed25519, 32}};
    hash_parts(hash, "emsa-share-id-1", parts, 2);
    memcpy(out, hash, ID_SIZE);
}

static void check_of(uint8_t out[static CHECK_SIZE], const struct share *share)
{
    uint8_t body[BODY_SIZE] = {share->needed, share->number}, hash[BLAKE_SIZE];
    memcpy(body + 2, share->id, ID_SIZE);
    memcpy(body + 2 + ID_SIZE, share->value, SEED_SIZE);
    const struct hash_part parts[] = {{body, sizeof(body)}, {share->name, strlen(share->name)}};
    hash_parts(hash, "emsa-share-1", parts, 2);
    memcpy(out, hash, CHECK_SIZE);
    wipe(body, sizeof(body));
    wipe(hash, sizeof(hash));
}

static int write_line(struct secret *out, const struct share *share)
{
    char id[2 * ID_SIZE + 1];
    uint8_t check[CHECK_SIZE];
    int error = secret_alloc(out, IDENTITY_SHARE_TEXT_MAX);
    if (error)
        return error;
    char *at = (char *)out->data;
    sodium_bin2hex(id, sizeof(id), share->id, ID_SIZE);
    at +=
        snprintf(at, IDENTITY_SHARE_TEXT_MAX, MAGIC "%u %u %s ", share->needed, share->number, id);
    sodium_bin2hex(at, 2 * SEED_SIZE + 1, share->value, SEED_SIZE);
    at += 2 * SEED_SIZE;
    *at++ = ' ';
    check_of(check, share);
    sodium_bin2hex(at, 2 * CHECK_SIZE + 1, check, CHECK_SIZE);
    at += 2 * CHECK_SIZE;
    *at++ = ' ';
    const size_t length = strlen(share->name);
    memcpy(at, share->name, length);
    at += length;
    *at++ = '\n';
    out->size = (size_t)(at - (char *)out->data);
    return 0;
}

/* coefficients: needed - 1 times SEED_SIZE random bytes */
static void evaluate(struct share *share, const uint8_t *seed, const uint8_t *coefficients)
{
    memset(share->value, 0, SEED_SIZE);
    for (unsigned degree = share->needed - 1u; degree > 0; degree--)
        for (size_t i = 0; i < SEED_SIZE; i++)
            share->value[i] = multiply(share->value[i] ^ coefficients[(degree - 1) * SEED_SIZE + i],
                                       share->number);
    for (size_t i = 0; i < SEED_SIZE; i++)
        share->value[i] ^= seed[i];
}

int identity_share_make(struct secret out[], const struct identity *identity, unsigned needed,
                        unsigned count)
{
    SECRET_CLEANUP struct secret memory = {0}, drawn = {0};
    unsigned made = 0;
    if (needed < 2 || needed > count || count > IDENTITY_SHARES_MAX)
        return error_set(ERR_INVALID,
                         "%u of %u shares cannot be made: 2 to %u, of which 2 or more are needed",
                         needed, count, IDENTITY_SHARES_MAX);
    int error = secret_alloc(&memory, sizeof(struct share));
    if (!error)
        error = secret_alloc(&drawn, (needed - 1) * SEED_SIZE);
    if (error)
        return error;
    memory.size = sizeof(struct share);
    drawn.size = (needed - 1) * SEED_SIZE;
    random_bytes(drawn.data, drawn.size);
    struct share *share = (struct share *)(void *)memory.data;
    share->needed = (uint8_t)needed;
    id_of(share->id, identity);
    memcpy(share->name, identity->name, sizeof(share->name));
    for (; made < count && !error; made += !error) {
        share->number = (uint8_t)(made + 1);
        evaluate(share, identity_secrets(identity)->seed, drawn.data);
        error = write_line(&out[made], share);
    }
    while (error && made > 0)
        secret_release(&out[--made]);
    return error;
}

static bool take_hex(const char **at, const char *end, uint8_t *out, size_t size)
{
    size_t got = 0;
    if ((size_t)(end - *at) < 2 * size + 1 ||
        sodium_hex2bin(out, size, *at, 2 * size, NULL, &got, NULL) || got != size ||
        (*at)[2 * size] != ' ')
        return false;
    *at += 2 * size + 1;
    return true;
}

/* 1 to 16 and a space behind it. */
static bool take_small(const char **at, const char *end, uint8_t *out)
{
    unsigned number = 0;
    const char *begin = *at;
    while (*at < end && *at - begin < 2 && **at >= '0' && **at <= '9')
        number = 10 * number + (unsigned)(*(*at)++ - '0');
    if (*at == begin || *begin == '0' || *at == end || *(*at)++ != ' ' ||
        number > IDENTITY_SHARES_MAX)
        return false;
    *out = (uint8_t)number;
    return true;
}

static int read_line(struct share *share, const char *at, const char *end, unsigned line)
{
    uint8_t check[CHECK_SIZE], expected[CHECK_SIZE];
    if ((size_t)(end - at) < strlen(MAGIC) || memcmp(at, MAGIC, strlen(MAGIC)) != 0)
        return error_set(ERR_CORRUPT, "line %u is no share of an identity", line);
    at += strlen(MAGIC);
    const bool is_whole =
        take_small(&at, end, &share->needed) && take_small(&at, end, &share->number) &&
        take_hex(&at, end, share->id, ID_SIZE) && take_hex(&at, end, share->value, SEED_SIZE) &&
        take_hex(&at, end, check, CHECK_SIZE) && end - at < IDENTITY_NAME_MAX &&
        identity_name_check(at, (size_t)(end - at)) == 0;
    if (is_whole) {
        memcpy(share->name, at, (size_t)(end - at));
        share->name[end - at] = '\0';
        check_of(expected, share);
    }
    if (!is_whole || share->needed < 2 || memcmp(check, expected, CHECK_SIZE) != 0)
        return error_set(ERR_CORRUPT,
                         "the share in line %u is damaged: look for a slip of the hand", line);
    return 0;
}

/* Takes it, unless it is there already. */
static int add_share(struct gathered *gathered, const struct share *share)
{
    const struct share *first = &gathered->shares[0];
    if (gathered->count > 0 &&
        (memcmp(first->id, share->id, ID_SIZE) != 0 || first->needed != share->needed ||
         strcmp(first->name, share->name) != 0))
        return error_set(ERR_INVALID,
                         "these are shares of different identities, or of different makings: of "
                         "'%s', and of '%s'",
                         first->name, share->name);
    for (unsigned i = 0; i < gathered->count; i++) {
        if (gathered->shares[i].number != share->number)
            continue;
        return memcmp(gathered->shares[i].value, share->value, SEED_SIZE) == 0
                   ? 0
                   : error_set(ERR_INVALID, "these are shares of different makings: take those of "
                                            "one");
    }
    gathered->shares[gathered->count++] = *share;
    return 0;
}

static int read_lines(struct gathered *gathered, struct share *share, const struct secret *lines)
{
    const char *at = (const char *)lines->data, *end = at + lines->size;
    int error = 0;
    for (unsigned line = 1; at < end && !error; line++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        const char *next = stop ? stop + 1 : end;
        stop = stop ? stop : end;
        while (stop > at && (stop[-1] == '\r' || stop[-1] == ' '))
            stop--;
        if (stop > at && *at != '#')
            error = read_line(share, at, stop, line);
        if (!error && stop > at && *at != '#')
            error = add_share(gathered, share);
        at = next;
    }
    return error;
}

/* The values at 0, by Lagrange. */
static void interpolate(uint8_t seed[static SEED_SIZE], const struct gathered *gathered)
{
    const unsigned needed = gathered->shares[0].needed;
    memset(seed, 0, SEED_SIZE);
    for (unsigned i = 0; i < needed; i++) {
        uint8_t factor = 1;
        const uint8_t x = gathered->shares[i].number;
        for (unsigned j = 0; j < needed; j++) {
            const uint8_t other = gathered->shares[j].number;
            if (j != i)
                factor = multiply(factor, multiply(other, invert(other ^ x)));
        }
        for (size_t k = 0; k < SEED_SIZE; k++)
            seed[k] ^= multiply(gathered->shares[i].value[k], factor);
    }
}

static int combine(struct identity **out, const struct gathered *gathered,
                   uint8_t seed[static SEED_SIZE])
{
    const struct share *first = &gathered->shares[0];
    uint8_t id[ID_SIZE];
    if (gathered->count == 0)
        return error_set(ERR_NO_KEY, "there is no share of an identity in it");
    if (gathered->count < first->needed)
        return error_set(
            ERR_NO_KEY, "identity '%s' takes %u of its shares, and these are %u: find %u more",
            first->name, first->needed, gathered->count, first->needed - gathered->count);
    interpolate(seed, gathered);
    int error = identity_from_seed(out, first->name, seed);
    if (error)
        return error;
    id_of(id, *out);
    if (memcmp(id, first->id, ID_SIZE) == 0)
        return 0;
    identity_free(*out);
    *out = NULL;
    return error_set(ERR_CORRUPT,
                     "these shares do not give the identity '%s': they are of different makings",
                     first->name);
}

int identity_share_combine(struct identity **out, const struct secret *lines)
{
    SECRET_CLEANUP struct secret all = {0}, one = {0}, seed = {0};
    int error = secret_alloc(&all, sizeof(struct gathered));
    if (!error)
        error = secret_alloc(&one, sizeof(struct share));
    if (!error)
        error = secret_alloc(&seed, SEED_SIZE);
    if (error)
        return error;
    all.size = sizeof(struct gathered);
    one.size = sizeof(struct share);
    seed.size = SEED_SIZE;
    struct gathered *gathered = (struct gathered *)(void *)all.data;
    error = read_lines(gathered, (struct share *)(void *)one.data, lines);
    return error ? error : combine(out, gathered, seed.data);
}
