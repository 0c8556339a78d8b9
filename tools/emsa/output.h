/* What goes to the terminal or into a pipe. Values are written apart from stdio, whose buffers are
 * not locked memory. */
#ifndef EMSA_TOOLS_EMSA_OUTPUT_H
#define EMSA_TOOLS_EMSA_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes everything. ERR_IO (a pipe that nobody reads any more too), ERR_FULL. */
int output_bytes(const void *data, size_t size);

/* "emsa: " and this thread's text to stderr, its further lines indented. */
void output_failure(int error);

/* "emsa: note: ..." to stderr: something that the caller should know, and that is no failure. */
void output_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Copies a text that somebody else wrote, so that it can be shown to a terminal: what would steer
 * it (control characters, also those of UTF-8 from U+0080 to U+009F) becomes '?'. Cut where out is
 * full, never within a character. */
void output_tame(char *out, size_t capacity, const char *text);

/* The first line of such a text; returns its length there. */
size_t output_line(char *out, size_t capacity, const char *text);

/* The same for a table, which has one line for each: what is cut off is told of ("..."). */
void output_first_line(char *out, size_t capacity, const char *text);

/* A text member of an object, "" where it has none; borrowed. */
const char *output_member(json_t *object, const char *name);

/* A JSON text and a newline; the object is taken over. */
int output_json(json_t *object);

/* Ends stdout: negative when something that was printed did not get out, with a message. */
int output_flush(void);

/* Colours only where a person looks and did not say NO_COLOR. */
bool output_coloured(void);
bool output_is_terminal(void);

/* Who made a commit, as an object of a reply tells it, and who signed it: "uid 0 (root), signed by
 * id:alice", of a key that the store does not know its first digits; "" where it does not say who.
 */
#define AUTHOR_TEXT_MAX 512
const char *output_author(char out[static AUTHOR_TEXT_MAX], json_t *object);

#define TIME_TEXT_MAX 32
/* Local time to the second. */
const char *time_text(char out[static TIME_TEXT_MAX], int64_t nanoseconds);

#define SIZE_TEXT_MAX 24
const char *number_text(char out[static SIZE_TEXT_MAX], int64_t number);

/* The end of a word for so many things: "s", or "" of one. */
const char *plural_text(uint64_t number);

#endif
