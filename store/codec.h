/*
 * Bounded writing and reading of records. Integers inside a value are little-endian; keys are built
 * in store/db/keys, big-endian, so that memcmp order is the order of numbers. A decoder never reads
 * past its end, never allocates, and its error sticks, so that a sequence of fields is checked
 * once.
 */
#ifndef EMSA_STORE_CODEC_H
#define EMSA_STORE_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/bytes.h"

/* Encoding appends to a struct bytes and uses its sticky error. */
void put_u8(struct bytes *out, uint8_t value);
void put_u16(struct bytes *out, uint16_t value);
void put_u32(struct bytes *out, uint32_t value);
void put_u64(struct bytes *out, uint64_t value);
void put_i64(struct bytes *out, int64_t value);
/* length as u8 / u32, then the bytes */
void put_short(struct bytes *out, const void *data, size_t size);
void put_long(struct bytes *out, const void *data, size_t size);

struct decoder {
    const unsigned char *data;
    size_t left;
    bool failed; /* read past the end, or a length over its maximum */
};

#define DECODER(bytes_, size_) ((struct decoder){.data = (bytes_), .left = (size_)})

uint8_t take_u8(struct decoder *in);
uint16_t take_u16(struct decoder *in);
uint32_t take_u32(struct decoder *in);
uint64_t take_u64(struct decoder *in);
int64_t take_i64(struct decoder *in);
/* A borrowed run of exactly size bytes; NULL once failed. */
const unsigned char *take_bytes(struct decoder *in, size_t size);
/* Copies exactly size bytes; zeros once failed. */
void take_copy(struct decoder *in, void *out, size_t size);
/* A length (u8 / u32) and that many borrowed bytes, at most maximum. */
const unsigned char *take_short(struct decoder *in, size_t *size, size_t maximum);
const unsigned char *take_long(struct decoder *in, size_t *size, size_t maximum);
/* A short text into out, NUL-terminated; a NUL inside fails. capacity counts the closing NUL. */
void take_text(struct decoder *in, char *out, size_t capacity);

/* 0 if everything was there and nothing is left over; otherwise ERR_CORRUPT, naming what. */
int decoder_end(const struct decoder *in, const char *what);

#endif
