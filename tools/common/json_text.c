#include "tools/common/json_text.h"

#include "store/bytes.h"
#include "store/error.h"

/* Whether it was taken is asked once, at the end: what is said on the way is not listened to. */
static int take(const char *text, size_t size, void *arg)
{
    bytes_append(arg, text, size);
    return 0;
}

int json_text(char **out, const json_t *value, size_t flags, const char *end)
{
    struct bytes bytes BYTES_CLEANUP = BYTES_INIT(SIZE_MAX);
    if (value == NULL || json_dump_callback(value, take, &bytes, flags) < 0)
        return error_set(ERR_NOMEM, "cannot write JSON: out of memory");
    bytes_append_text(&bytes, end);
    bytes_append(&bytes, "", 1);
    if (bytes.error < 0)
        return error_set(ERR_NOMEM, "cannot write JSON: out of memory");
    *out = (char *)bytes.data;
    bytes = BYTES_INIT(0);
    return 0;
}
