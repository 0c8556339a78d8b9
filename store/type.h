/*
 * What a value can be asked to be: one table of types. A schema names them (store/schema.h); the
 * leak guard and `schema infer` ask them what a value looks like.
 *
 * A type judges exact bytes, since a reader gets exact bytes: a port that ends in a newline is no
 * port. What it says of a value that is wrong tells what was expected, where, and what of the
 * value's form is often overlooked (a newline at its end), and never what it holds, which may be a
 * secret. Nothing keeps a copy of a value: it is looked at in place, and what little is copied to
 * the stack is wiped.
 *
 * The rules, with the standard that each comes from, stand in tools/man/emsa-schema.5. Where they
 * are stricter than that standard, tests/integration/types/README.md says why.
 */
#ifndef EMSA_STORE_TYPE_H
#define EMSA_STORE_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum value_type {
    TYPE_STRING = 1, /* any bytes; no NUL */
    TYPE_INT,        /* -?(0|[1-9][0-9]*), within 64 bits */
    TYPE_BOOL,       /* true, false */
    TYPE_ENUM,       /* one of a list */
    TYPE_URL,        /* RFC 3986, with a scheme */
    TYPE_PORT,       /* 1 to 65535 */
    TYPE_DURATION,   /* 1h30m, 250ms, 0: as Go's time.ParseDuration, not negative */
    TYPE_HOSTNAME,   /* RFC 1123, or an IP address */
    TYPE_EMAIL,      /* what both HTML's input of that type and RFC 5321 take */
    TYPE_REGEX,      /* matches its pattern; without one: is a pattern itself (PCRE2) */
    TYPE_JSON,       /* RFC 8259 */
    TYPE_PEM,        /* RFC 7468: blocks of textual encoding, and what explains them */
    TYPE_BASE64,     /* RFC 4648, section 4, padded, on one line */
};
#define TYPE_LAST TYPE_BASE64

#define TYPE_NONE 1

/* The word of a type, and back. TYPE_NONE: no such word. */
const char *type_name(enum value_type type);
int type_find(enum value_type *out, const char *name);

struct type_words { /* a list of texts; owned by whoever has it */
    char **words;
    size_t count;
};

/* What is asked beyond the type; zeros: nothing. Borrowed for the call. */
struct type_bounds {
    bool has_min, has_max; /* of int, port: the number; of duration: nanoseconds */
    int64_t min, max;
    bool has_min_length, has_max_length; /* in bytes, of all types */
    uint32_t min_length, max_length;
    const char *pattern;              /* of string and regex, NULL: none; matches the whole value */
    const struct type_words *values;  /* of enum */
    const struct type_words *schemes; /* of url: which may stand before the colon, NULL or 0: any */
};

/* Which bounds a type has, beside those of length, which all have. */
bool type_has_range(enum value_type type);   /* min, max */
bool type_has_pattern(enum value_type type); /* pattern */

#define TYPE_FAULT 1
#define TYPE_TEXT_MAX 200

/* 0: the value is one; TYPE_FAULT: text says what was expected, in words that follow its name
 * ("must be a port (1 to 65535): it ends in a newline", "must be JSON: line 2, column 7: a value
 * was expected"); ERR_NOMEM. A pattern that takes too long is a fault that says so. text is touched
 * only by TYPE_FAULT. */
int type_check(char text[static TYPE_TEXT_MAX], enum value_type type, const struct type_bounds *,
               const void *value, size_t size);

/* What a duration comes to in nanoseconds. TYPE_NONE: it is none. */
int type_duration(int64_t *out, const char *text, size_t size);

/* And back, as people write it: "1h30m", "250ms", "0s". Of 0 or more. Returns out. */
#define TYPE_DURATION_MAX 40
const char *type_duration_text(char out[static TYPE_DURATION_MAX], int64_t nanoseconds);

/* Whether the text compiles as a pattern: 0, or TYPE_FAULT with the place and what is wrong, in
 * words that follow a name ("must be a regular expression: character 3: ..."). ERR_NOMEM. */
int type_pattern(char text[static TYPE_TEXT_MAX], const char *pattern);

/* What a value looks like: the narrowest type that it certainly is; TYPE_STRING otherwise. For
 * first drafts of schemas (`emsa schema infer`). Never ENUM or REGEX. */
enum value_type type_guess(const void *value, size_t size);

#endif
