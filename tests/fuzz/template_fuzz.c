/* Texts of templates and links: the pieces of what is taken, put together again, are the text; no
 * piece names an environment; the filters write as much as they said, in the letters that they may.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/encode.h"
#include "store/error.h"
#include "store/name.h"
#include "store/template.h"
#include "tests/fuzz/target.h"

static void must(bool right)
{
    if (!right)
        abort();
}

/* Whether text goes on with this at *at; then *at is behind it. */
static void must_follow(const char *text, size_t size, size_t *at, const char *part, size_t length)
{
    must(length <= size - *at && memcmp(text + *at, part, length) == 0);
    *at += length;
}

static void check_names(const struct reference *reference)
{
    size_t service = strlen(reference->service);
    must(service == 0 || name_check(NAME_SERVICE, reference->service, service) == 0);
    must(name_check(NAME_KEY, reference->key, strlen(reference->key)) == 0);
    must(!strchr(reference->service, '/') && !strchr(reference->key, '/'));
}

static void check_reference(const char *text, size_t size, size_t *at,
                            const struct template_piece *piece)
{
    static const char *const filters[] = {"", "|url", "|json", "|base64"};
    const struct reference *reference = &piece->reference;
    check_names(reference);
    must_follow(text, size, at, "${", 2);
    if (reference->service[0]) {
        must_follow(text, size, at, reference->service, strlen(reference->service));
        must_follow(text, size, at, "/", 1);
    }
    must_follow(text, size, at, reference->key, strlen(reference->key));
    must((size_t)piece->filter < sizeof(filters) / sizeof(filters[0]));
    must_follow(text, size, at, filters[piece->filter], strlen(filters[piece->filter]));
    must_follow(text, size, at, "}", 1);
}

static void check_text(const char *text, size_t size, size_t *at,
                       const struct template_piece *piece)
{
    bool dollar = piece->size > 0 && memchr(piece->text, '$', piece->size);
    must(piece->size > 0 && (!dollar || piece->size == 1));
    must(piece->text == text + *at);
    must_follow(text, size, at, dollar ? "$$" : piece->text, dollar ? 2 : piece->size);
}

static void check_template(const char *text, size_t size)
{
    struct template template = {.text = text, .size = size};
    struct template_piece piece;
    size_t at = 0;
    int outcome;
    while ((outcome = template_next(&template, &piece)) == 0) {
        if (piece.kind == TEMPLATE_REFERENCE)
            check_reference(text, size, &at, &piece);
        else
            check_text(text, size, &at, &piece);
        must(template.at == at);
    }
    if (outcome == TEMPLATE_END) {
        must(at == size && template_check(text, size) == 0);
        return;
    }
    must(outcome == -ERR_INVALID && template.at == at && strstr(error_text(), "column "));
    must(template_check(text, size) == -ERR_INVALID);
}

static void check_link(const char *text, size_t size)
{
    struct reference reference;
    char written[REFERENCE_TEXT_MAX];
    error_clear();
    if (link_parse(&reference, text, size)) {
        must(error_text()[0] != '\0');
        return;
    }
    check_names(&reference);
    must(reference.service[0] != '\0');
    reference_text(written, &reference, "owner");
    must(strlen(written) == size && memcmp(written, text, size) == 0);
}

/* A buffer of exactly the size that was said, so that a sanitizer sees a byte too many. */
static void check_filter(enum template_filter filter, const uint8_t *data, size_t size)
{
    size_t said = encode_size(filter, data, size);
    unsigned char *out = malloc(said ? said : 1);
    must(out != NULL);
    encode(filter, out, data, size);
    for (size_t i = 0; i < said && filter == TEMPLATE_URL; i++)
        must(out[i] > ' ' && out[i] < 0x7f);
    for (size_t i = 0, length; i < said && filter == TEMPLATE_JSON; i += length) {
        bool good;
        length = utf8_next(out + i, said - i, &good);
        must(good && out[i] >= ' ');
    }
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_template((const char *)data, size);
    check_link((const char *)data, size);
    for (int filter = TEMPLATE_AS_IS; filter <= TEMPLATE_BASE64; filter++)
        check_filter((enum template_filter)filter, data, size);
    return 0;
}
