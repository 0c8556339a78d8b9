/* Filters whatever comes in: a byte that says the filter, four of the size (little endian), the
 * data; again and again. What comes out is a size and what the filter made. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/encode.h"

static int filter_one(enum template_filter filter, size_t size)
{
    int outcome = 1;
    unsigned char *data = malloc(size + 1), *out = NULL;
    if (data && fread(data, 1, size, stdin) == size) {
        uint32_t made = (uint32_t)encode_size(filter, data, size);
        out = malloc(made + 1u);
        if (out) {
            out[made] = 0xa5; /* must still be there */
            encode(filter, out, data, size);
            outcome = out[made] != 0xa5 || fwrite(&made, sizeof(made), 1, stdout) != 1 ||
                      fwrite(out, 1, made, stdout) != made;
        }
    }
    free(data);
    free(out);
    return outcome;
}

int main(void)
{
    unsigned char head[5];
    int outcome = 0;
    while (outcome == 0 && fread(head, 1, sizeof(head), stdin) == sizeof(head)) {
        uint32_t size;
        memcpy(&size, head + 1, sizeof(size));
        outcome = filter_one((enum template_filter)head[0], size);
    }
    return outcome || fflush(stdout) ? 1 : 0;
}
