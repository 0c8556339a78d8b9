/* A compose file and its dotenv file, or manifests, from anybody: they are taken in or refused, and
 * whatever is taken in comes, link by link and template by template, to the bytes that it has. The
 * dotenv file stands first, up to a line "---8<---". */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "tests/fuzz/target.h"
#include "tools/emsa/compose.h"
#include "tools/emsa/intake_marks.h"
#include "tools/emsa/intake_text.h"
#include "tools/emsa/kube.h"

#define INPUT_MAX 65536
#define CUT "---8<---\n"

static void check_key(const struct intake *intake, const struct intake_key *key)
{
    const struct intake_part *parts = intake->parts + key->value.first_part;
    size_t at = 0;
    if (key->flat || !intake_has(intake, key))
        return;
    for (size_t i = 0; i < key->value.part_count; i++) {
        if (parts[i].offset != at)
            abort();
        at += parts[i].size;
        if (parts[i].key == INTAKE_NONE)
            continue;
        const struct intake_key *target = &intake->keys[parts[i].key];
        if (!intake_has(intake, target) || target->setting >= key->setting ||
            target->value.size != parts[i].size ||
            memcmp(intake_bytes(intake, target), intake_bytes(intake, key) + parts[i].offset,
                   parts[i].size) != 0)
            abort();
        if (target->touches && !key->touches)
            abort();
    }
    if (at != key->value.size)
        abort();
}

static void check(struct intake *intake)
{
    static const struct texts none;
    struct intake_choice choice = {&none, &none, true};
    struct intake_call call;
    if (intake_settle(intake) < 0 || intake_mark(intake, &choice) < 0)
        return;
    for (size_t i = 0; i < intake->key_count; i++)
        check_key(intake, &intake->keys[i]);
    if (intake_compose_call(&call, intake, "demo", false) < 0)
        abort();
    intake_call_release(&call);
}

static void take_compose(const uint8_t *data, size_t size)
{
    struct secret text SECRET_CLEANUP = {0};
    struct secret dotenv SECRET_CLEANUP = {0};
    struct intake intake = {0};
    const uint8_t *cut = size > 0 ? memmem(data, size, CUT, strlen(CUT)) : NULL;
    size_t first = cut != NULL ? (size_t)(cut - data) : 0;
    size_t begin = cut != NULL ? first + strlen(CUT) : 0;
    if (secret_copy(&dotenv, data, first) < 0 || secret_copy(&text, data + begin, size - begin) < 0)
        return;
    /* a folder where no env_file is */
    struct compose_input input = {.file = "/proc/self/task/c.yaml",
                                  .text = &text,
                                  .dotenv_file = cut != NULL ? ".env" : NULL,
                                  .dotenv = &dotenv};
    if (compose_take(&intake, &input) == 0)
        check(&intake);
    intake_release(&intake);
}

static void take_kube(const uint8_t *data, size_t size)
{
    struct secret text SECRET_CLEANUP = {0};
    struct intake intake = {0};
    if (secret_copy(&text, data, size) == 0 && kube_take(&intake, "k.yaml", &text) == 0)
        check(&intake);
    intake_release(&intake);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > INPUT_MAX || secret_setup(64u << 20) < 0)
        return 0;
    take_compose(data, size);
    take_kube(data, size);
    return 0;
}
