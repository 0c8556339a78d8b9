#include "tools/emsa/yaml.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "store/error.h"
#include "tools/emsa/faults.h"
#include "tools/emsa/hidden.h"

#define MESSAGE_MAX 1024
#define RUN 256u /* nodes */

/* Nothing else of the command names anything of yaml_memory.c: without this a linker leaves it in
 * its archive, and libyaml its own allocator. */
static size_t (*const volatile keeps_memory)(void) __attribute__((used)) = yaml_memory_wiped;

struct anchor {
    char *name;
    struct yaml_node *node;
};

struct reader {
    struct yaml_tree *tree;
    const char *text;
    size_t size;
    yaml_parser_t parser;
    struct anchor *anchors; /* of this document */
    size_t anchor_count, anchor_room;
    size_t node_room, document_room;
    unsigned depth;
};

int yaml_fail(const struct yaml_tree *tree, unsigned line, const char *format, ...)
{
    char text[MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return error_set(ERR_INVALID, "%s, line %u: %s", tree->file, line, text);
}

static int no_memory(void)
{
    return error_set(ERR_NOMEM, "no memory for a YAML file");
}

/* What ends the reading, told as the tree's owner wants it. */
static int fail_at(const struct yaml_tree *tree, unsigned line, unsigned column, const char *format,
                   ...) __attribute__((format(printf, 4, 5)));
static int fail_at(const struct yaml_tree *tree, unsigned line, unsigned column, const char *format,
                   ...)
{
    char text[MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (tree->faults != NULL)
        return error_set(ERR_INVALID, "%s:%u:%u: %s", tree->file, line, column, text);
    return error_set(ERR_INVALID, "%s, line %u: %s", tree->file, line, text);
}

#define fail_node(tree, node, ...) fail_at(tree, (node)->line, (node)->column, __VA_ARGS__)

/* Room for one more item. */
static int grow(void **list, size_t *room, size_t count, size_t size)
{
    if (count < *room)
        return 0;
    size_t wanted = *room == 0 ? 8 : *room * 2;
    void *moved = realloc(*list, wanted * size);
    if (moved == NULL)
        return no_memory();
    *list = moved;
    *room = wanted;
    return 0;
}

const char *yaml_text(const struct yaml_tree *tree, const struct yaml_node *node)
{
    return node->size > 0 ? (const char *)tree->text.data + node->offset : "";
}

bool yaml_is(const struct yaml_tree *tree, const struct yaml_node *node, const char *text)
{
    return node != NULL && node->kind == YAML_SCALAR && node->size == strlen(text) &&
           memcmp(yaml_text(tree, node), text, node->size) == 0;
}

const struct yaml_node *yaml_get(const struct yaml_tree *tree, const struct yaml_node *map,
                                 const char *key)
{
    if (map == NULL || map->kind != YAML_MAP)
        return NULL;
    for (size_t i = 0; i < map->count; i++)
        if (yaml_is(tree, map->pairs[i].key, key))
            return map->pairs[i].value;
    return NULL;
}

/* Of a byte that is no character: columns count the bytes before it that begin one. */
static void place_of(const struct reader *reader, size_t offset, unsigned *line, unsigned *column)
{
    *line = *column = 1;
    for (size_t i = 0; i < offset && i < reader->size; i++) {
        bool ends = reader->text[i] == '\n';
        *line += ends;
        *column = ends ? 1 : *column + ((reader->text[i] & 0xc0) != 0x80);
    }
}

/* The parser's words name no content, only what it looked for; it counts lines from 0. */
static int parser_failed(const struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    if (parser->error == YAML_MEMORY_ERROR)
        return no_memory();
    unsigned line = (unsigned)parser->problem_mark.line + 1;
    unsigned column = (unsigned)parser->problem_mark.column + 1;
    if (parser->error == YAML_READER_ERROR) { /* it knows the byte only */
        place_of(reader, parser->problem_offset, &line, &column);
        return fail_at(reader->tree, line, column, "%s", parser->problem);
    }
    return fail_at(
        reader->tree, line, column, "%s%s%s", parser->context != NULL ? parser->context : "",
        parser->context != NULL ? ": " : "", parser->problem != NULL ? parser->problem : "no YAML");
}

static int next_event(struct reader *reader, yaml_event_t *event)
{
    if (yaml_parser_parse(&reader->parser, event) == 0)
        return parser_failed(reader);
    return 0;
}

static void wipe_event(yaml_event_t *event)
{
    yaml_event_delete(event); /* wipes: yaml_memory.c */
}

/* A file has many nodes, and none of them goes before the others. */
static int add_run(struct reader *reader)
{
    struct yaml_tree *tree = reader->tree;
    size_t count = tree->node_count / RUN;
    void *list = tree->nodes;
    int error = grow(&list, &reader->node_room, count, sizeof *tree->nodes);
    tree->nodes = list;
    if (error < 0)
        return error;
    tree->nodes[count] = calloc(RUN, sizeof **tree->nodes);
    return tree->nodes[count] != NULL ? 0 : no_memory();
}

static int new_node(struct reader *reader, enum yaml_kind kind, const yaml_event_t *event,
                    struct yaml_node **out)
{
    struct yaml_tree *tree = reader->tree;
    unsigned line = (unsigned)event->start_mark.line + 1;
    unsigned column = (unsigned)event->start_mark.column + 1;
    if (tree->node_count >= YAML_NODES_MAX)
        return fail_at(tree, line, column, "more than %u things in one file", YAML_NODES_MAX);
    int error = tree->node_count % RUN == 0 ? add_run(reader) : 0;
    if (error < 0)
        return error;
    struct yaml_node *node = &tree->nodes[tree->node_count / RUN][tree->node_count % RUN];
    tree->node_count++;
    node->kind = kind;
    node->line = line;
    node->column = column;
    node->weight = 1;
    node->tag = "";
    *out = node;
    return 0;
}

static int keep_tag(struct reader *reader, struct yaml_node *node, const yaml_char_t *tag)
{
    if (tag != NULL)
        node->tag =
            text_blocks_copy(&reader->tree->tags, (const char *)tag, strlen((const char *)tag));
    return node->tag != NULL ? 0 : no_memory();
}

static int keep_anchor(struct reader *reader, struct yaml_node *node, const yaml_char_t *name)
{
    if (name == NULL)
        return 0;
    void *list = reader->anchors;
    int error = grow(&list, &reader->anchor_room, reader->anchor_count, sizeof *reader->anchors);
    reader->anchors = list;
    if (error < 0)
        return error;
    char *copy = strdup((const char *)name);
    if (copy == NULL)
        return no_memory();
    struct anchor *anchor = &reader->anchors[reader->anchor_count++];
    anchor->name = copy;
    anchor->node = node;
    return 0;
}

static void forget_anchors(struct reader *reader)
{
    for (size_t i = 0; i < reader->anchor_count; i++)
        free(reader->anchors[i].name);
    reader->anchor_count = 0;
}

static int read_alias(struct reader *reader, const yaml_event_t *event, struct yaml_node **out)
{
    const char *name = (const char *)event->data.alias.anchor;
    unsigned line = (unsigned)event->start_mark.line + 1;
    unsigned column = (unsigned)event->start_mark.column + 1;
    for (size_t i = reader->anchor_count; i > 0; i--) { /* the last of a name holds */
        const struct anchor *anchor = &reader->anchors[i - 1];
        if (strcmp(anchor->name, name) != 0)
            continue;
        if (anchor->node->open)
            return fail_at(reader->tree, line, column, "'*%.64s' stands within what it names",
                           name);
        *out = anchor->node;
        return 0;
    }
    return fail_at(reader->tree, line, column, "no '&%.64s' before '*%.64s'", name, name);
}

static int read_scalar(struct reader *reader, const yaml_event_t *event, struct yaml_node **out)
{
    struct yaml_node *node;
    int error = new_node(reader, YAML_SCALAR, event, &node);
    if (error < 0)
        return error;
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    node->offset = reader->tree->text.size;
    node->size = event->data.scalar.length;
    error = keep_tag(reader, node, event->data.scalar.tag);
    if (error == 0)
        error = hidden_append(&reader->tree->text, event->data.scalar.value, node->size);
    if (error == 0)
        error = hidden_append(&reader->tree->text, "", 1);
    if (error == 0)
        error = keep_anchor(reader, node, event->data.scalar.anchor);
    *out = node;
    return error;
}

static int add_weight(struct reader *reader, struct yaml_node *node, const struct yaml_node *child)
{
    node->weight += child->weight;
    if (node->weight <= YAML_NODES_MAX)
        return 0;
    return fail_node(reader->tree, node,
                     "more than %u things, with every alias counted as what it stands for",
                     YAML_NODES_MAX);
}

static int read_node(struct reader *reader, yaml_event_t *event, struct yaml_node **out);

static int read_items(struct reader *reader, struct yaml_node *node)
{
    size_t room = 0;
    for (;;) {
        yaml_event_t event;
        struct yaml_node *item = NULL;
        int error = next_event(reader, &event);
        if (error < 0)
            return error;
        if (event.type == YAML_SEQUENCE_END_EVENT) {
            wipe_event(&event);
            return 0;
        }
        error = read_node(reader, &event, &item);
        if (error == 0)
            error = add_weight(reader, node, item);
        void *list = node->items;
        if (error == 0)
            error = grow(&list, &room, node->count, sizeof *node->items);
        node->items = list;
        if (error < 0)
            return error;
        node->items[node->count++] = item;
    }
}

static bool is_merge(const struct yaml_tree *tree, const struct yaml_node *key)
{
    return key->plain && key->tag[0] == '\0' && yaml_is(tree, key, "<<");
}

static bool same_text(const struct yaml_tree *tree, const struct yaml_node *a,
                      const struct yaml_node *b)
{
    return a->size == b->size && memcmp(yaml_text(tree, a), yaml_text(tree, b), a->size) == 0;
}

/* Keys by their texts, so that a key is compared with its likes only. */
struct sorted {
    const struct yaml_node *key;
    size_t index;
};

static _Thread_local const struct yaml_tree *sorting;

static int compare_keys(const void *a, const void *b)
{
    const struct sorted *x = a, *y = b;
    size_t size = x->key->size < y->key->size ? x->key->size : y->key->size;
    int order = memcmp(yaml_text(sorting, x->key), yaml_text(sorting, y->key), size);
    if (order != 0)
        return order;
    if (x->key->size != y->key->size)
        return x->key->size < y->key->size ? -1 : 1;
    return x->index < y->index ? -1 : 1;
}

#define FEW 8u

/* A map of a few keys, none of which stands twice, as nearly all are. */
static bool is_plain_map(const struct yaml_tree *tree, const struct yaml_node *node)
{
    if (node->count > FEW)
        return false;
    for (size_t i = 1; i < node->count; i++)
        for (size_t n = 0; n < i; n++)
            if (same_text(tree, node->pairs[i].key, node->pairs[n].key))
                return false;
    return true;
}

static int tell_repeated(const struct yaml_tree *tree, const struct yaml_node *key, unsigned line)
{
    const int shown = (int)(key->size < 64 ? key->size : 64);
    const char *text = yaml_text(tree, key);
    if (tree->faults == NULL)
        return fail_node(tree, key, "the key '%.*s' stands in line %u already", shown, text, line);
    faults_add(tree->faults, tree, key, "the key '%.*s' stands in line %u already", shown, text,
               line);
    return 0;
}

/* own: how many of the pairs the map says itself. A key of those that stands twice is an error; of
 * merged ones, the first holds. */
static int drop_repeated(struct reader *reader, struct yaml_node *node, size_t own)
{
    if (is_plain_map(reader->tree, node))
        return 0;
    struct sorted *list = calloc(node->count > 0 ? node->count : 1, sizeof *list);
    if (list == NULL)
        return no_memory();
    for (size_t i = 0; i < node->count; i++)
        list[i] = (struct sorted){node->pairs[i].key, i};
    sorting = reader->tree;
    qsort(list, node->count, sizeof *list, compare_keys);
    int error = 0;
    for (size_t i = 1; i < node->count && error == 0; i++) {
        if (!same_text(reader->tree, list[i - 1].key, list[i].key))
            continue;
        if (list[i].index < own)
            error = tell_repeated(reader->tree, list[i].key, list[i - 1].key->line);
        node->pairs[list[i].index].key = NULL;
        list[i] = list[i - 1];
    }
    unsigned kept = 0;
    for (size_t i = 0; i < node->count; i++)
        if (node->pairs[i].key != NULL)
            node->pairs[kept++] = node->pairs[i];
    node->count = kept;
    free(list);
    return error;
}

static int add_pair(struct yaml_node *node, size_t *room, const struct yaml_node *key,
                    const struct yaml_node *value)
{
    void *list = node->pairs;
    int error = grow(&list, room, node->count, sizeof *node->pairs);
    node->pairs = list;
    if (error < 0)
        return error;
    node->pairs[node->count++] = (struct yaml_pair){key, value};
    return 0;
}

static int merge_map(struct reader *reader, struct yaml_node *node, size_t *room,
                     const struct yaml_node *from, const struct yaml_node *key)
{
    if (from->kind != YAML_MAP)
        return fail_node(reader->tree, key, "'<<' wants a mapping, or a list of them");
    for (size_t i = 0; i < from->count; i++) {
        int error = add_pair(node, room, from->pairs[i].key, from->pairs[i].value);
        if (error < 0)
            return error;
    }
    return 0;
}

/* What "<<" brings in, behind the map's own pairs. */
static int merge(struct reader *reader, struct yaml_node *node, size_t *room,
                 const struct yaml_node *key, const struct yaml_node *value)
{
    if (value->kind != YAML_LIST)
        return merge_map(reader, node, room, value, key);
    for (size_t i = 0; i < value->count; i++) {
        int error = merge_map(reader, node, room, value->items[i], key);
        if (error < 0)
            return error;
    }
    return 0;
}

static int end_map(struct reader *reader, struct yaml_node *node, size_t room)
{
    size_t own = 0;
    struct yaml_pair merged = {NULL, NULL};
    for (size_t i = 0; i < node->count; i++) {
        if (!is_merge(reader->tree, node->pairs[i].key))
            node->pairs[own++] = node->pairs[i];
        else if (merged.key != NULL)
            return fail_node(reader->tree, node->pairs[i].key, "'<<' stands in line %u already",
                             merged.key->line);
        else
            merged = node->pairs[i];
    }
    node->count = own;
    int error = merged.key == NULL ? 0 : merge(reader, node, &room, merged.key, merged.value);
    return error < 0 ? error : drop_repeated(reader, node, own);
}

static int read_pairs(struct reader *reader, struct yaml_node *node)
{
    size_t room = 0;
    for (;;) {
        yaml_event_t event;
        struct yaml_node *key = NULL, *value = NULL;
        int error = next_event(reader, &event);
        if (error < 0)
            return error;
        if (event.type == YAML_MAPPING_END_EVENT) {
            wipe_event(&event);
            return end_map(reader, node, room);
        }
        error = read_node(reader, &event, &key);
        if (error == 0 && key->kind != YAML_SCALAR)
            error = fail_node(reader->tree, key, "a key that is no text");
        if (error == 0)
            error = next_event(reader, &event);
        if (error == 0)
            error = read_node(reader, &event, &value);
        if (error == 0)
            error = add_weight(reader, node, value);
        if (error == 0)
            error = add_pair(node, &room, key, value);
        if (error < 0)
            return error;
    }
}

static int read_collection(struct reader *reader, const yaml_event_t *event, enum yaml_kind kind,
                           struct yaml_node **out)
{
    bool list = kind == YAML_LIST;
    int error = new_node(reader, kind, event, out);
    if (error < 0)
        return error;
    struct yaml_node *node = *out;
    error = keep_tag(reader, node,
                     list ? event->data.sequence_start.tag : event->data.mapping_start.tag);
    if (error == 0)
        error = keep_anchor(reader, node,
                            list ? event->data.sequence_start.anchor
                                 : event->data.mapping_start.anchor);
    if (error == 0 && ++reader->depth > YAML_DEPTH_MAX)
        error = fail_node(reader->tree, node, "nested more than %d deep", YAML_DEPTH_MAX);
    node->open = true;
    if (error == 0)
        error = list ? read_items(reader, node) : read_pairs(reader, node);
    node->open = false;
    reader->depth--;
    return error;
}

/* The node that an event begins; the event is released. */
static int read_node(struct reader *reader, yaml_event_t *event, struct yaml_node **out)
{
    int error;
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        error = read_alias(reader, event, out);
        break;
    case YAML_SCALAR_EVENT:
        error = read_scalar(reader, event, out);
        break;
    case YAML_SEQUENCE_START_EVENT:
        error = read_collection(reader, event, YAML_LIST, out);
        break;
    default:
        error = read_collection(reader, event, YAML_MAP, out);
    }
    wipe_event(event);
    return error;
}

static int keep_document(struct reader *reader, const struct yaml_node *root)
{
    struct yaml_tree *tree = reader->tree;
    if (root->kind == YAML_SCALAR && root->plain && root->size == 0)
        return 0;
    void *list = tree->documents;
    int error = grow(&list, &reader->document_room, tree->document_count, sizeof *tree->documents);
    tree->documents = list;
    if (error == 0)
        tree->documents[tree->document_count++] = root;
    return error;
}

static int read_documents(struct reader *reader)
{
    for (;;) {
        yaml_event_t event;
        struct yaml_node *root = NULL;
        int error = next_event(reader, &event);
        if (error < 0)
            return error;
        yaml_event_type_t type = event.type;
        if (type == YAML_STREAM_END_EVENT || type == YAML_STREAM_START_EVENT ||
            type == YAML_DOCUMENT_START_EVENT || type == YAML_DOCUMENT_END_EVENT) {
            wipe_event(&event);
            if (type == YAML_STREAM_END_EVENT)
                return 0;
            continue;
        }
        forget_anchors(reader);
        error = read_node(reader, &event, &root);
        if (error == 0)
            error = keep_document(reader, root);
        if (error < 0)
            return error;
    }
}

int yaml_read(struct yaml_tree *tree, const char *text, size_t size)
{
    struct reader reader = {.tree = tree, .text = text, .size = size};
    if (yaml_parser_initialize(&reader.parser) == 0)
        return no_memory();
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, size);
    int error = read_documents(&reader);
    forget_anchors(&reader);
    free(reader.anchors);
    yaml_parser_delete(&reader.parser);
    return error;
}

void yaml_release(struct yaml_tree *tree)
{
    for (size_t i = 0; i < tree->node_count; i++) {
        struct yaml_node *node = &tree->nodes[i / RUN][i % RUN];
        if (node->kind == YAML_LIST)
            free(node->items);
        else if (node->kind == YAML_MAP)
            free(node->pairs);
    }
    for (size_t i = 0; i < tree->node_count; i += RUN)
        free(tree->nodes[i / RUN]);
    free(tree->nodes);
    free(tree->documents);
    text_blocks_release(&tree->tags);
    secret_release(&tree->text);
    *tree = (struct yaml_tree){.file = tree->file};
}
