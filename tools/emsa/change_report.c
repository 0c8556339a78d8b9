#include "tools/emsa/change_report.h"

#include <stdio.h>
#include <string.h>

#include "tools/emsa/output.h"
#include "tools/emsa/render.h"
#include "tools/emsa/report.h"

#define SHOWN_MAX 60u        /* bytes of a value in a line */
#define SHOWN_ROOM 256u      /* one value, with its kind */
#define SHOWN_JSON_MAX 4096u /* bytes of a value in JSON */

struct showing { /* one side of a change */
    enum entry_kind kind;
    const unsigned char *data; /* NULL: a secret */
    size_t size;
};

static struct showing before(const struct defined_key *key)
{
    return (struct showing){key->kind, key->kind == ENTRY_SECRET ? NULL : key->data, key->size};
}

static struct showing after(const struct sheet *sheet, const struct sheet_key *key)
{
    static const enum entry_kind kinds[] = {
        [SHEET_PLAIN] = ENTRY_PLAIN,       [SHEET_LINK] = ENTRY_LINK,
        [SHEET_TEMPLATE] = ENTRY_TEMPLATE, [SHEET_SECRET] = ENTRY_SECRET,
        [SHEET_KEPT] = ENTRY_SECRET,       [SHEET_SEALED] = ENTRY_SECRET};
    enum entry_kind kind = kinds[key->form];
    return (struct showing){kind, kind == ENTRY_SECRET ? NULL : sheet_data(sheet, key), key->size};
}

static bool is_text(const struct showing *side)
{
    return is_utf8(side->data, side->size) &&
           (side->size == 0 || memchr(side->data, '\0', side->size) == NULL);
}

/* "'info'", "link shared/HOST", "secret": cut where it is long, and nothing that steers a terminal.
 */
static void show(char out[static SHOWN_ROOM], const struct showing *side)
{
    static const char *const words[] = {
        [ENTRY_PLAIN] = "", [ENTRY_LINK] = "link ", [ENTRY_TEMPLATE] = "template "};
    char text[SHOWN_MAX + 1], tame[SHOWN_MAX + 1];
    bool is_long = side->size > SHOWN_MAX;
    size_t length = is_long ? SHOWN_MAX : side->size;
    if (side->data == NULL) {
        snprintf(out, SHOWN_ROOM, "secret");
        return;
    }
    if (!is_text(side)) {
        snprintf(out, SHOWN_ROOM, "%s%zu bytes", words[side->kind], side->size);
        return;
    }
    while (is_long && length > 0 && (side->data[length] & 0xc0) == 0x80)
        length--; /* not within a character */
    memcpy(text, side->size > 0 ? side->data : (const unsigned char *)"", length);
    text[length] = '\0';
    output_tame(tame, sizeof tame, text);
    const char *quote = side->kind == ENTRY_LINK ? "" : "'";
    snprintf(out, SHOWN_ROOM, "%s%s%s%s%s", words[side->kind], quote, tame, is_long ? "..." : "",
             quote);
}

/* Whether the bytes are the same, so that only the end is another. */
static bool is_equal(const struct showing *a, const struct showing *b)
{
    return a->kind == b->kind && a->data != NULL && b->data != NULL && a->size == b->size &&
           (a->size == 0 || memcmp(a->data, b->data, a->size) == 0);
}

#define DESCRIPTION_ROOM (2 * SHOWN_ROOM + 8)

static void describe(char out[static DESCRIPTION_ROOM], const struct difference_key *key,
                     const struct sheet *sheet)
{
    char text[SHOWN_ROOM];
    struct showing old = {0}, new = {0};
    out[0] = '\0';
    if (key->before != NULL)
        old = before(key->before);
    if (key->after != NULL)
        new = after(sheet, key->after);
    bool is_one = key->before == NULL || key->after == NULL || is_equal(&old, &new);
    if (is_one) {
        show(text, key->after != NULL ? &new : &old);
        snprintf(out, DESCRIPTION_ROOM, "%s", text);
    } else if (old.data != NULL || new.data != NULL) { /* of two secrets nothing is told */
        char other[SHOWN_ROOM];
        show(text, &old);
        show(other, &new);
        snprintf(out, DESCRIPTION_ROOM, "%s -> %s", text, other);
    }
}

static void add_row(struct table *table, const char *mark, const char *path, const char *text,
                    const char *note)
{
    const char *cells[] = {mark, path, text, note};
    enum colour colours[] = {report_colour(mark[0]), COLOUR_NONE, COLOUR_NONE, COLOUR_FAINT};
    table_row(table, cells, colours);
}

/* What is as it was is told of where it is asked for: of a large file it would be nearly all. */
static void add_lines(struct table *table, json_t *lines, const struct sheet *sheet,
                      const struct difference *difference, bool verbose)
{
    size_t index;
    json_t *line;
    json_array_foreach(lines, index, line)
    {
        char note[REPORT_NOTE_MAX], text[DESCRIPTION_ROOM] = "";
        const char *mark = output_member(line, "mark"), *path = output_member(line, "path");
        const struct difference_key *key = difference_find(difference, path);
        bool is_same = mark[0] == '=';
        if (is_same && !verbose)
            continue;
        if (key != NULL && !is_same && json_object_get(line, "note") == NULL)
            describe(text, key, sheet);
        add_row(table, mark, path, text, report_note(note, line));
    }
}

static void add_same(struct table *table, const struct sheet *sheet,
                     const struct difference *difference)
{
    for (size_t i = 0; i < sheet->service_count; i++) {
        const struct sheet_service *service = &sheet->services[i];
        char place[PLACE_TEXT_MAX], path[PATH_TEXT_MAX];
        sheet_place(place, sheet, service);
        for (size_t n = 0; n < service->key_count; n++) {
            snprintf(path, sizeof path, "%s/%s", place, sheet->keys[service->first_key + n].name);
            if (difference_find(difference, path) == NULL)
                add_row(table, "=", path, "", "(as it was)");
        }
    }
}

static int print(struct session *session, json_t *reply, const struct sheet *sheet,
                 const struct difference *difference)
{
    static const char *const members[] = {"made", "changed", "removed", "same"};
    static const char *const words[] = {"new", "changed", "removed", "as they were"};
    struct table *table = table_new("llll");
    const char *between = "";
    add_lines(table, json_object_get(reply, "lines"), sheet, difference, session->options.verbose);
    if (session->options.verbose)
        add_same(table, sheet, difference);
    int error = table_print(table);
    table_free(table);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        json_int_t count = json_integer_value(json_object_get(reply, members[i]));
        if (count > 0)
            printf("%s%lld %s", between, (long long)count,
                   count == 1 && i == 3 ? "as it was" : words[i]);
        between = count > 0 ? ", " : between;
    }
    printf("%s", between[0] != '\0' ? "\n" : "");
    report_end(reply);
    return error;
}

static void add_side(json_t *line, const char *name, const struct showing *side)
{
    static const char *const words[] = {[ENTRY_PLAIN] = "plain",
                                        [ENTRY_SECRET] = "secret",
                                        [ENTRY_LINK] = "link",
                                        [ENTRY_TEMPLATE] = "template"};
    json_t *object = json_pack("{s:s}", "kind", words[side->kind]);
    if (side->data != NULL && side->size <= SHOWN_JSON_MAX && is_text(side))
        json_object_set_new(object, "value", json_stringn((const char *)side->data, side->size));
    json_object_set_new(line, name, object);
}

static void add_sides(json_t *lines, const struct sheet *sheet, const struct difference *difference)
{
    size_t index;
    json_t *line;
    json_array_foreach(lines, index, line)
    {
        const struct difference_key *key = difference_find(difference, output_member(line, "path"));
        if (key == NULL || json_object_get(line, "note") != NULL)
            continue;
        if (key->before != NULL) {
            struct showing side = before(key->before);
            add_side(line, "before", &side);
        }
        if (key->after != NULL) {
            struct showing side = after(sheet, key->after);
            add_side(line, "after", &side);
        }
    }
}

int change_report(struct session *session, json_t *reply, const struct sheet *sheet,
                  const struct difference *difference)
{
    json_int_t same = json_integer_value(json_object_get(reply, "same"));
    json_object_set_new(reply, "same", json_integer(same + (json_int_t)difference->same));
    if (!session->options.json)
        return print(session, reply, sheet, difference);
    add_sides(json_object_get(reply, "lines"), sheet, difference);
    return output_json(json_incref(reply));
}
