/* Texts of links and templates, read once more. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/store/naive.h"
#include "tests/support/store/trial.h"

uint64_t naive_hash(const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    uint64_t hash = 0x9ae16a3b2f90404fu;
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ at[i]) * 0x100000001b3u;
        hash ^= hash >> 29;
    }
    return hash;
}

const struct naive_text *naive_text(const void *bytes, size_t size)
{
    static struct naive_text *table[4096];
    const uint64_t hash = naive_hash(bytes, size);
    struct naive_text **row = &table[hash % (sizeof table / sizeof table[0])];
    for (struct naive_text *at = *row; at; at = at->next)
        if (at->hash == hash && at->size == size && memcmp(at->bytes, bytes, size) == 0)
            return at;
    struct naive_text *made = malloc(sizeof *made + size + 1);
    MUST(made, "no memory");
    *made = (struct naive_text){.size = size, .hash = hash, .next = *row};
    memcpy(made->bytes, bytes, size);
    made->bytes[size] = '\0';
    *row = made;
    return made;
}

void naive_append(struct naive_bytes *to, const void *data, size_t size)
{
    if (to->size + size > to->capacity) {
        to->capacity = (to->size + size) * 2 + 64;
        to->data = realloc(to->data, to->capacity);
        MUST(to->data, "no memory");
    }
    if (size)
        memcpy(to->data + to->size, data, size);
    to->size += size;
}

static void append_url(struct naive_bytes *to, const unsigned char *data, size_t size)
{
    static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    for (size_t i = 0; i < size; i++) {
        char coded[4];
        if (data[i] && strchr(safe, data[i])) {
            naive_append(to, data + i, 1);
            continue;
        }
        snprintf(coded, sizeof coded, "%%%02X", data[i]);
        naive_append(to, coded, 3);
    }
}

/* How many bytes a good character has at data, 0: it is a bad byte. The values of the tests have
 * bad bytes only where every way of counting them gives the same. */
static size_t character(const unsigned char *data, size_t size)
{
    const size_t want = data[0] < 0x80   ? 1
                        : data[0] < 0xc2 ? 0
                        : data[0] < 0xe0 ? 2
                        : data[0] < 0xf0 ? 3
                        : data[0] < 0xf5 ? 4
                                         : 0;
    if (!want || want > size)
        return 0;
    for (size_t i = 1; i < want; i++)
        if ((data[i] & 0xc0) != 0x80)
            return 0;
    return want;
}

static void append_json(struct naive_bytes *to, const unsigned char *data, size_t size)
{
    naive_append(to, "\"", 1);
    for (size_t i = 0, step; i < size; i += step) {
        char coded[8];
        step = character(data + i, size - i);
        if (!step) {
            naive_append(to, "\xef\xbf\xbd", 3);
            step = 1;
        } else if (data[i] == '"' || data[i] == '\\') {
            naive_append(to, "\\", 1);
            naive_append(to, data + i, 1);
        } else if (data[i] == '\n' || data[i] == '\t' || data[i] == '\r') {
            naive_append(to, data[i] == '\n' ? "\\n" : data[i] == '\t' ? "\\t" : "\\r", 2);
        } else if (data[i] < 0x20) {
            snprintf(coded, sizeof coded, "\\u%04x", data[i]);
            naive_append(to, coded, 6);
        } else {
            naive_append(to, data + i, step);
        }
    }
    naive_append(to, "\"", 1);
}

static void append_base64(struct naive_bytes *to, const unsigned char *data, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        const size_t left = size - i;
        const unsigned group = (unsigned)data[i] << 16 |
                               (left > 1 ? (unsigned)data[i + 1] << 8 : 0) |
                               (left > 2 ? (unsigned)data[i + 2] : 0);
        char four[4];
        for (unsigned at = 0; at < 4; at++)
            four[at] = at > left ? '=' : digits[group >> (18 - 6 * at) & 63];
        naive_append(to, four, 4);
    }
}

void naive_append_filtered(struct naive_bytes *to, const unsigned char *data, size_t size,
                           enum naive_filter filter)
{
    switch (filter) {
    case NAIVE_AS_IS:
        naive_append(to, data, size);
        break;
    case NAIVE_URL:
        append_url(to, data, size);
        break;
    case NAIVE_JSON:
        append_json(to, data, size);
        break;
    case NAIVE_BASE64:
        append_base64(to, data, size);
        break;
    }
}

static bool is_name(const char *text, size_t size, bool is_key)
{
    for (size_t i = 0; i < size; i++) {
        const char c = text[i];
        const bool plain =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        const bool sign = c == '_' || c == '.' || c == '-';
        if (!plain && !(sign && i > 0) && !(is_key && (c == '_' || c == '.')))
            return false;
    }
    return size > 0 && size < (is_key ? 256 : 64);
}

static int find(const char *const names[], size_t count, const char *text, size_t size)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(names[i]) == size && memcmp(names[i], text, size) == 0)
            return (int)i;
    return NAIVE_NONE;
}

/* KEY (where own is a service) or service/KEY. */
static int reference(struct naive_piece *out, const char *text, size_t size, int own)
{
    const char *slash = memchr(text, '/', size);
    const char *key = slash ? slash + 1 : text;
    const size_t key_size = size - (size_t)(key - text);
    if (!slash && own == NAIVE_NONE)
        return -1;
    if (!is_name(key, key_size, true) || (slash && !is_name(text, (size_t)(slash - text), false)))
        return -1;
    *out = (struct naive_piece){.is_reference = true};
    out->service = slash ? find(naive_services, NAIVE_SERVICES, text, (size_t)(slash - text)) : own;
    out->key = find(naive_keys, NAIVE_KEYS, key, key_size);
    snprintf(out->name, sizeof out->name, "%.*s/%.*s",
             slash ? (int)(slash - text) : (int)strlen(naive_services[own]),
             slash ? text : naive_services[own], (int)key_size, key);
    return 0;
}

int naive_link(struct naive_piece *out, const struct naive_text *text)
{
    return reference(out, (const char *)text->bytes, text->size, NAIVE_NONE);
}

/* What stands between `${` and `}`. */
static int braced(struct naive_piece *out, const char *text, size_t size, int own)
{
    static const char *const words[] = {
        [NAIVE_URL] = "url", [NAIVE_JSON] = "json", [NAIVE_BASE64] = "base64"};
    const char *bar = memchr(text, '|', size);
    const size_t name = bar ? (size_t)(bar - text) : size;
    if (reference(out, text, name, own))
        return -1;
    if (!bar)
        return 0;
    for (int i = NAIVE_URL; i <= NAIVE_BASE64; i++) {
        if (strlen(words[i]) == size - name - 1 &&
            memcmp(words[i], bar + 1, size - name - 1) == 0) {
            out->filter = (enum naive_filter)i;
            return 0;
        }
    }
    return -1;
}

int naive_template(struct naive_piece out[static NAIVE_PIECES_MAX], const struct naive_text *text,
                   int own)
{
    const unsigned char *at = text->bytes, *end = at + text->size;
    int count = 0;
    while (at < end) {
        MUST(count < (int)NAIVE_PIECES_MAX, "too many pieces");
        const unsigned char *dollar = memchr(at, '$', (size_t)(end - at));
        if (dollar != at) {
            const size_t size = (size_t)((dollar ? dollar : end) - at);
            out[count++] = (struct naive_piece){.literal = at, .size = size};
            at += size;
        } else if (end - at > 1 && at[1] == '$') {
            out[count++] = (struct naive_piece){.literal = at, .size = 1};
            at += 2;
        } else if (end - at > 1 && at[1] == '{') {
            const unsigned char *close = memchr(at, '}', (size_t)(end - at));
            if (!close || braced(&out[count], (const char *)at + 2, (size_t)(close - at) - 2, own))
                return -1;
            count++;
            at = close + 1;
        } else {
            return -1;
        }
    }
    return count;
}
