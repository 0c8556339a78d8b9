#include "store/template.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "store/error.h"
#include "store/name.h"

/* What stands between "${" and "}", or a whole link. */
struct span {
    const char *text;
    size_t size;
};

/* Room for "line 1048577, column 1048577". */
#define PLACE_TEXT 64

/* Where a byte stands, for people: continuation bytes of UTF-8 take no column. */
static const char *place(char out[static PLACE_TEXT], const struct template *template,
                         const char *where)
{
    size_t line = 1, column = 1;
    for (const char *at = template->text; at < where; at++) {
        if (*at == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)*at & 0xc0) != 0x80) {
            column++;
        }
    }
    if (line > 1)
        snprintf(out, PLACE_TEXT, "line %zu, column %zu", line, column);
    else
        snprintf(out, PLACE_TEXT, "column %zu", column);
    return out;
}

static int wrong(const struct template *template, const char *where, const char *what)
{
    char text[PLACE_TEXT];
    return error_set(ERR_INVALID, "%s: %s", place(text, template, where), what);
}

static int set_name(char *out, enum name_kind kind, struct span name)
{
    int error = name_check(kind, name.text, name.size);
    if (error)
        return error;
    memcpy(out, name.text, name.size);
    out[name.size] = '\0';
    return 0;
}

/* Cuts what stands before the first of that byte off *rest, and the byte. False: there is none. */
static bool cut(struct span *before, struct span *rest, char at)
{
    const char *found = rest->size > 0 ? memchr(rest->text, at, rest->size) : NULL;
    if (!found)
        return false;
    *before = (struct span){rest->text, (size_t)(found - rest->text)};
    *rest = (struct span){found + 1, rest->size - before->size - 1};
    return true;
}

#define TOO_MANY_PARTS                                                                             \
    "more than a service and a key: an environment cannot be named, a reference stays in its own"

/* KEY or service/KEY. On a failure *where is the part that is wrong. */
static int parse_reference(struct reference *out, const char **where, struct span key)
{
    struct span service;
    struct reference parsed = {0};
    *where = key.text;
    if (cut(&service, &key, '/')) {
        if (key.size > 0 && memchr(key.text, '/', key.size))
            return error_set(ERR_INVALID, TOO_MANY_PARTS);
        int error = set_name(parsed.service, NAME_SERVICE, service);
        if (error)
            return error;
        *where = key.text;
    }
    int error = set_name(parsed.key, NAME_KEY, key);
    if (!error)
        *out = parsed;
    return error;
}

static bool parse_filter(enum template_filter *out, struct span name)
{
    static const char *const names[] = {
        [TEMPLATE_URL] = "url", [TEMPLATE_JSON] = "json", [TEMPLATE_BASE64] = "base64"};
    for (size_t i = TEMPLATE_URL; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strlen(names[i]) == name.size && memcmp(names[i], name.text, name.size) == 0) {
            *out = (enum template_filter)i;
            return true;
        }
    }
    return false;
}

static bool has_blank(struct span span)
{
    return memchr(span.text, ' ', span.size) || memchr(span.text, '\t', span.size);
}

static int parse_inside(const struct template *template, struct template_piece *out,
                        struct span inside)
{
    struct template_piece piece = {.kind = TEMPLATE_REFERENCE};
    struct span name = inside, filter = inside;
    const char *where;
    if (inside.size == 0)
        return wrong(template, inside.text - 2,
                     "'${}' names no key: write ${KEY} or ${service/KEY}");
    if (has_blank(inside))
        return wrong(template, inside.text,
                     "a blank inside '${}': write ${service/KEY} or ${service/KEY|url} without");
    if (cut(&name, &filter, '|') && !parse_filter(&piece.filter, filter))
        return wrong(template, filter.text, "no such filter: write one of |url, |json and |base64");
    if (parse_reference(&piece.reference, &where, name))
        return wrong(template, where, error_text());
    *out = piece;
    return 0;
}

/* What stands inside the braces that were opened before text. What begins another reference or
 * line shows that they were never closed. */
static bool find_inside(struct span *out, const char *text, size_t left)
{
    for (size_t size = 0; size < left; size++) {
        if (text[size] == '}') {
            *out = (struct span){text, size};
            return true;
        }
        if (text[size] == '$' || text[size] == '\n')
            return false;
    }
    return false;
}

static int next_dollar(struct template *template, struct template_piece *out, const char *dollar,
                       size_t left)
{
    struct span inside;
    if (left > 1 && dollar[1] == '$') {
        *out = (struct template_piece){.kind = TEMPLATE_TEXT, .text = dollar, .size = 1};
        template->at += 2;
        return 0;
    }
    if (left < 2 || dollar[1] != '{')
        return wrong(
            template, dollar,
            "a '$' by itself: write $$ for a dollar, ${KEY} or ${service/KEY} for a value");
    if (!find_inside(&inside, dollar + 2, left - 2))
        return wrong(template, dollar,
                     "'${' has no '}' before the next '$' or the line's end: write ${KEY} or "
                     "${service/KEY}");
    int error = parse_inside(template, out, inside);
    if (!error)
        template->at += inside.size + 3;
    return error;
}

int template_next(struct template *template, struct template_piece *out)
{
    size_t left = template->size - template->at;
    if (left == 0)
        return TEMPLATE_END;
    const char *here = template->text + template->at;
    const char *dollar = memchr(here, '$', left);
    if (dollar == here)
        return next_dollar(template, out, dollar, left);
    size_t size = dollar ? (size_t)(dollar - here) : left;
    *out = (struct template_piece){.kind = TEMPLATE_TEXT, .text = here, .size = size};
    template->at += size;
    return 0;
}

int template_check(const char *text, size_t size)
{
    struct template template = {.text = text, .size = size};
    struct template_piece piece;
    int outcome;
    do {
        outcome = template_next(&template, &piece);
    } while (outcome == 0);
    return outcome == TEMPLATE_END ? 0 : outcome;
}

int link_parse(struct reference *out, const char *text, size_t size)
{
    struct reference parsed;
    const char *where;
    if (size == 0)
        return error_set(ERR_INVALID, "a link is empty: write service/KEY");
    if (parse_reference(&parsed, &where, (struct span){text, size}))
        return error_set(ERR_INVALID, "a link is written service/KEY: %s", error_text());
    if (parsed.service[0] == '\0')
        return error_set(ERR_INVALID, "link '%s' names no service: write service/%s", parsed.key,
                         parsed.key);
    *out = parsed;
    return 0;
}

const char *reference_text(char out[static REFERENCE_TEXT_MAX], const struct reference *reference,
                           const char *owner)
{
    snprintf(out, REFERENCE_TEXT_MAX, "%s/%s", reference->service[0] ? reference->service : owner,
             reference->key);
    return out;
}
