/* The second half of resolve.h: the bytes of what was resolved. A template's are put together anew
 * each time, in locked memory: what it is made of may be secrets, and stands nowhere else. */
#include "store/model/resolve.h"

#include <string.h>

#include "store/encode.h"
#include "store/error.h"
#include "store/model/value.h"

static int too_large(struct resolver *resolver)
{
    resolver->fault = FAULT_LARGE;
    return RESOLVE_FAULT;
}

/* Room for size bytes more behind what is there. */
static int make_room(struct resolver *resolver, struct secret *out, size_t size)
{
    if (size > VALUE_MAX || out->size > VALUE_MAX - size)
        return too_large(resolver);
    const size_t wanted = out->size + size;
    if (wanted <= out->capacity)
        return 0;
    const size_t doubled = out->capacity * 2;
    const size_t room = wanted > doubled ? wanted : doubled;
    return secret_grow(out, room < 64 ? 64 : room);
}

static int append(struct resolver *resolver, struct secret *out, enum template_filter filter,
                  const void *data, size_t size)
{
    const size_t encoded = encode_size(filter, data, size);
    const int error = make_room(resolver, out, encoded);
    if (error)
        return error;
    if (encoded)
        encode(filter, out->data + out->size, data, size);
    out->size += encoded;
    return 0;
}

/* The entry that a reference of an owner's text reaches, judged by nobody: it was when it was
 * made. */
static int reach_reference(struct resolver *resolver, struct entry *out,
                           const struct definition *text, const struct reference *reference)
{
    uint32_t service = text->service;
    struct spot spot;
    int found =
        reference->service[0] ? state_service_id(resolver->txn, &service, reference->service) : 0;
    if (!found)
        found = resolve_find(resolver, &spot, service, reference->key);
    if (found > 0) {
        resolver->fault = FAULT_DANGLING;
        return RESOLVE_FAULT;
    }
    return found ? found : resolve(resolver, out, &spot);
}

/* What is done for each piece of a template: reached is what a reference reaches, NULL for a text
 * between them. */
typedef int piece_step(struct resolver *resolver, const struct template_piece *piece,
                       const struct entry *reached, unsigned depth, void *arg);

static int each_piece(struct resolver *resolver, const struct definition *text, unsigned depth,
                      piece_step *step, void *arg)
{
    struct template_piece piece;
    struct template template = {0};
    struct entry entry;
    const unsigned char *data;
    int found = resolve_text(resolver, &data, &template.size, text, NULL);
    if (found)
        return found;
    template.text = (const char *)data;
    if (depth > RESOLVE_DEPTH_MAX) {
        resolver->fault = FAULT_DEPTH;
        return RESOLVE_FAULT;
    }
    while (!(found = template_next(&template, &piece))) {
        const bool is_text = piece.kind == TEMPLATE_TEXT;
        if (!is_text)
            found = reach_reference(resolver, &entry, text, &piece.reference);
        if (!found)
            found = step(resolver, &piece, is_text ? NULL : &entry, depth, arg);
        if (found)
            return found;
    }
    return found == TEMPLATE_END ? 0 : error_set(ERR_CORRUPT, "a template's text is none");
}

static piece_step append_piece;

static int append_entry(struct resolver *resolver, struct secret *out, enum template_filter filter,
                        const struct entry *entry, unsigned depth)
{
    SECRET_CLEANUP struct secret scratch = {0};
    const unsigned char *data;
    size_t size;
    int error;
    if (entry_is_composed(entry)) {
        error = each_piece(resolver, &entry->value, depth + 1, append_piece, &scratch);
        data = scratch.data;
        size = scratch.size;
    } else {
        error = resolve_text(resolver, &data, &size, &entry->value, &scratch);
    }
    return error ? error : append(resolver, out, filter, data, size);
}

/* arg: the struct secret that is put together. */
static int append_piece(struct resolver *resolver, const struct template_piece *piece,
                        const struct entry *reached, unsigned depth, void *arg)
{
    if (!reached)
        return append(resolver, arg, TEMPLATE_AS_IS, piece->text, piece->size);
    return append_entry(resolver, arg, piece->filter, reached, depth);
}

int resolve_bytes(struct resolver *resolver, const unsigned char **data, size_t *size,
                  const struct entry *entry, struct secret *scratch)
{
    if (!entry_is_composed(entry))
        return resolve_text(resolver, data, size, &entry->value, scratch);
    /* what follows resolves piece by piece, and asks nobody's leave */
    const bool judges = resolver->judges;
    secret_clear(scratch);
    resolver->judges = false;
    const int error = each_piece(resolver, &entry->value, 0, append_piece, scratch);
    resolver->judges = judges;
    if (error)
        return error;
    *data = scratch->data;
    *size = scratch->size;
    return 0;
}

static size_t base64_size(size_t size)
{
    return (size + 2) / 3 * 4;
}

static piece_step add_size;

/* How much a reference adds: known from how long its value is, but for filters that look at it. */
static int size_of_piece(struct resolver *resolver, size_t *size, enum template_filter filter,
                         const struct entry *entry, unsigned depth)
{
    SECRET_CLEANUP struct secret scratch = {0};
    int error;
    *size = 0;
    if (filter == TEMPLATE_URL || filter == TEMPLATE_JSON) {
        error = append_entry(resolver, &scratch, filter, entry, depth);
        *size = scratch.size;
        return error;
    }
    error = entry_is_composed(entry)
                ? each_piece(resolver, &entry->value, depth + 1, add_size, size)
                : resolve_size(resolver, size, entry);
    if (!error && filter == TEMPLATE_BASE64)
        *size = base64_size(*size);
    return error;
}

/* arg: the size_t that it comes to. */
static int add_size(struct resolver *resolver, const struct template_piece *piece,
                    const struct entry *reached, unsigned depth, void *arg)
{
    size_t *total = arg, more = piece->size;
    const int error = reached ? size_of_piece(resolver, &more, piece->filter, reached, depth) : 0;
    if (error)
        return error;
    *total += more;
    return *total > VALUE_MAX ? too_large(resolver) : 0;
}

int resolve_size(struct resolver *resolver, size_t *size, const struct entry *entry)
{
    if (entry_is_composed(entry)) {
        const bool judges = resolver->judges;
        size_t total = 0;
        resolver->judges = false;
        const int error = each_piece(resolver, &entry->value, 0, add_size, &total);
        resolver->judges = judges;
        if (!error)
            *size = total;
        return error;
    }
    if (entry->value.kind != ENTRY_SECRET) {
        *size = entry->value.stored_size;
        return 0;
    }
    return resolve_length(resolver, size, &entry->value);
}
