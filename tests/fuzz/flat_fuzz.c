/* A JSON file and the lines of a tree from anybody. The first byte says which: what was read as a
 * file is exported and read back as the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/render.h"
#include "tests/fuzz/target.h"
#include "tools/emsa/flat.h"
#include "tools/emsa/treeline.h"

#define INPUT_MAX 65536

static void check_again(const struct assignments *first)
{
    struct secret text SECRET_CLEANUP = {0};
    struct assignments second = {.file = "again"};
    struct render render = render_whole(&text);
    for (size_t i = 0; i < first->count; i++)
        render_member(&render, first->list[i].key, assignment_value(first, &first->list[i]),
                      first->list[i].size, i == 0);
    render_object_end(&render, first->count == 0);
    if (flat_parse(&second, (const char *)text.data, text.size) < 0 || second.count != first->count)
        abort();
    for (size_t i = 0; i < first->count; i++)
        if (first->list[i].size != second.list[i].size ||
            memcmp(assignment_value(first, &first->list[i]),
                   assignment_value(&second, &second.list[i]), first->list[i].size) != 0)
            abort();
    assignments_release(&second);
}

static void read_lines(const char *text, size_t size)
{
    struct secret values SECRET_CLEANUP = {0};
    struct secret scratch SECRET_CLEANUP = {0};
    while (size > 0) {
        struct treeline line;
        const char *end = memchr(text, '\n', size);
        size_t length = end != NULL ? (size_t)(end - text) : size;
        if (treeline_parse(&line, &values, &scratch, text, length) == 0 &&
            (line.offset > values.size || line.size > values.size - line.offset))
            abort();
        length += end != NULL;
        text += length;
        size -= length;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct assignments all = {.file = "input"};
    if (size < 1 || size > INPUT_MAX || secret_setup(16u << 20) < 0)
        return 0;
    if (data[0] == 'L') {
        read_lines((const char *)data + 1, size - 1);
        return 0;
    }
    if (flat_parse(&all, (const char *)data + 1, size - 1) == 0)
        check_again(&all);
    assignments_release(&all);
    return 0;
}
