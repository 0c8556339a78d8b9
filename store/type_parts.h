/*
 * Between type.c and the files that know one family of types each. A look tells whether the bytes
 * at hand are of its type: 0, TYPE_FAULT, or a failure. What is wrong with them it may say in
 * `detail`, in words that go on after "must be ...: " ("column 7: ..."), and never with a byte of
 * them.
 */
#ifndef EMSA_STORE_TYPE_PARTS_H
#define EMSA_STORE_TYPE_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/type.h"

struct type_look {
    const unsigned char *data; /* never NULL */
    size_t size;
    const struct type_bounds *bounds;
    int64_t number; /* out: of the types that have a range */
    char detail[TYPE_TEXT_MAX];
};

/* Fills detail; returns TYPE_FAULT. */
int type_wrong(struct type_look *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same, with the place of the byte at `at` before it: "column 7: ", "line 2, column 7: ".
 * Columns are characters. */
int type_wrong_at(struct type_look *, size_t at, const char *what);

/* Not the locale's. */
bool type_is_digit(unsigned char c);
bool type_is_alpha(unsigned char c);
bool type_is_hex(unsigned char c);

/* type_number.c */
int type_look_int(struct type_look *);
int type_look_bool(struct type_look *);
int type_look_port(struct type_look *);
/* type_duration.c */
int type_look_duration(struct type_look *);
/* type_host.c */
int type_look_hostname(struct type_look *);
int type_look_email(struct type_look *);
bool type_is_address(const unsigned char *data, size_t size); /* IPv4 or IPv6 */
bool type_is_ipv6(const unsigned char *data, size_t size);
/* type_url.c */
int type_look_url(struct type_look *);
/* type_pattern.c */
int type_look_string(struct type_look *); /* type.c */
int type_look_regex(struct type_look *);
/* Whether they match bounds->pattern. */
int type_look_pattern(struct type_look *);
/* type_json.c */
int type_look_json(struct type_look *);
/* type_pem.c */
int type_look_pem(struct type_look *);
/* type_base64.c */
int type_look_base64(struct type_look *);
/* What a digit of base64 stands for; -1: it is none. */
int type_base64_digit(unsigned char c);

#endif
