#include "tools/emsa/table.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/bytes.h"
#include "store/error.h"
#include "tools/emsa/output.h"

struct row {
    size_t cells[TABLE_COLUMNS_MAX]; /* where each stands in the table's text */
    enum colour colours[TABLE_COLUMNS_MAX];
};

struct table {
    char columns[TABLE_COLUMNS_MAX + 1];
    size_t column_count;
    struct row *rows;
    size_t count;
    size_t capacity;
    struct bytes text; /* of all cells, each with its NUL */
    bool failed;
};

static const char *const codes[] = {"",         "\033[2m",  "\033[1m", "\033[31m",
                                    "\033[32m", "\033[33m", "\033[34m"};

struct table *table_new(const char *columns)
{
    struct table *table = calloc(1, sizeof *table);
    if (table == NULL)
        return NULL;
    snprintf(table->columns, sizeof table->columns, "%s", columns);
    table->column_count = strlen(table->columns);
    table->text = BYTES_INIT(SIZE_MAX);
    return table;
}

void table_free(struct table *table)
{
    if (table == NULL)
        return;
    bytes_release(&table->text);
    free(table->rows);
    free(table);
}

static struct row *new_row(struct table *table)
{
    if (table->count == table->capacity) {
        size_t capacity = table->capacity == 0 ? 64 : table->capacity * 2;
        struct row *rows = realloc(table->rows, capacity * sizeof *rows);
        if (rows == NULL)
            return NULL;
        table->rows = rows;
        table->capacity = capacity;
    }
    struct row *row = &table->rows[table->count++];
    memset(row, 0, sizeof *row);
    return row;
}

/* Whatever was put into a cell: names and paths of others come from other machines, too. */
static void append_tame(struct bytes *text, const char *cell)
{
    const size_t size = strlen(cell) + 1;
    unsigned char *room = bytes_reserve(text, size);
    if (room == NULL)
        return;
    output_tame((char *)room, size, cell);
    text->size += size;
}

void table_row(struct table *table, const char *const cells[], const enum colour colours[])
{
    struct row *row = table == NULL || table->failed ? NULL : new_row(table);
    if (row == NULL) {
        if (table != NULL)
            table->failed = true;
        return;
    }
    for (size_t column = 0; column < table->column_count; column++) {
        row->cells[column] = table->text.size;
        append_tame(&table->text, cells[column]);
        row->colours[column] = colours != NULL ? colours[column] : COLOUR_NONE;
    }
    table->failed = table->text.error != 0;
}

static const char *cell_of(const struct table *table, const struct row *row, size_t column)
{
    return (const char *)table->text.data + row->cells[column];
}

void table_heading(struct table *table, const char *const cells[])
{
    static const enum colour bold[TABLE_COLUMNS_MAX] = {COLOUR_BOLD, COLOUR_BOLD, COLOUR_BOLD,
                                                        COLOUR_BOLD, COLOUR_BOLD, COLOUR_BOLD,
                                                        COLOUR_BOLD, COLOUR_BOLD};
    if (output_is_terminal())
        table_row(table, cells, bold);
}

/* Characters, not bytes: continuation bytes of UTF-8 take no place. */
static size_t width(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

static void measure(const struct table *table, size_t widths[static TABLE_COLUMNS_MAX])
{
    for (size_t i = 0; i < table->count; i++) {
        for (size_t column = 0; column < table->column_count; column++) {
            size_t found = width(cell_of(table, &table->rows[i], column));
            if (found > widths[column])
                widths[column] = found;
        }
    }
}

/* Whether nothing but empty cells follows: no line ends in blanks. */
static bool is_last(const struct table *table, const struct row *row, size_t column)
{
    for (column++; column < table->column_count; column++)
        if (cell_of(table, row, column)[0] != '\0')
            return false;
    return true;
}

static void print_blanks(size_t count)
{
    for (; count > 0; count--)
        putchar(' ');
}

static void print_cell(const struct table *table, const struct row *row, size_t column, size_t wide,
                       bool coloured)
{
    const char *cell = cell_of(table, row, column);
    size_t padding = wide - width(cell);
    bool last = is_last(table, row, column);
    bool right = table->columns[column] == 'r';
    const char *code = coloured ? codes[row->colours[column]] : "";
    print_blanks(column > 0 ? 2 : 0);
    print_blanks(right ? padding : 0);
    fputs(code, stdout);
    fputs(cell, stdout);
    fputs(code[0] != '\0' ? "\033[0m" : "", stdout);
    print_blanks(right || last ? 0 : padding);
}

int table_print(struct table *table)
{
    size_t widths[TABLE_COLUMNS_MAX] = {0};
    if (table == NULL || table->failed)
        return error_set(ERR_NOMEM, "no memory for a table");
    measure(table, widths);
    bool coloured = output_coloured();
    for (size_t i = 0; i < table->count; i++) {
        for (size_t column = 0; column < table->column_count; column++) {
            print_cell(table, &table->rows[i], column, widths[column], coloured);
            if (is_last(table, &table->rows[i], column))
                break;
        }
        putchar('\n');
    }
    return 0;
}
