/* A table: rows of cells, columns aligned to their widest. Plain in a pipe. */
#ifndef EMSA_TOOLS_EMSA_TABLE_H
#define EMSA_TOOLS_EMSA_TABLE_H

enum colour {
    COLOUR_NONE,
    COLOUR_FAINT,
    COLOUR_BOLD,
    COLOUR_RED,
    COLOUR_GREEN,
    COLOUR_YELLOW,
    COLOUR_BLUE
};

#define TABLE_COLUMNS_MAX 8
struct table;
/* columns is a text with a letter for each: 'l' left, 'r' right. NULL: no memory. */
struct table *table_new(const char *columns);
void table_free(struct table *table);
/* Cells are copied. The heading is shown on a terminal only. */
void table_heading(struct table *table, const char *const cells[]);
void table_row(struct table *table, const char *const cells[], const enum colour colours[]);
/* ERR_NOMEM when any row could not be kept. */
int table_print(struct table *table);

#endif
