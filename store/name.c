#include "store/name.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "store/error.h"

static const struct {
    const char *what;
    size_t maximum;
    const char *rule;
} kinds[] = {
    [NAME_ENVIRONMENT] = {"environment", ENVIRONMENT_NAME_MAX,
                          "letters, digits, '_', '.' and '-', first a letter or digit"},
    [NAME_SERVICE] = {"service", SERVICE_NAME_MAX,
                      "letters, digits, '_', '.' and '-', first a letter or digit"},
    [NAME_KEY] = {"key", KEY_NAME_MAX,
                  "letters, digits, '_', '.' and '-', first a letter, digit, '_' or '.'"},
};

/* Not isalnum: the locale must not decide what a name is. */
static bool is_alnum(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_allowed(enum name_kind kind, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (!is_alnum(c) && c != '_' && c != '.' && c != '-')
            return false;
    }
    if (is_alnum((unsigned char)text[0]))
        return true;
    return kind == NAME_KEY && (text[0] == '_' || text[0] == '.');
}

#define SHOWN_MAX 64
#define SHOWN_TEXT (SHOWN_MAX * 4 + 4)

/* The name as a message may show it: bytes that aren't printable ASCII as \xNN, long ones cut. */
static const char *shown(char out[static SHOWN_TEXT], const char *text, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    size_t at = 0;
    for (size_t i = 0; i < length && i < SHOWN_MAX; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x20 && c < 0x7f && c != '\\') {
            out[at++] = (char)c;
        } else {
            out[at++] = '\\';
            out[at++] = 'x';
            out[at++] = digits[c >> 4];
            out[at++] = digits[c & 15];
        }
    }
    for (int i = 0; i < 3 && length > SHOWN_MAX; i++)
        out[at++] = '.';
    out[at] = '\0';
    return out;
}

static bool is_reserved_key(const char *text, size_t length)
{
    return (length == 1 && text[0] == '.') || (length >= 2 && text[0] == '.' && text[1] == '.') ||
           (length == 5 && memcmp(text, ".emsa", 5) == 0);
}

int name_check(enum name_kind kind, const char *text, size_t length)
{
    char name[SHOWN_TEXT];
    if (length == 0)
        return error_set(ERR_INVALID, "%s name '' is empty", kinds[kind].what);
    if (length > kinds[kind].maximum)
        return error_set(ERR_INVALID, "%s name '%s' has %zu bytes, at most %zu are allowed",
                         kinds[kind].what, shown(name, text, length), length, kinds[kind].maximum);
    if (!is_allowed(kind, text, length))
        return error_set(ERR_INVALID, "%s name '%s' is not allowed: use %s", kinds[kind].what,
                         shown(name, text, length), kinds[kind].rule);
    if (kind == NAME_KEY && is_reserved_key(text, length))
        return error_set(ERR_INVALID,
                         "key name '%s' is not allowed: '.', '.emsa' and what starts with '..' "
                         "mean something else in a directory",
                         shown(name, text, length));
    return 0;
}

int tag_check(const char *text, size_t length)
{
    char name[SHOWN_TEXT];
    size_t digits = 0;
    while (digits < length && text[digits] >= '0' && text[digits] <= '9')
        digits++;
    if (length && length <= TAG_NAME_MAX && digits < length &&
        is_allowed(NAME_ENVIRONMENT, text, length))
        return 0;
    return error_set(ERR_INVALID,
                     "tag '%s' is not allowed: use up to %d letters, digits, '_', '.' and '-', "
                     "first a letter or digit, and not digits only",
                     shown(name, text, length), TAG_NAME_MAX);
}

static bool is_principal_name(const char *text, size_t length)
{
    size_t digits = 0;
    if (!length || length > PRINCIPAL_NAME_MAX || text[0] == '-')
        return false;
    for (size_t i = 0; i < length; i++) {
        const char c = text[i];
        const bool is_digit = c >= '0' && c <= '9';
        if (!is_digit && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
            !(c && strchr("_.@\\+-$", c)))
            return false;
        digits += is_digit;
    }
    return digits < length;
}

int principal_check(const char *text, size_t length)
{
    static const char *const kinds_of[] = {"user:", "group:", PRINCIPAL_IDENTITY};
    char name[SHOWN_TEXT];
    for (size_t i = 0; i < sizeof kinds_of / sizeof kinds_of[0]; i++) {
        const size_t size = strlen(kinds_of[i]);
        if (length > size && memcmp(text, kinds_of[i], size) == 0 &&
            is_principal_name(text + size, length - size))
            return 0;
    }
    return error_set(ERR_INVALID,
                     "'%s' is nobody who can hold rights: use user:NAME or group:NAME, with a name "
                     "of this system and not a number, or id:NAME",
                     shown(name, text, length));
}

int identity_name_check(const char *text, size_t length)
{
    char name[SHOWN_TEXT];
    if (is_principal_name(text, length))
        return 0;
    return error_set(ERR_INVALID,
                     "'%s' is no name for an identity: 1 to %d letters, digits, '_', '.', '@', "
                     "'\\', '+', '-' and '$', not only digits, and no '-' in front",
                     shown(name, text, length), PRINCIPAL_NAME_MAX);
}

bool principal_is_identity(const char *text)
{
    return strncmp(text, PRINCIPAL_IDENTITY, strlen(PRINCIPAL_IDENTITY)) == 0;
}

/* Checks one part and copies it to where a path has it. */
static int set_part(struct path *path, enum name_kind kind, const char *text, size_t length)
{
    int error = name_check(kind, text, length);
    if (error)
        return error;
    char *to = kind == NAME_ENVIRONMENT ? path->environment
               : kind == NAME_SERVICE   ? path->service
                                        : path->key;
    memcpy(to, text, length);
    to[length] = '\0';
    return 0;
}

int path_parse(struct path *path, const char *text, size_t length)
{
    char name[SHOWN_TEXT];
    struct path parsed = {0};
    const char *at = text;
    size_t left = length;
    for (int kind = NAME_ENVIRONMENT; left > 0; kind++) {
        if (kind > NAME_KEY)
            return error_set(ERR_INVALID,
                             "path '%s' has too many parts: it is environment/service/key",
                             shown(name, text, length));
        const char *slash = memchr(at, '/', left);
        size_t part = slash ? (size_t)(slash - at) : left;
        int error = set_part(&parsed, (enum name_kind)kind, at, part);
        if (error)
            return error;
        size_t step = slash ? part + 1 : part;
        at += step;
        left -= step;
    }
    *path = parsed;
    return 0;
}

static bool given(const char *text)
{
    return text && text[0] != '\0';
}

int path_make(struct path *path, const char *environment, const char *service, const char *key)
{
    if ((given(service) && !given(environment)) || (given(key) && !given(service)))
        return error_set(ERR_INVALID, "path with a %s but no %s", given(key) ? "key" : "service",
                         given(key) && given(environment) ? "service" : "environment");
    struct path made = {0};
    int error = 0;
    if (given(environment))
        error = set_part(&made, NAME_ENVIRONMENT, environment, strlen(environment));
    if (!error && given(service))
        error = set_part(&made, NAME_SERVICE, service, strlen(service));
    if (!error && given(key))
        error = set_part(&made, NAME_KEY, key, strlen(key));
    if (!error)
        *path = made;
    return error;
}

enum path_depth path_depth(const struct path *path)
{
    if (path->key[0])
        return PATH_KEY;
    if (path->service[0])
        return PATH_SERVICE;
    return path->environment[0] ? PATH_ENVIRONMENT : PATH_ROOT;
}

const char *path_text(const struct path *path, char out[static PATH_TEXT_MAX])
{
    const enum path_depth depth = path_depth(path);
    char *at = stpcpy(out, path->environment);
    if (depth >= PATH_SERVICE) {
        *at++ = '/';
        at = stpcpy(at, path->service);
    }
    if (depth == PATH_KEY) {
        *at++ = '/';
        stpcpy(at, path->key);
    }
    return out;
}

#define EDIT 2u /* a whole edit, in half edits */

static unsigned replace_cost(char a, char b)
{
    if (a == b)
        return 0;
    return tolower((unsigned char)a) == tolower((unsigned char)b) ? 1 : EDIT;
}

static unsigned smaller(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: three rows of the table are enough for swaps of neighbours. */
unsigned name_distance(const char *a, const char *b, unsigned limit)
{
    unsigned rows[3][KEY_NAME_MAX + 2];
    unsigned *before = rows[0], *above = rows[1], *row = rows[2];
    size_t a_length = strlen(a), b_length = strlen(b);
    size_t gap = a_length > b_length ? a_length - b_length : b_length - a_length;
    if (a_length > KEY_NAME_MAX || b_length > KEY_NAME_MAX || gap * EDIT > limit)
        return limit + 1;
    for (size_t j = 0; j <= b_length; j++) {
        above[j] = (unsigned)j * EDIT;
        before[j] = 0;
    }
    for (size_t i = 1; i <= a_length; i++) {
        unsigned best = row[0] = (unsigned)i * EDIT;
        for (size_t j = 1; j <= b_length; j++) {
            row[j] = smaller(above[j - 1] + replace_cost(a[i - 1], b[j - 1]),
                             smaller(above[j], row[j - 1]) + EDIT);
            if (i > 1 && j > 1 && a[i - 1] != b[j - 1] && a[i - 1] == b[j - 2] &&
                a[i - 2] == b[j - 1])
                row[j] = smaller(row[j], before[j - 2] + EDIT);
            best = smaller(best, row[j]);
        }
        /* A swap reaches back two rows, for one edit: only then is there no way under the limit. */
        if (best > limit + EDIT)
            return limit + 1;
        unsigned *spare = before;
        before = above;
        above = row;
        row = spare;
    }
    return smaller(above[b_length], limit + 1);
}

/* Whether the names are one name but for their digits: web1 and web2, billing and billing2. */
static bool are_siblings(const char *a, const char *b)
{
    for (;;) {
        while (*a >= '0' && *a <= '9')
            a++;
        while (*b >= '0' && *b <= '9')
            b++;
        if (*a != *b)
            return false;
        if (*a == '\0')
            return true;
        a++;
        b++;
    }
}

int name_resembles(const char *name, const char *known)
{
    if (strcmp(name, known) == 0)
        return 0;
    if (strcasecmp(name, known) == 0)
        return 1;
    if (are_siblings(name, known))
        return 0;
    size_t a = strlen(name), b = strlen(known), length = a > b ? a : b;
    /* Names of three letters are neighbours of each other by nature (api, app, ads). */
    unsigned limit = length < 4 ? 0 : length < 10 ? EDIT : 2 * EDIT;
    return limit > 0 && name_distance(name, known, limit) <= limit;
}
