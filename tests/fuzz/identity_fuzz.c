/* The identity file: whatever is in it, an identity or a failure with a text, and nothing left in
 * the arena. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "store/error.h"
#include "store/identity.h"
#include "store/secret.h"
#include "tests/fuzz/target.h"

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
    close(fd);
    if (error == 0) {
        identity_public(identity, text);
        if (strlen(text) != 5 + 128)
            abort();
    } else if ((error != -ERR_NO_KEY && error != -ERR_FORMAT) || !error_text()[0] || identity) {
        abort();
    }
    identity_free(identity);
    secret_usage(&used, &locked);
    if (used != 0)
        abort();
    return 0;
}
