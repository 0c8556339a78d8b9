/* A file as it was, in memory, to be put back after it was changed: only what differs is written.
 */
#ifndef EMSA_TESTS_TRUST_IMAGE_H
#define EMSA_TESTS_TRUST_IMAGE_H

#include <stddef.h>

struct image {
    unsigned char *data; /* owned, for the life of the process */
    size_t size;
};

void image_take(struct image *out, const char *path);

/* The file at path, made where it is not there, is the image again. */
void image_restore(const struct image *image, const char *path);

#endif
