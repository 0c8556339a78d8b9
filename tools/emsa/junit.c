#include "tools/emsa/junit.h"

#include <stdlib.h>
#include <string.h>

#include "store/encode.h"
#include "store/error.h"
#include "tools/emsa/output.h"

struct suite { /* one place, and what was found there */
    const char *path;
    size_t length; /* of the path that its findings begin with */
    size_t first, count;
    size_t failures, others;
};

/* XML 1.0 has no way to write control characters. */
static void write_escaped(struct bytes *out, const char *text)
{
    size_t left = strlen(text);
    for (const unsigned char *at = (const unsigned char *)text; left > 0;) {
        bool good;
        size_t size = utf8_next(at, left, &good);
        if (!good || (*at < 0x20 && *at != '\n' && *at != '\t'))
            bytes_append_text(out, "?");
        else if (*at == '&')
            bytes_append_text(out, "&amp;");
        else if (*at == '<')
            bytes_append_text(out, "&lt;");
        else if (*at == '>')
            bytes_append_text(out, "&gt;");
        else if (*at == '"')
            bytes_append_text(out, "&quot;");
        else if (*at == '\n')
            bytes_append_text(out, "&#10;");
        else if (*at == '\t')
            bytes_append_text(out, "&#9;");
        else
            bytes_append(out, at, size);
        at += size;
        left -= size;
    }
}

static void write_attribute(struct bytes *out, const char *name, const char *value)
{
    bytes_append_format(out, " %s=\"", name);
    write_escaped(out, value);
    bytes_append_text(out, "\"");
}

static bool is_error(json_t *finding)
{
    return strcmp(output_member(finding, "severity"), "error") == 0;
}

/* "prod/billing" of "prod/billing/PORT". */
static size_t place_length(const char *path)
{
    const char *first = strchr(path, '/');
    const char *second = first != NULL ? strchr(first + 1, '/') : NULL;
    return second != NULL ? (size_t)(second - path) : strlen(path);
}

/* Dots part the names of packages for those who show them: "prod.billing". */
static void write_class(struct bytes *out, const struct suite *suite)
{
    bytes_append_text(out, " classname=\"");
    for (size_t i = 0; i < suite->length; i++)
        bytes_append(out, suite->path[i] == '/' ? "." : &suite->path[i], 1);
    bytes_append_text(out, suite->length == 0 ? "emsa\"" : "\"");
}

static const char *case_name(const struct suite *suite, json_t *finding)
{
    const char *path = output_member(finding, "path");
    const char *key = path + suite->length;
    return *key == '/' ? key + 1 : output_member(finding, "verdict");
}

static void write_failure(struct bytes *out, const struct suite *suite, json_t *finding)
{
    bytes_append_text(out, "    <testcase");
    write_class(out, suite);
    write_attribute(out, "name", case_name(suite, finding));
    bytes_append_text(out, " time=\"0\">\n      <failure");
    write_attribute(out, "type", output_member(finding, "verdict"));
    write_attribute(out, "message", output_member(finding, "text"));
    bytes_append_text(out, ">");
    write_escaped(out, output_member(finding, "path"));
    bytes_append_text(out, " ");
    write_escaped(out, output_member(finding, "text"));
    bytes_append_text(out, "</failure>\n    </testcase>\n");
}

/* The one case that always is there: that the rest is as it should be, and what to know of it. */
static void write_rest(struct bytes *out, const struct suite *suite, json_t *findings)
{
    bytes_append_text(out, "    <testcase");
    write_class(out, suite);
    bytes_append_text(out, " name=\"everything else\" time=\"0\"");
    if (suite->others == 0) {
        bytes_append_text(out, "/>\n");
        return;
    }
    bytes_append_text(out, ">\n      <system-out>");
    for (size_t i = 0; i < suite->count; i++) {
        json_t *finding = json_array_get(findings, suite->first + i);
        if (is_error(finding))
            continue;
        write_escaped(out, output_member(finding, "severity"));
        bytes_append_text(out, ": ");
        write_escaped(out, output_member(finding, "path"));
        bytes_append_text(out, " ");
        write_escaped(out, output_member(finding, "text"));
        bytes_append_text(out, "\n");
    }
    bytes_append_text(out, "</system-out>\n    </testcase>\n");
}

static void write_counts(struct bytes *out, size_t tests, size_t failures)
{
    bytes_append_format(out,
                        " tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"0\" time=\"0\"",
                        tests, failures);
}

static void write_suite(struct bytes *out, const struct suite *suite, json_t *findings)
{
    bytes_append_text(out, "  <testsuite name=\"");
    if (suite->length > 0)
        bytes_append(out, suite->path, suite->length);
    else
        bytes_append_text(out, "emsa");
    bytes_append_text(out, "\"");
    write_counts(out, suite->failures + 1, suite->failures);
    bytes_append_text(out, ">\n");
    for (size_t i = 0; i < suite->count; i++) {
        json_t *finding = json_array_get(findings, suite->first + i);
        if (is_error(finding))
            write_failure(out, suite, finding);
    }
    write_rest(out, suite, findings);
    bytes_append_text(out, "  </testsuite>\n");
}

/* The places in which something was found, in the order of the findings, each once in a row. */
static size_t gather_found(struct suite *suites, json_t *findings)
{
    size_t count = 0, index;
    json_t *finding;
    json_array_foreach(findings, index, finding)
    {
        const char *path = output_member(finding, "path");
        size_t length = place_length(path);
        struct suite *last = count > 0 ? &suites[count - 1] : NULL;
        if (last == NULL || last->length != length || strncmp(last->path, path, length) != 0) {
            last = &suites[count++];
            *last = (struct suite){.path = path, .length = length, .first = index};
        }
        last->count++;
        last->failures += is_error(finding);
        last->others += !is_error(finding);
    }
    return count;
}

/* And those where nothing was. */
static size_t gather_good(struct suite *suites, size_t found, json_t *services)
{
    size_t count = found, index;
    json_t *service, *seen = json_object();
    for (size_t i = 0; i < found; i++)
        json_object_setn_new(seen, suites[i].path, suites[i].length, json_true());
    json_array_foreach(services, index, service)
    {
        const char *path = output_member(service, "path");
        if (json_object_get(seen, path) == NULL)
            suites[count++] = (struct suite){.path = path, .length = strlen(path)};
    }
    json_decref(seen);
    return count;
}

static int by_place(const void *a, const void *b)
{
    const struct suite *x = a, *y = b;
    size_t least = x->length < y->length ? x->length : y->length;
    int order = memcmp(x->path, y->path, least);
    if (order != 0)
        return order;
    if (x->length != y->length)
        return x->length < y->length ? -1 : 1;
    return x->first < y->first ? -1 : x->first > y->first;
}

void junit_write(struct bytes *out, json_t *reply)
{
    json_t *findings = json_object_get(reply, "findings");
    json_t *services = json_object_get(reply, "services");
    size_t room = json_array_size(findings) + json_array_size(services) + 1, failures = 0;
    struct suite *suites = calloc(room, sizeof *suites);
    if (suites == NULL) {
        out->error = -ERR_NOMEM;
        return;
    }
    size_t count = gather_good(suites, gather_found(suites, findings), services);
    qsort(suites, count, sizeof *suites, by_place);
    for (size_t i = 0; i < count; i++)
        failures += suites[i].failures;
    bytes_append_text(
        out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"emsa check\"");
    write_counts(out, failures + count, failures);
    bytes_append_text(out, ">\n");
    for (size_t i = 0; i < count; i++)
        write_suite(out, &suites[i], findings);
    bytes_append_text(out, "</testsuites>\n");
    free(suites);
}
