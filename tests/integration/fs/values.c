#include "tests/integration/fs/values.h"

#include <string.h>

uint64_t number_next(uint64_t *state)
{
    uint64_t x = (*state += 0x9e3779b97f4a7c15ull);
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ x >> 27) * 0x94d049bb133111ebull;
    return x ^ x >> 31;
}

static uint32_t sum(const unsigned char *data, size_t size)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ data[i]) * 16777619u;
    return hash;
}

/* A short value has room for one byte of the checksum, others for four. */
static size_t sum_size(size_t size)
{
    return size < 8 ? 1 : 4;
}

void value_make(unsigned char *out, size_t size, uint64_t seed)
{
    size_t tail = sum_size(size);
    out[0] = (unsigned char)size;
    out[1] = (unsigned char)(size >> 8);
    for (size_t i = 2; i < size - tail; i++) {
        if (i % 8 == 2)
            number_next(&seed);
        out[i] = (unsigned char)(seed >> (i % 8) * 8);
    }
    uint32_t hash = sum(out, size - tail);
    memcpy(out + size - tail, &hash, tail);
}

bool value_whole(const unsigned char *data, size_t size)
{
    if (size < VALUE_LEAST || (size_t)(data[0] | data[1] << 8) != size)
        return false;
    size_t tail = sum_size(size);
    uint32_t hash = sum(data, size - tail);
    return memcmp(data + size - tail, &hash, tail) == 0;
}
