#include "tools/emsa/endpoint.h"

#include <ctype.h>
#include <string.h>

#define HOST_MAX 253 /* of DNS */
#define PORT_DIGITS_MAX 5

static bool is_host_byte(char c)
{
    return isalnum((unsigned char)c) || c == '.' || c == '-' || c == '_';
}

static bool is_word(const char *text, size_t size, const char *word)
{
    return size == strlen(word) && memcmp(text, word, size) == 0;
}

static bool is_everywhere(const char *host, size_t size)
{
    return is_word(host, size, "localhost") || is_word(host, size, "0.0.0.0") ||
           (size > 4 && memcmp(host, "127.", 4) == 0);
}

/* Four numbers: what has no letter otherwise is a version or a time. */
static bool is_address(const char *host, size_t size)
{
    size_t dots = 0, digits = 0;
    for (size_t i = 0; i < size; i++) {
        if (host[i] == '.') {
            if (digits == 0)
                return false;
            dots++;
            digits = 0;
        } else if (!isdigit((unsigned char)host[i]) || ++digits > 3) {
            return false;
        }
    }
    return dots == 3 && digits > 0;
}

static bool is_host(const char *host, size_t size)
{
    bool has_letter = false;
    if (size < 2 || size > HOST_MAX || !isalnum((unsigned char)host[0]) ||
        !isalnum((unsigned char)host[size - 1]) || is_everywhere(host, size))
        return false;
    for (size_t i = 0; i < size; i++)
        has_letter = has_letter || isalpha((unsigned char)host[i]);
    return has_letter || is_address(host, size);
}

/* The host, and the port behind it, that size bytes at text are, all of them. */
static bool is_endpoint(struct endpoint *out, const char *text, size_t size)
{
    size_t host = 0;
    while (host < size && is_host_byte(text[host]))
        host++;
    if (!is_host(text, host))
        return false;
    size_t end = host;
    if (host < size && text[host] == ':')
        for (end++; end < size && isdigit((unsigned char)text[end]);)
            end++;
    if (end != size || end == host + 1 || end > host + 1 + PORT_DIGITS_MAX)
        return false;
    out->host_size = host;
    out->size = size;
    return true;
}

/* What of a URL follows "://" and lies before its path: past the name and password. */
static size_t authority(const char *text, size_t size, size_t *begin)
{
    size_t end = *begin;
    while (end < size && strchr("/?#,; \"'<>()", text[end]) == NULL)
        end++;
    for (size_t i = *begin; i < end; i++)
        if (text[i] == '@')
            *begin = i + 1;
    return end;
}

static bool next_of_url(struct endpoint *out, size_t *at, const char *text, size_t size)
{
    while (*at < size) {
        const char *mark = memmem(text + *at, size - *at, "://", 3);
        if (mark == NULL)
            return false;
        size_t begin = (size_t)(mark - text) + 3;
        bool has_scheme = mark > text && isalnum((unsigned char)mark[-1]);
        size_t end = authority(text, size, &begin);
        *at = end;
        out->offset = begin;
        out->is_whole = false;
        if (has_scheme && is_endpoint(out, text + begin, end - begin))
            return true;
    }
    return false;
}

/* One of a list that is divided by commas; a host without a port only where it stands alone. */
static bool next_of_list(struct endpoint *out, size_t *at, const char *text, size_t size)
{
    while (*at < size) {
        size_t begin = *at;
        const char *comma = memchr(text + begin, ',', size - begin);
        size_t end = comma != NULL ? (size_t)(comma - text) : size;
        *at = end + 1;
        out->offset = begin;
        out->is_whole = begin == 0 && end == size;
        if (is_endpoint(out, text + begin, end - begin) &&
            (out->is_whole || endpoint_has_port(out)))
            return true;
    }
    return false;
}

bool endpoint_next(struct endpoint *out, size_t *at, const char *text, size_t size)
{
    struct endpoint found = {0};
    bool has_url = size > 3 && memmem(text, size, "://", 3) != NULL;
    if (!(has_url ? next_of_url : next_of_list)(&found, at, text, size))
        return false;
    *out = found;
    return true;
}
