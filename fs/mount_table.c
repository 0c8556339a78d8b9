#include "fs/mount_table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"

#define NAME "/proc/self/mountinfo"

struct mount_line {
    char *point; /* owned */
    size_t order;
    bool is_dropped;
    struct standing standing;
};

/* Undoes mountinfo's \ooo in place. */
static void unescape(char *text)
{
    char *out = text;
    for (const char *in = text; *in; out++) {
        if (in[0] == '\\' && in[1] >= '0' && in[1] <= '3' && in[2] && in[3]) {
            *out = (char)((in[1] - '0') * 64 + (in[2] - '0') * 8 + (in[3] - '0'));
            in += 4;
        } else {
            *out = *in++;
        }
    }
    *out = 0;
}

/* One line: "id parent major:minor root mountpoint options [tags] - type source ..." */
static bool line_split(char *line, char **device, char **point, char **type)
{
    char *rest = line;
    *device = *point = NULL;
    for (int field = 0; field < 5; field++) {
        *point = strsep(&rest, " ");
        if (field == 2)
            *device = *point;
    }
    if (!*point || !rest)
        return false;
    char *mark = strstr(rest, " - ");
    if (!mark)
        return false;
    rest = mark + 3;
    *type = strsep(&rest, " ");
    unescape(*point);
    return true;
}

static int grow(struct mount_table *table)
{
    if (table->count < table->capacity)
        return 0;
    size_t capacity = table->capacity == 0 ? 64 : 2 * table->capacity;
    struct mount_line *lines = reallocarray(table->lines, capacity, sizeof *lines);
    if (lines == NULL)
        return -1;
    table->lines = lines;
    table->capacity = capacity;
    return 0;
}

static int add(struct mount_table *table, char *line)
{
    char *device, *point, *type;
    if (!line_split(line, &device, &point, &type))
        return 0;
    if (grow(table) < 0)
        return -1;
    struct mount_line *added = &table->lines[table->count];
    *added = (struct mount_line){.point = strdup(point), .order = table->count};
    if (added->point == NULL)
        return -1;
    (void)snprintf(added->standing.type, sizeof added->standing.type, "%s", type);
    added->standing.id = strtol(line, NULL, 10);
    if (strncmp(device, "0:", 2) == 0)
        added->standing.number = (unsigned)strtoul(device + 2, NULL, 10);
    table->count++;
    return 0;
}

/* By place, and there as the kernel has them: each is on top of those before. */
static int compare(const void *one, const void *other)
{
    const struct mount_line *left = one, *right = other;
    int order = strcmp(left->point, right->point);
    return order != 0 ? order : left->order < right->order ? -1 : 1;
}

int mount_table_parse(struct mount_table *table, FILE *file)
{
    char *line = NULL;
    size_t capacity = 0;
    int failed = 0;
    while (failed == 0 && getline(&line, &capacity, file) > 0) {
        line[strcspn(line, "\n")] = 0;
        failed = add(table, line);
    }
    if (failed == 0 && !feof(file))
        failed = errno == ENOMEM ? -1 : -2;
    free(line);
    if (failed < 0) {
        mount_table_release(table);
        return failed == -1 ? error_set(ERR_NOMEM, "cannot read '" NAME "': out of memory")
                            : error_system(errno, "cannot read '" NAME "'");
    }
    if (table->count > 0)
        qsort(table->lines, table->count, sizeof table->lines[0], compare);
    return 0;
}

int mount_table_read(struct mount_table *table)
{
    FILE *file = fopen(NAME, "re");
    if (file == NULL)
        return error_system(errno, "cannot read '" NAME "'");
    int error = mount_table_parse(table, file);
    (void)fclose(file);
    return error;
}

void mount_table_release(struct mount_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        free(table->lines[i].point);
    free(table->lines);
    *table = (struct mount_table){0};
}

/* The last line of a place that was not dropped; NULL. */
static struct mount_line *find(const struct mount_table *table, const char *path)
{
    size_t low = 0, high = table->count; /* the first line behind those of the path */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(table->lines[middle].point, path) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    while (low > 0 && strcmp(table->lines[low - 1].point, path) == 0) {
        if (!table->lines[low - 1].is_dropped)
            return &table->lines[low - 1];
        low--;
    }
    return NULL;
}

int mount_table_top(const struct mount_table *table, const char *path, struct standing *out)
{
    const struct mount_line *line = find(table, path);
    if (line == NULL)
        return 1;
    *out = line->standing;
    return 0;
}

void mount_table_drop(struct mount_table *table, const char *path)
{
    struct mount_line *line = find(table, path);
    if (line != NULL)
        line->is_dropped = true;
}
