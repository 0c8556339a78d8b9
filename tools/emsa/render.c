#include "tools/emsa/render.h"

#include <stdio.h>

#include "store/error.h"
#include "tools/emsa/hidden.h"

int render_entry(struct secret *out, json_t *entry, const unsigned char *value, size_t size)
{
    char numbers[128], end[48] = "";
    const json_t *expires = json_object_get(entry, "expires");
    const char *path = json_string_value(json_object_get(entry, "path"));
    const char *kind = json_string_value(json_object_get(entry, "kind"));
    if (expires != NULL)
        snprintf(end, sizeof end, ", \"expires\": %lld", (long long)json_integer_value(expires));
    snprintf(numbers, sizeof numbers, "\", \"size\": %zu, \"rev\": %lld, \"time\": %lld", size,
             (long long)json_integer_value(json_object_get(entry, "rev")),
             (long long)json_integer_value(json_object_get(entry, "time")));
    const char *head[] = {"{\"path\": \"",
                          path != NULL ? path : "",
                          "\", \"kind\": \"",
                          kind != NULL ? kind : "",
                          numbers,
                          end,
                          ", \"value\": "};
    for (size_t i = 0; i < sizeof head / sizeof head[0]; i++) {
        int error = hidden_append_text(out, head[i]);
        if (error < 0)
            return error;
    }
    struct render rest = render_whole(out);
    render_json(&rest, value, size);
    render_text(&rest, "}\n");
    return rest.error;
}
