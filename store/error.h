/*
 * The one error convention.
 *
 * A function that can fail returns int. Zero is success. Negative is a failure, always -(enum
 * error_code), and travels unchanged to whoever can answer it. Positive is that function's own
 * documented outcome (for example "not found" of a lookup), which its caller handles.
 *
 * A failure leaves one or more lines of text, for people, in a buffer of the calling thread: what
 * failed first, its subject in quotes, lower case, no full stop; a line may go on with what to do
 * next. The text is written where the failure is known best and read once, at the edge. (The idea
 * is libgit2's giterr_last.) errno is made from a code in one table at the edge of fs/, an exit
 * status in one table at the edge of tools/.
 */
#ifndef EMSA_STORE_ERROR_H
#define EMSA_STORE_ERROR_H

#include <stddef.h>

enum error_code {
    ERR_NOMEM = 1, /* memory, plain or locked, could not be had */
    ERR_IO,        /* the operating system refused; the text has its reason */
    ERR_CORRUPT,   /* what was read is not what was written */
    ERR_FORMAT,    /* written in a format that this build does not know */
    ERR_FULL,      /* no room: disk, map or reserve */
    ERR_NO_KEY,    /* no private key at hand opens this */
    ERR_INVALID,   /* wrong use: a bad name, size, option or syntax */
    ERR_NOT_FOUND, /* what was named is not there */
    ERR_REFUSED,   /* well formed, and against a rule */
    ERR_CONFLICT,  /* something changed after the revision that was expected */
    ERR_DENIED,    /* the caller has no right to it */
    ERR_BUSY,      /* somebody else owns it */
    ERR_PURGED,    /* it was there, and was destroyed since */
    ERR_COUNT      /* not an error: one more than the last */
};

/* Tells the compiler (and a reader) that a failure is negative, so that it can follow which
 * variables a success has set: without it an optimising gcc warns of every "if (error) return
 * error;". */
#define ERROR_NEGATIVE(call)                                                                       \
    ({                                                                                             \
        int failure_ = (call);                                                                     \
        if (failure_ >= 0)                                                                         \
            __builtin_unreachable();                                                               \
        failure_;                                                                                  \
    })

/* Longest text kept for a failure; what is longer is cut at a line's end. */
#define ERROR_TEXT_MAX 8192

/* Sets this thread's text and returns -code, so that a failure is one line: return
 * error_set(ERR_IO, ...); */
int error_set(enum error_code code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same, ending in ": " and the words for errno_value; ENOMEM gives ERR_NOMEM, ENOSPC and EDQUOT
 * ERR_FULL, EACCES and EPERM ERR_DENIED, ENOENT ERR_NOT_FOUND, everything else ERR_IO. */
int error_system(int errno_value, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds one more line to this thread's text (a list of reasons). Returns -code. The first line of a
 * list is made by error_set. */
int error_add(enum error_code code, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define error_set(...) ERROR_NEGATIVE(error_set(__VA_ARGS__))
#define error_system(...) ERROR_NEGATIVE(error_system(__VA_ARGS__))
#define error_add(...) ERROR_NEGATIVE(error_add(__VA_ARGS__))

/* This thread's text, "" if nothing failed yet. Valid until the thread's next error_* call. */
const char *error_text(void);

/* Forgets this thread's text. */
void error_clear(void);

/* A stable word for a failure (either sign): "corrupt", "no-key", "not-found", ...; "unknown"
 * otherwise. The words are part of the control protocol. */
const char *error_word(int error);

/* The code for such a word, or 0. */
enum error_code error_from_word(const char *word);

#endif
