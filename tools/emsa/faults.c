#include "tools/emsa/faults.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/name.h"
#include "tools/emsa/output.h"
#include "tools/emsa/yaml.h"

#define FAULT_TEXT_MAX 1024
#define NEAREST_MAX 6u /* half edits */

struct fault {
    size_t file;  /* which of the files, in the order in which they were met */
    size_t order; /* of being added, for two at one place */
    unsigned line, column;
    char *text; /* owned; with its place */
};

void faults_release(struct faults *faults)
{
    for (size_t i = 0; i < faults->count; i++)
        free(faults->list[i].text);
    free(faults->list);
    *faults = (struct faults){0};
}

/* The number of the file that the text begins with: that of an earlier one of the same file, or a
 * new one. */
static size_t file_of(const struct faults *faults, const char *text, size_t length)
{
    size_t next = 0;
    for (size_t i = faults->count; i > 0; i--) {
        const struct fault *fault = &faults->list[i - 1];
        if (strncmp(fault->text, text, length) == 0 && fault->text[length] == ':')
            return fault->file;
        next = fault->file + 1 > next ? fault->file + 1 : next;
    }
    return next;
}

static void keep(struct faults *faults, const char *file, unsigned line, unsigned column,
                 const char *text)
{
    if (faults->count == faults->room) {
        size_t room = faults->room == 0 ? 16 : faults->room * 2;
        struct fault *list = realloc(faults->list, room * sizeof *list);
        if (list == NULL) {
            faults->error = -ERR_NOMEM;
            return;
        }
        faults->list = list;
        faults->room = room;
    }
    struct fault fault = {.line = line, .column = column, .text = strdup(text)};
    if (fault.text == NULL) {
        faults->error = -ERR_NOMEM;
        return;
    }
    fault.order = faults->count;
    fault.file = file_of(faults, file, strlen(file));
    faults->list[faults->count++] = fault;
}

void faults_add(struct faults *faults, const struct yaml_tree *tree, const struct yaml_node *at,
                const char *format, ...)
{
    char text[FAULT_TEXT_MAX];
    int used = snprintf(text, sizeof text, "%s:%u:%u: ", tree->file, at->line, at->column);
    va_list arguments;
    va_start(arguments, format);
    if (used > 0 && (size_t)used < sizeof text)
        vsnprintf(text + used, sizeof text - (size_t)used, format, arguments);
    va_end(arguments);
    keep(faults, tree->file, at->line, at->column, text);
}

void faults_add_failure(struct faults *faults)
{
    char file[FAULT_TEXT_MAX], text[FAULT_TEXT_MAX];
    unsigned line = 0, column = 0;
    snprintf(text, sizeof text, "%s", error_text());
    /* the place is the first ":NUMBER:NUMBER: " */
    size_t length = 0;
    for (const char *at = text; (at = strchr(at, ':')) != NULL; at++) {
        int end = 0;
        if (sscanf(at, ":%u:%u:%n", &line, &column, &end) == 2 && end > 0) {
            length = (size_t)(at - text);
            break;
        }
    }
    snprintf(file, sizeof file, "%.*s", (int)length, text);
    keep(faults, file, line, column, text);
}

static int by_place(const void *a, const void *b)
{
    const struct fault *x = a, *y = b;
    if (x->file != y->file)
        return x->file < y->file ? -1 : 1;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    if (x->column != y->column)
        return x->column < y->column ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static void sort(struct faults *faults)
{
    if (faults->count > 1)
        qsort(faults->list, faults->count, sizeof *faults->list, by_place);
}

void faults_write(struct faults *faults, struct bytes *out, const char *prefix)
{
    sort(faults);
    for (size_t i = 0; i < faults->count; i++) {
        char tame[FAULT_TEXT_MAX];
        output_tame(tame, sizeof tame, faults->list[i].text);
        bytes_append_format(out, "%s%s\n", prefix, tame);
    }
}

const char *faults_nearest(const char *const words[], const char *text)
{
    const char *nearest = NULL;
    unsigned distance = NEAREST_MAX;
    for (size_t i = 0; words[i] != NULL; i++) {
        unsigned found = name_distance(text, words[i], distance);
        if (found < distance && found <= strlen(text)) {
            distance = found;
            nearest = words[i];
        }
    }
    return nearest;
}

int faults_tell(struct faults *faults)
{
    return faults_tell_as(faults, ERR_INVALID);
}

int faults_tell_as(struct faults *faults, enum error_code code)
{
    size_t count = faults->count;
    int error = faults->error;
    sort(faults);
    for (size_t i = 0; i < count; i++) {
        char tame[FAULT_TEXT_MAX];
        output_tame(tame, sizeof tame, faults->list[i].text);
        fprintf(stderr, "%s\n", tame);
    }
    faults_release(faults);
    if (error < 0)
        return error_set(ERR_NOMEM, "no memory for all that is wrong");
    if (count == 0)
        return 0;
    return error_set(code, "%zu fault%s in what was read: nothing is changed", count,
                     plural_text(count));
}
