/* url: the grammar of RFC 3986, section 3 and appendix A, with a scheme. */
#include <string.h>
#include <strings.h>

#include "store/type_parts.h"

/* A part of the url: what stands in look->data from `from` up to `to`. */
struct part {
    size_t from, to;
};

#define PORT_MAX 65535u

static bool is_unreserved(unsigned char c)
{
    return type_is_alpha(c) || type_is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

static bool is_of(unsigned char c, const char *set)
{
    return c != '\0' && strchr(set, c);
}

#define SUB_DELIMS "!$&'()*+,;="

/* Whether all of a part is unreserved, of the set, or %XX. */
static int look_at_letters(struct type_look *look, struct part part, const char *set)
{
    const unsigned char *data = look->data;
    for (size_t at = part.from; at < part.to; at++) {
        if (is_unreserved(data[at]) || is_of(data[at], set))
            continue;
        if (data[at] != '%')
            return type_wrong_at(look, at, "what stands here has to be written as %XX");
        if (part.to - at < 3 || !type_is_hex(data[at + 1]) || !type_is_hex(data[at + 2]))
            return type_wrong_at(look, at, "two digits of hex have to follow");
        at += 2;
    }
    return 0;
}

/* The first byte of the set in a part, or its end. */
static size_t find(const struct type_look *look, struct part part, const char *set)
{
    while (part.from < part.to && !is_of(look->data[part.from], set))
        part.from++;
    return part.from;
}

static bool is_scheme(const struct type_look *look, struct part part)
{
    if (part.from == part.to || !type_is_alpha(look->data[part.from]))
        return false;
    for (size_t at = part.from; at < part.to; at++)
        if (!type_is_alpha(look->data[at]) && !type_is_digit(look->data[at]) &&
            !is_of(look->data[at], "+-."))
            return false;
    return true;
}

/* Schemes are the same in capitals. */
static bool is_word(const struct type_look *look, struct part part, const char *word)
{
    return strlen(word) == part.to - part.from &&
           strncasecmp((const char *)look->data + part.from, word, part.to - part.from) == 0;
}

/* --- authority = [ userinfo "@" ] host [ ":" port ] --- */

/* IPvFuture = "v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" ) */
static bool is_future(const unsigned char *data, size_t size)
{
    size_t at = 1;
    if (size < 4 || (data[0] != 'v' && data[0] != 'V'))
        return false;
    while (at < size && type_is_hex(data[at]))
        at++;
    if (at == 1 || at == size || data[at] != '.' || at + 1 == size)
        return false;
    for (at++; at < size; at++)
        if (!is_unreserved(data[at]) && !is_of(data[at], SUB_DELIMS ":"))
            return false;
    return true;
}

static int look_at_port(struct type_look *look, struct part part)
{
    unsigned port = 0;
    for (size_t at = part.from; at < part.to; at++) {
        if (!type_is_digit(look->data[at]))
            return type_wrong_at(look, at, "a port has digits only");
        port = port * 10 + (look->data[at] - '0');
        if (port > PORT_MAX)
            return type_wrong_at(look, part.from, "a port is at most 65535");
    }
    return 0;
}

/* Where the host ends, and a port or nothing follows. */
static int look_at_host(struct type_look *look, struct part part, size_t *end)
{
    const unsigned char *data = look->data;
    if (part.from == part.to || data[part.from] != '[') {
        *end = find(look, part, ":");
        return look_at_letters(look, (struct part){part.from, *end}, SUB_DELIMS);
    }
    const size_t close = find(look, part, "]"), first = part.from + 1;
    if (close == part.to ||
        (!type_is_ipv6(data + first, close - first) && !is_future(data + first, close - first)))
        return type_wrong_at(look, part.from, "an IPv6 address in [ ] begins here");
    *end = close + 1;
    if (*end < part.to && data[*end] != ':')
        return type_wrong_at(look, *end, "a ':' and a port, or a '/', may follow a host");
    return 0;
}

static int look_at_authority(struct type_look *look, struct part part, bool needs_host)
{
    const size_t at = find(look, part, "@");
    struct part host = part;
    size_t end = part.from;
    int fault = 0;
    if (at < part.to) {
        host.from = at + 1;
        fault = look_at_letters(look, (struct part){part.from, at}, SUB_DELIMS ":");
    }
    if (!fault)
        fault = look_at_host(look, host, &end);
    if (fault)
        return fault;
    if (needs_host && end == host.from)
        return type_wrong_at(look, host.from, "the host is missing");
    return end < host.to ? look_at_port(look, (struct part){end + 1, host.to}) : 0;
}

/* --- what follows the scheme --- */

static bool begins_with_slashes(const struct type_look *look, struct part part)
{
    return part.to - part.from >= 2 && look->data[part.from] == '/' &&
           look->data[part.from + 1] == '/';
}

/* "localhost:8080": by the grammar a scheme and a path, by all likelihood neither. */
static bool is_bare_port(const struct type_look *look, struct part hier)
{
    size_t at = hier.from;
    while (at < hier.to && type_is_digit(look->data[at]))
        at++;
    return at > hier.from && (at == hier.to || look->data[at] == '/');
}

static bool is_listed(const struct type_look *look, struct part scheme)
{
    const struct type_words *schemes = look->bounds->schemes;
    for (size_t i = 0; schemes && i < schemes->count; i++)
        if (is_word(look, scheme, schemes->words[i]))
            return true;
    return false;
}

static bool has_list(const struct type_look *look)
{
    return look->bounds->schemes && look->bounds->schemes->count > 0;
}

/* Those whose own standards ask for a host: RFC 9110, section 4.2; RFC 6455, section 3. */
static bool is_of_the_web(const struct type_look *look, struct part scheme)
{
    return is_word(look, scheme, "http") || is_word(look, scheme, "https") ||
           is_word(look, scheme, "ws") || is_word(look, scheme, "wss");
}

/* hier-part = "//" authority path-abempty / path-absolute / path-rootless; not path-empty, which
 * names nothing. */
static int look_at_hier(struct type_look *look, struct part scheme, struct part hier)
{
    const bool needs_host = is_of_the_web(look, scheme);
    struct part path = hier;
    int fault = 0;
    if (begins_with_slashes(look, hier)) {
        const struct part rest = {hier.from + 2, hier.to};
        path.from = find(look, rest, "/");
        fault = look_at_authority(look, (struct part){rest.from, path.from}, needs_host);
    } else if (needs_host) {
        return type_wrong_at(look, hier.from, "'//' and a host have to follow the scheme");
    } else if (hier.from == hier.to) {
        return type_wrong_at(look, hier.from, "nothing follows the scheme");
    } else if (!has_list(look) && is_bare_port(look, hier)) {
        return type_wrong(look, "a host and a port, without a scheme and '//' before them");
    }
    return fault ? fault : look_at_letters(look, path, SUB_DELIMS ":@/");
}

static int say_schemes(struct type_look *look)
{
    char list[TYPE_TEXT_MAX] = "";
    const struct type_words *schemes = look->bounds->schemes;
    for (size_t i = 0, at = 0; i < schemes->count; i++) {
        const size_t size = strlen(schemes->words[i]);
        if (at + size + sizeof(", ") > sizeof(list))
            break;
        memcpy(list + at, i ? ", " : "", i ? 3 : 1);
        at += i ? 2 : 0;
        memcpy(list + at, schemes->words[i], size + 1);
        at += size;
    }
    return type_wrong(look, "its scheme has to be %s%s", schemes->count > 1 ? "one of " : "", list);
}

int type_look_url(struct type_look *look)
{
    const struct part all = {0, look->size};
    const struct part scheme = {0, find(look, all, ":/?#")};
    if (scheme.to == look->size || look->data[scheme.to] != ':' || !is_scheme(look, scheme))
        return type_wrong(look, "it begins with no scheme (as https:)");
    if (has_list(look) && !is_listed(look, scheme))
        return say_schemes(look);
    const struct part rest = {scheme.to + 1, look->size};
    const struct part hier = {rest.from, find(look, rest, "?#")};
    const struct part query = {hier.to, find(look, (struct part){hier.to, look->size}, "#")};
    int fault = look_at_hier(look, scheme, hier);
    if (!fault && query.from < query.to)
        fault = look_at_letters(look, (struct part){query.from + 1, query.to}, SUB_DELIMS ":@/?");
    if (!fault && query.to < look->size)
        fault = look_at_letters(look, (struct part){query.to + 1, look->size}, SUB_DELIMS ":@/?");
    return fault;
}
