#include "store/db/readers.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "store/db/guard.h"
#include "store/error.h"

struct range {
    unsigned char *start;
    size_t size;
    void *copy;
};

/* "start-end rw-s offset device inode      path" */
static bool is_of(const char *line, const char *file, struct range *out)
{
    uintptr_t start, end;
    int name = 0;
    if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " rw-s %*s %*s %*s %n", &start, &end, &name) != 2 ||
        name == 0 || end <= start || strcmp(line + name, file) != 0)
        return false;
    out->start = (unsigned char *)start; /* NOLINT: an address is what the kernel tells */
    out->size = end - start;
    return true;
}

static bool find(const char *file, struct range *out)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[PATH_MAX + 128];
    bool found = false;
    while (maps && !found && fgets(line, sizeof(line), maps)) {
        line[strcspn(line, "\n")] = '\0';
        found = is_of(line, file, out);
    }
    if (maps)
        (void)fclose(maps);
    return found;
}

/* In a guard: the file may have been cut since it was mapped. */
static int copy(void *arg)
{
    struct range *range = arg;
    memcpy(range->copy, range->start, range->size);
    return 0;
}

static int replace(struct range *range)
{
    range->copy =
        mmap(NULL, range->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (range->copy == MAP_FAILED)
        return error_set(ERR_NOMEM, "no memory for the table of readers");
    /* A table that cannot be read stays: who uses it next meets the same, and says so. */
    if (guard_call(copy, range) == 0 &&
        mremap(range->copy, range->size, range->size, MREMAP_MAYMOVE | MREMAP_FIXED,
               range->start) != MAP_FAILED)
        return 0;
    munmap(range->copy, range->size);
    return 0;
}

int readers_to_memory(const char *path)
{
    char file[PATH_MAX + 16];
    struct range range;
    char *real = realpath(path, NULL);
    if (!real)
        return 0;
    (void)snprintf(file, sizeof(file), "%s/lock.mdb", real);
    free(real);
    return find(file, &range) ? replace(&range) : 0;
}
