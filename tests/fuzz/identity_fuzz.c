/* The identity file: whatever is in it, an identity or a failure with a text, and nothing left in
 * the arena. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "store/error.h"
#include "store/identity_file.h"
#include "store/secret.h"
#include "tests/fuzz/target.h"

/* The file itself, with a key at hand: what opens is what it says it is. */
static void look(int fd)
{
    struct identity_file *file = NULL;
    struct identity *identity = NULL;
    SECRET_CLEANUP struct secret key = {0};
    struct identity_opener opener = {.key = &key};
    char shown[IDENTITY_TEXT_MAX], text[IDENTITY_TEXT_MAX];
    if (secret_alloc(&key, IDENTITY_KEY_MIN))
        abort();
    key.size = IDENTITY_KEY_MIN;
    if (identity_file_read(&file, fd, "input"))
        return;
    if (identity_file_slot_count(file) == 0 || !identity_file_name(file)[0])
        abort();
    if (identity_file_open(&identity, file, &opener) == 0) {
        identity_file_public(file, shown);
        identity_public(identity, text);
        if (strcmp(shown, text) != 0)
            abort();
    }
    identity_free(identity);
    identity_file_free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct identity *identity = NULL;
    char text[IDENTITY_TEXT_MAX];
    size_t used, locked;
    if (secret_setup(4u << 20))
        abort();
    int fd = memfd_create("identity", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    error_clear();
    int error = identity_read(&identity, fd, "input");
    look(fd);
    close(fd);
    if (error == 0) {
        identity_public(identity, text);
        if (strlen(text) != 5 + 128)
            abort();
    } else if ((error != -ERR_NO_KEY && error != -ERR_FORMAT && error != -ERR_CORRUPT &&
                error != -ERR_REFUSED) ||
               !error_text()[0] || identity) {
        abort();
    }
    identity_free(identity);
    secret_usage(&used, &locked);
    if (used != 0)
        abort();
    return 0;
}
