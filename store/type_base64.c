/* base64: RFC 4648, section 4, with its padding, on one line, each text in its one encoding. */
#include "store/type_parts.h"

int type_base64_digit(unsigned char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (type_is_digit(c))
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int type_look_base64(struct type_look *look)
{
    const unsigned char *data = look->data;
    size_t digits = 0, padding = 0;
    while (digits < look->size && type_base64_digit(data[digits]) >= 0)
        digits++;
    while (digits + padding < look->size && data[digits + padding] == '=')
        padding++;
    if (digits + padding < look->size)
        return type_wrong_at(look, digits + padding,
                             padding ? "nothing may follow its padding"
                                     : "none of its digits (A-Z a-z 0-9 + /)");
    if (padding > 2 || look->size % 4 != 0)
        return type_wrong(look, "its digits and padding are no multiple of 4");
    /* What the last digit has beyond whole bytes (section 3.5). */
    const int spare = padding == 2 ? 15 : padding == 1 ? 3 : 0;
    if (spare && (type_base64_digit(data[digits - 1]) & spare))
        return type_wrong(look, "its last digit has bits that belong to nothing");
    return 0;
}
