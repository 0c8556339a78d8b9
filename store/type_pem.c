/*
 * pem: one or more blocks of textual encoding (RFC 7468, figure 1: the form that parsers take),
 * with what explains them before, between and behind. A block may begin with headers as RFC 1421
 * has them: private keys that OpenSSL encrypted in its own way do.
 */
#include <string.h>

#include "store/type_parts.h"

#define DASHES "-----"
#define BEGIN "-----BEGIN "
#define END "-----END "

struct line {
    const unsigned char *data;
    size_t size; /* without its end and the blanks before that */
    size_t at;   /* where it begins in all of it */
};

enum state { OUTSIDE, BEGUN, HEADERS, BODY };

struct pem {
    struct type_look *look;
    size_t at;
    enum state state;
    struct line label; /* of the block that is open */
    size_t digits, padding;
    int last; /* the last digit */
    size_t blocks;
};

static bool is_blank(unsigned char c)
{
    return c == ' ' || c == '\t';
}

/* Lines end in LF or CR LF. (RFC 7468 knows CR alone too, which OpenSSL does not read.) */
static bool next_line(struct pem *pem, struct line *out)
{
    const unsigned char *data = pem->look->data + pem->at;
    const size_t left = pem->look->size - pem->at;
    if (left == 0)
        return false;
    const unsigned char *end = memchr(data, '\n', left);
    *out = (struct line){data, end ? (size_t)(end - data) : left, pem->at};
    pem->at += end ? out->size + 1 : left;
    if (out->size > 0 && data[out->size - 1] == '\r')
        out->size--;
    while (out->size > 0 && is_blank(data[out->size - 1]))
        out->size--;
    return true;
}

static bool begins_with(const struct line *line, const char *text)
{
    const size_t size = strlen(text);
    return line->size >= size && memcmp(line->data, text, size) == 0;
}

/* Words of printable ASCII, with one '-' or one blank between two (section 3). */
static bool is_label(const struct line *label)
{
    bool after_letter = false;
    for (size_t i = 0; i < label->size; i++) {
        const unsigned char c = label->data[i];
        if (c == '-' || c == ' ' ? !after_letter : c < 0x21 || c > 0x7e)
            return false;
        after_letter = c != '-' && c != ' ';
    }
    return after_letter;
}

/* What stands between "-----BEGIN " and "-----". False: the line is no such boundary. */
static bool take_label(const struct line *line, const char *begin, struct line *out)
{
    const size_t size = strlen(begin), dashes = strlen(DASHES);
    if (!begins_with(line, begin) || line->size < size + dashes ||
        memcmp(line->data + line->size - dashes, DASHES, dashes) != 0)
        return false;
    *out = (struct line){line->data + size, line->size - size - dashes, line->at + size};
    return is_label(out);
}

static int wrong(struct pem *pem, const struct line *line, const char *what)
{
    return type_wrong_at(pem->look, line->at, what);
}

static int look_outside(struct pem *pem, const struct line *line)
{
    if (begins_with(line, DASHES)) {
        if (!take_label(line, BEGIN, &pem->label))
            return wrong(pem, line, "no line that begins a block (-----BEGIN LABEL-----)");
        pem->state = BEGUN;
        pem->digits = pem->padding = 0;
    } else if (memmem(line->data, line->size, DASHES "BEGIN", strlen(DASHES "BEGIN"))) {
        return wrong(pem, line, "-----BEGIN has to be at the begin of its line");
    }
    return 0;
}

static int look_at_end(struct pem *pem, const struct line *line)
{
    struct line label;
    /* What the last digit has beyond whole bytes (RFC 4648, section 3.5). */
    const int spare = pem->padding == 2 ? 15 : pem->padding == 1 ? 3 : 0;
    if (!take_label(line, END, &label) || label.size != pem->label.size ||
        memcmp(label.data, pem->label.data, label.size) != 0)
        return wrong(pem, line, "no line that ends the block which is open (-----END LABEL-----)");
    if (pem->digits == 0)
        return wrong(pem, line, "the block that ends here has nothing in it");
    if ((pem->digits + pem->padding) % 4 != 0)
        return wrong(pem, line, "the base64 before this line is no multiple of 4 digits");
    if (pem->last & spare)
        return wrong(pem, line, "the base64 before this line ends in bits that belong to nothing");
    pem->state = OUTSIDE;
    pem->blocks++;
    return 0;
}

static int look_at_body(struct pem *pem, const struct line *line)
{
    if (line->size == 0 && pem->digits > 0)
        return wrong(pem, line, "an empty line in a block");
    pem->state = BODY;
    for (size_t i = 0; i < line->size; i++) {
        const int digit = type_base64_digit(line->data[i]);
        if (digit >= 0 && pem->padding == 0) {
            pem->last = digit;
            pem->digits++;
        } else if (line->data[i] == '=' && pem->padding < 2 && pem->digits % 4 >= 2) {
            pem->padding++;
        } else {
            return type_wrong_at(pem->look, line->at + i, "this is no base64");
        }
    }
    return 0;
}

/* The first lines of a block: headers and an empty line behind them, or its base64. Before the
 * base64 empty lines mean nothing. */
static int look_at_begin(struct pem *pem, const struct line *line)
{
    if (line->size == 0) {
        pem->state = BODY;
        return 0;
    }
    if (pem->state == HEADERS || memchr(line->data, ':', line->size)) {
        if (!is_blank(line->data[0]) && !memchr(line->data, ':', line->size))
            return wrong(pem, line, "a header (Name: text) or an empty line was expected");
        pem->state = HEADERS;
        return 0;
    }
    return look_at_body(pem, line);
}

static int look_at_line(struct pem *pem, const struct line *line)
{
    if (pem->state == OUTSIDE)
        return look_outside(pem, line);
    if (begins_with(line, DASHES))
        return look_at_end(pem, line);
    return pem->state == BEGUN || pem->state == HEADERS ? look_at_begin(pem, line)
                                                        : look_at_body(pem, line);
}

int type_look_pem(struct type_look *look)
{
    struct pem pem = {.look = look};
    struct line line;
    if (memchr(look->data, '\0', look->size))
        return type_wrong(look, "it has a NUL byte in it");
    while (next_line(&pem, &line)) {
        const int fault = look_at_line(&pem, &line);
        if (fault)
            return fault;
    }
    if (pem.state != OUTSIDE)
        return type_wrong(look, "its last block has no end (-----END LABEL-----)");
    return pem.blocks > 0 ? 0 : type_wrong(look, "there is no block (-----BEGIN LABEL-----) in it");
}
