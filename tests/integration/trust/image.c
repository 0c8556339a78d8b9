#include "tests/integration/trust/image.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/store/trial.h"

#define PAGE 4096u

static unsigned char *map(int fd, size_t size)
{
    unsigned char *data = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    MUST(data != MAP_FAILED, "cannot map");
    return data;
}

void image_take(struct image *out, const char *path)
{
    struct stat info;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    MUST(fd >= 0 && fstat(fd, &info) == 0 && info.st_size > 0, "cannot read '%s'", path);
    out->size = (size_t)info.st_size;
    out->data = malloc(out->size);
    MUST(out->data, "no memory");
    unsigned char *found = map(fd, out->size);
    memcpy(out->data, found, out->size);
    munmap(found, out->size);
    close(fd);
}

void image_restore(const struct image *image, const char *path)
{
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    MUST(fd >= 0 && ftruncate(fd, (off_t)image->size) == 0, "cannot open '%s'", path);
    unsigned char *found = map(fd, image->size);
    for (size_t at = 0; at < image->size; at += PAGE) {
        const size_t size = image->size - at < PAGE ? image->size - at : PAGE;
        if (memcmp(found + at, image->data + at, size) != 0)
            MUST(pwrite(fd, image->data + at, size, (off_t)at) == (ssize_t)size, "cannot write");
    }
    munmap(found, image->size);
    close(fd);
}
