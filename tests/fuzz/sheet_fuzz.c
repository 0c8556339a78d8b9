/* A file of definitions from anybody: read, or refused with places that lie in it; and any text
 * that a scalar can hold, written and read back. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "tests/fuzz/target.h"
#include "tools/emsa/hidden.h"
#include "tools/emsa/sheet.h"
#include "tools/emsa/yaml_write.h"

#define INPUT_MAX 65536

static void check_keys(const struct sheet *sheet)
{
    size_t keys = 0;
    for (size_t i = 0; i < sheet->service_count; i++) {
        const struct sheet_service *service = &sheet->services[i];
        if (service->environment >= sheet->environment_count || service->first_key != keys)
            abort();
        keys += service->key_count;
        for (size_t n = 1; n < service->key_count; n++)
            if (strcmp(sheet->keys[service->first_key + n - 1].name,
                       sheet->keys[service->first_key + n].name) >= 0)
                abort();
    }
    if (keys != sheet->key_count)
        abort();
}

static void read_sheet(const uint8_t *data, size_t size)
{
    struct faults faults FAULTS_CLEANUP = {0};
    struct bytes told BYTES_CLEANUP = BYTES_INIT(16u << 20);
    struct sheet sheet = {0};
    int error = sheet_read(&sheet, &faults, "f", "/proc/self/task", (const char *)data, size);
    if (error == 0 && faults.count == 0)
        check_keys(&sheet);
    if (error < 0 && error_text()[0] == '\0')
        abort();
    faults_write(&faults, &told, "");
    sheet_release(&sheet);
}

static void write_scalar(const uint8_t *data, size_t size, unsigned indent)
{
    struct secret text SECRET_CLEANUP = {0};
    struct yaml_tree tree = {.file = "x"};
    if (hidden_append_text(&text, indent > 0 ? "a:\n b: " : "a: {b: ") < 0 ||
        yaml_write(&text, data, size, indent) < 0 ||
        hidden_append_text(&text, indent > 0 ? "\n c: d\n" : "}\n") < 0)
        return;
    if (yaml_read(&tree, (const char *)text.data, text.size) < 0)
        abort();
    const struct yaml_node *value = yaml_get(&tree, yaml_get(&tree, tree.documents[0], "a"), "b");
    if (value == NULL || value->size != size ||
        (size > 0 && memcmp(yaml_text(&tree, value), data, size) != 0))
        abort();
    yaml_release(&tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > INPUT_MAX || secret_setup(64u << 20) < 0)
        return 0;
    read_sheet(data, size);
    if (size > 0 && yaml_holds(data, size)) {
        write_scalar(data, size, 3);
        write_scalar(data, size, 0);
    }
    return 0;
}
