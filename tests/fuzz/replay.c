/* Feeds every file of the folders given to the fuzz target, once, and a few cuts of each. Stands in
 * for libFuzzer where the compiler has none. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/target.h"

#define INPUT_MAX (1u << 20)

/* A copy of exactly that size, so that a sanitizer sees a read of one byte too many. */
static void feed(const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size ? size : 1);
    if (!exact)
        abort();
    if (size > 0)
        memcpy(exact, data, size);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
}

static int replay_file(const char *path)
{
    static uint8_t data[INPUT_MAX];
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    size_t size = fread(data, 1, sizeof(data), file);
    fclose(file);
    feed(data, size);
    for (size_t cut = 0; cut < size; cut += size / 64 + 1)
        feed(data, cut);
    return 1;
}

static int replay_folder(const char *path)
{
    int count = 0;
    struct dirent *entry;
    DIR *folder = opendir(path);
    if (!folder)
        return 0;
    while ((entry = readdir(folder))) {
        char file[4096];
        if (entry->d_name[0] != '.' &&
            snprintf(file, sizeof(file), "%s/%s", path, entry->d_name) < (int)sizeof(file))
            count += replay_file(file);
    }
    closedir(folder);
    return count;
}

int main(int count, char **arguments)
{
    int files = 0;
    for (int i = 1; i < count; i++)
        files += replay_folder(arguments[i]);
    printf("%d inputs\n", files);
    return files > 0 ? 0 : 1; /* a corpus that isn't there is no success */
}
