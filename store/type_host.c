/* hostname, email; addresses of IP. */
#include <arpa/inet.h>
#include <string.h>

#include "store/type_parts.h"

#define LABEL_MAX 63u /* RFC 1035, section 2.3.4 */
#define HOST_MAX 253u /* of 255 with the lengths of the first label and the root */

/* inet_pton takes an ended text, on the stack as long as it is looked at. */
static bool is_address_of(int family, const unsigned char *data, size_t size)
{
    char text[INET6_ADDRSTRLEN] = {0};
    struct in6_addr address;
    if (size >= sizeof(text) || memchr(data, '\0', size))
        return false;
    memcpy(text, data, size);
    const bool is_one = inet_pton(family, text, &address) == 1;
    explicit_bzero(text, sizeof(text));
    explicit_bzero(&address, sizeof(address));
    return is_one;
}

bool type_is_ipv6(const unsigned char *data, size_t size)
{
    return is_address_of(AF_INET6, data, size);
}

bool type_is_address(const unsigned char *data, size_t size)
{
    return is_address_of(AF_INET, data, size) || type_is_ipv6(data, size);
}

static bool is_letter_or_digit(unsigned char c)
{
    return type_is_alpha(c) || type_is_digit(c);
}

/* Where the label from at ends; at itself: none begins there. */
static size_t label_end(const unsigned char *data, size_t at, size_t size)
{
    size_t end = at;
    while (end < size && (is_letter_or_digit(data[end]) || data[end] == '-'))
        end++;
    const bool is_one =
        end > at && end - at <= LABEL_MAX && data[at] != '-' && data[end - 1] != '-';
    return is_one ? end : at;
}

static bool has_only_digits(const unsigned char *data, size_t from, size_t to)
{
    while (from < to && type_is_digit(data[from]))
        from++;
    return from == to;
}

/* Labels with dots between them, the last of which is no number: what ends in one is an address
 * that went wrong (RFC 1123, section 2.1). */
static bool is_name(const unsigned char *data, size_t size)
{
    size_t last = 0, end = label_end(data, 0, size);
    while (end > last && end < size && data[end] == '.') {
        last = end + 1;
        end = label_end(data, last, size);
    }
    return size <= HOST_MAX && end > last && end == size && !has_only_digits(data, last, end);
}

int type_look_hostname(struct type_look *look)
{
    /* A final dot says that nothing is to be searched behind the name (RFC 1034, section 3.1). */
    const size_t size =
        look->size > 1 && look->data[look->size - 1] == '.' ? look->size - 1 : look->size;
    return is_name(look->data, size) || type_is_address(look->data, look->size) ? 0 : TYPE_FAULT;
}

#define LOCAL_MAX 64u    /* RFC 5321, section 4.5.3.1.1 */
#define ADDRESS_MAX 254u /* 4.5.3.1.3: a path of 256 with its < and > */

static bool is_atom_letter(unsigned char c)
{
    return is_letter_or_digit(c) || (c != '\0' && strchr("!#$%&'*+/=?^_`{|}~-", c));
}

/* Atoms with dots between them (RFC 5321, section 4.1.2: Dot-string). */
static bool is_local(const unsigned char *data, size_t size)
{
    bool after_atom = false;
    for (size_t at = 0; at < size; at++) {
        if (data[at] == '.' ? !after_atom : !is_atom_letter(data[at]))
            return false;
        after_atom = data[at] != '.';
    }
    return after_atom && size <= LOCAL_MAX;
}

int type_look_email(struct type_look *look)
{
    const unsigned char *sign = memchr(look->data, '@', look->size);
    const size_t local = sign ? (size_t)(sign - look->data) : 0;
    if (!sign || look->size > ADDRESS_MAX || !is_local(look->data, local))
        return TYPE_FAULT;
    return is_name(sign + 1, look->size - local - 1) ? 0 : TYPE_FAULT;
}
