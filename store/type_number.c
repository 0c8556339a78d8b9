/* int, bool, port. */
#include <string.h>

#include "store/type_parts.h"

/* -?(0|[1-9][0-9]*): one way to write each number, so no sign that says nothing and no zeros
 * before. */
static bool is_integer(const unsigned char *data, size_t size)
{
    size_t at = size > 0 && data[0] == '-' ? 1 : 0;
    if (at == size || (data[at] == '0' && size - at > 1))
        return false;
    while (at < size && type_is_digit(data[at]))
        at++;
    return at == size;
}

/* Counts down from 0, where there is one number more than above it. False: more than 64 bits. */
static bool number_of(int64_t *out, const unsigned char *data, size_t size)
{
    const bool is_negative = data[0] == '-';
    int64_t number = 0;
    for (size_t at = is_negative ? 1 : 0; at < size; at++)
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_sub_overflow(number, data[at] - '0', &number))
            return false;
    if (!is_negative && __builtin_sub_overflow(0, number, &number))
        return false;
    *out = number;
    return true;
}

int type_look_int(struct type_look *look)
{
    if (!is_integer(look->data, look->size))
        return TYPE_FAULT;
    if (!number_of(&look->number, look->data, look->size))
        return type_wrong(look, "it is beyond 64 bits");
    return 0;
}

int type_look_port(struct type_look *look)
{
    const bool is_number =
        is_integer(look->data, look->size) && number_of(&look->number, look->data, look->size);
    return is_number && look->number >= 1 && look->number <= 65535 ? 0 : TYPE_FAULT;
}

int type_look_bool(struct type_look *look)
{
    const bool is_true = look->size == 4 && memcmp(look->data, "true", 4) == 0;
    const bool is_false = look->size == 5 && memcmp(look->data, "false", 5) == 0;
    return is_true || is_false ? 0 : TYPE_FAULT;
}
