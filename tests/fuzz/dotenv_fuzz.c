/* A dotenv file from anybody: it is read or refused with its line, and what was read is exported
 * and read back as the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/render.h"
#include "tests/fuzz/target.h"
#include "tools/emsa/dotenv.h"

#define INPUT_MAX 65536

static void check_again(const struct assignments *first)
{
    struct secret text SECRET_CLEANUP = {0};
    struct assignments second = {.file = "again"};
    struct render render = render_whole(&text);
    for (size_t i = 0; i < first->count; i++)
        if (render_dotenv(&render, first->list[i].key, assignment_value(first, &first->list[i]),
                          first->list[i].size) ||
            render.error)
            abort();
    if (dotenv_parse(&second, text.size > 0 ? (const char *)text.data : "", text.size) < 0 ||
        second.count != first->count)
        abort();
    for (size_t i = 0; i < first->count; i++)
        if (strcmp(first->list[i].key, second.list[i].key) != 0 ||
            first->list[i].size != second.list[i].size ||
            memcmp(assignment_value(first, &first->list[i]),
                   assignment_value(&second, &second.list[i]), first->list[i].size) != 0)
            abort();
    assignments_release(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct assignments all = {.file = "input"};
    if (size > INPUT_MAX || secret_setup(16u << 20) < 0)
        return 0;
    if (dotenv_parse(&all, (const char *)data, size) == 0)
        check_again(&all);
    assignments_release(&all);
    return 0;
}
