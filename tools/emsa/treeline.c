#include "tools/emsa/treeline.h"

#include <string.h>

#include "store/error.h"
#include "tools/emsa/base64.h"
#include "tools/emsa/flat.h"

struct seen {
    bool path, value;
};

static bool is(const struct secret *name, const char *word)
{
    return name->size == strlen(word) && memcmp(name->data, word, name->size) == 0;
}

static int once(bool *seen, const char *name)
{
    if (*seen)
        return error_set(ERR_INVALID, "\"%s\" is given twice", name);
    *seen = true;
    return 0;
}

static int read_path(struct flat *flat, struct treeline *out, struct secret *scratch)
{
    scratch->size = 0;
    int error = flat_value(flat, scratch);
    if (error == 0)
        error = path_parse(&out->path, scratch->size > 0 ? (const char *)scratch->data : "",
                           scratch->size);
    if (error == 0 && path_depth(&out->path) != PATH_KEY)
        error = error_set(ERR_INVALID, "\"path\" is no key: write environment/service/KEY");
    return error;
}

static int read_value(struct flat *flat, struct treeline *out, struct secret *values,
                      bool is_base64)
{
    out->offset = values->size;
    int error = flat_value(flat, values);
    if (error == 0 && is_base64)
        error = base64_decode(values, values->size - out->offset);
    out->size = values->size - out->offset;
    if (error == 0 && out->size > VALUE_MAX)
        error = error_set(ERR_INVALID, "the value is over %u bytes", VALUE_MAX);
    return error;
}

static int read_mark(struct flat *flat, struct treeline *out, struct secret *scratch)
{
    enum flat_kind kind;
    int error = flat_peek(flat, &kind);
    if (error < 0)
        return error;
    if (kind != FLAT_TRUE && kind != FLAT_FALSE)
        return error_set(ERR_INVALID, "\"secret\" is neither true nor false");
    out->mark = kind == FLAT_TRUE ? MARK_SECRET : MARK_PLAIN;
    return flat_value(flat, scratch);
}

static int read_member(struct flat *flat, struct treeline *out, struct seen *seen,
                       struct secret *values, struct secret *scratch)
{
    int error;
    if (is(scratch, "path")) {
        error = once(&seen->path, "path");
        return error < 0 ? error : read_path(flat, out, scratch);
    }
    if (is(scratch, "value") || is(scratch, "base64")) {
        error = once(&seen->value, "value");
        return error < 0 ? error : read_value(flat, out, values, is(scratch, "base64"));
    }
    if (is(scratch, "secret"))
        return read_mark(flat, out, scratch);
    return error_set(ERR_INVALID,
                     "a member that is none of \"path\", \"value\", \"base64\" and \"secret\"");
}

int treeline_parse(struct treeline *out, struct secret *values, struct secret *scratch,
                   const char *text, size_t size)
{
    struct flat flat = {.text = text, .size = size, .line = 1};
    struct seen seen = {0};
    *out = (struct treeline){0};
    int error = flat_begin(&flat);
    for (bool first = true; error == 0; first = false) {
        scratch->size = 0;
        error = flat_member(&flat, first, scratch);
        if (error == 0)
            error = read_member(&flat, out, &seen, values, scratch);
    }
    if (error < 0)
        return error;
    error = flat_end(&flat);
    if (error == 0 && !(seen.path && seen.value))
        error = error_set(ERR_INVALID, "\"path\" or \"value\" is missing");
    return error;
}
