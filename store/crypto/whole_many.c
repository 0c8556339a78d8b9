#include "store/crypto/whole_many.h"

#include <endian.h>
#include <sodium.h>
#include <string.h>

_Static_assert(WHOLE_LANE_SIZE >= WHOLE_ELEMENT_MAX + 8, "a lane has room for it");

typedef uint64_t vector __attribute__((vector_size(8 * WHOLE_LANES)));

struct state {
    vector v0, v1, v2, v3;
};

#define ROTATE(x, by) (((x) << (by)) | ((x) >> (64 - (by))))

static inline __attribute__((always_inline)) void rounds(struct state *s, int count)
{
    for (int i = 0; i < count; i++) {
        s->v0 += s->v1;
        s->v2 += s->v3;
        s->v1 = ROTATE(s->v1, 13) ^ s->v0;
        s->v3 = ROTATE(s->v3, 16) ^ s->v2;
        s->v0 = ROTATE(s->v0, 32);
        s->v2 += s->v1;
        s->v0 += s->v3;
        s->v1 = ROTATE(s->v1, 17) ^ s->v2;
        s->v3 = ROTATE(s->v3, 21) ^ s->v0;
        s->v2 = ROTATE(s->v2, 32);
    }
}

static inline __attribute__((always_inline)) void
take_word(struct state *s, const struct whole_lanes *lanes, size_t at)
{
    vector word;
    for (int i = 0; i < WHOLE_LANES; i++) {
        uint64_t one;
        memcpy(&one, lanes->data[i] + at, sizeof one);
        word[i] = le64toh(one);
    }
    s->v3 ^= word;
    rounds(s, 2);
    s->v0 ^= word;
}

static inline __attribute__((always_inline)) void
add_up(struct whole_sum *sum, const struct whole_lanes *lanes, const uint64_t key[static 2])
{
    struct state s = {.v0 = (vector){0} + (key[0] ^ 0x736f6d6570736575u),
                      .v1 = (vector){0} + (key[1] ^ 0x646f72616e646f6du ^ 0xee),
                      .v2 = (vector){0} + (key[0] ^ 0x6c7967656e657261u),
                      .v3 = (vector){0} + (key[1] ^ 0x7465646279746573u)};
    for (size_t at = 0; at <= lanes->size; at += 8)
        take_word(&s, lanes, at);
    s.v2 ^= 0xee;
    rounds(&s, 4);
    const vector low = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
    s.v1 ^= 0xdd;
    rounds(&s, 4);
    const vector high = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
    for (int i = 0; i < WHOLE_LANES; i++)
        whole_add(sum, (struct whole_sum){low[i], high[i]});
}

/* The same, by the instructions that every processor of its kind has, and by those that few lack.
 */
static void add_up_anywhere(struct whole_sum *sum, const struct whole_lanes *lanes,
                            const uint64_t key[static 2])
{
    add_up(sum, lanes, key);
}

#ifdef __x86_64__
static __attribute__((target("avx2"))) void
add_up_wide(struct whole_sum *sum, const struct whole_lanes *lanes, const uint64_t key[static 2])
{
    add_up(sum, lanes, key);
}

static bool is_wide(void)
{
    return __builtin_cpu_supports("avx2");
}
#else
#define add_up_wide add_up_anywhere
#define is_wide() false
#endif

/* Those that came are a full set, or the last: then one by one. */
static void flush(struct whole_lanes *lanes, struct whole_sum *sum, const uint8_t key[static 16])
{
    uint64_t words[2];
    if (lanes->count == WHOLE_LANES) {
        memcpy(words, key, sizeof words);
        words[0] = le64toh(words[0]);
        words[1] = le64toh(words[1]);
        if (is_wide())
            add_up_wide(sum, lanes, words);
        else
            add_up_anywhere(sum, lanes, words);
        sodium_memzero(words, sizeof words);
    } else {
        for (unsigned i = 0; i < lanes->count; i++)
            whole_add(sum, whole_element(key, lanes->data[i], lanes->size));
    }
    lanes->count = 0;
}

void whole_many_begin(struct whole_many *many, const struct whole_keys *keys)
{
    many->keys = keys;
    many->sums = (struct whole_sums){{0, 0}, {0, 0}};
    many->names.count = many->records.count = 0;
    many->names.size = 0;
    many->records.size = RECORD_HASH_SIZE;
}

/* Behind an element stand zeros, and its size in the last byte of its last word. */
void whole_many_name(struct whole_many *many, const char *database, const void *key, size_t size)
{
    struct whole_lanes *names = &many->names;
    const size_t length = strlen(database), whole = whole_name_size(length, size);
    if (whole != names->size)
        flush(names, &many->sums.names, many->keys->names);
    names->size = whole;
    uint8_t *lane = names->data[names->count++], *last = lane + whole / 8 * 8;
    memset(last, 0, 8);
    lane[0] = (uint8_t)length;
    memcpy(lane + 1, database, length);
    memcpy(lane + 1 + length, key, whole - 1 - length);
    last[7] = (uint8_t)whole;
    if (names->count == WHOLE_LANES)
        flush(names, &many->sums.names, many->keys->names);
}

void whole_many_record(struct whole_many *many, const uint8_t hash[static RECORD_HASH_SIZE])
{
    struct whole_lanes *records = &many->records;
    uint8_t *lane = records->data[records->count++];
    memcpy(lane, hash, RECORD_HASH_SIZE);
    memset(lane + RECORD_HASH_SIZE, 0, 8);
    lane[RECORD_HASH_SIZE + 7] = RECORD_HASH_SIZE;
    if (records->count == WHOLE_LANES)
        flush(records, &many->sums.records, many->keys->records);
}

void whole_many_end(struct whole_many *many)
{
    flush(&many->names, &many->sums.names, many->keys->names);
    flush(&many->records, &many->sums.records, many->keys->records);
}
