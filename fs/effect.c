/*
 * The order matters and is the same everywhere: first NAME or WAIT on the directory, then NODE of
 * what changed, then NODE of the directory.
 *
 * A LOOKUP or READDIRPLUS answered just before the commit may not have reached the kernel's caches
 * yet when the invalidation does; it would then put the old size there, for as long as entries are
 * kept, which is days. Both are asked with the directory locked until the answer is in, so an
 * invalidation of a name there waits for them; a name that no directory can have makes of it a pure
 * wait. (An invalidation of the changed file's own name would do as well, but would take away a
 * mount that stands on the file.)
 */
#include "fs/effect.h"

#include <string.h>

#include "fs/node.h"

#define PADDING 8

static size_t padded(size_t size)
{
    return (size + PADDING - 1) / PADDING * PADDING;
}

static size_t room(const struct effects *out)
{
    return sizeof(out->data) - out->size;
}

static size_t cost(const char *name)
{
    return sizeof(struct effect) + (name ? padded(strlen(name)) : 0);
}

static void append(struct effects *out, enum effect_kind kind, uint64_t node, const char *name)
{
    struct effect effect = {
        .node = node, .kind = (uint8_t)kind, .name_size = (uint8_t)(name ? strlen(name) : 0)};
    memcpy(out->data + out->size, &effect, sizeof(effect));
    out->size += sizeof(effect);
    if (!name)
        return;
    memset(out->data + out->size, 0, padded(effect.name_size));
    memcpy(out->data + out->size, name, effect.name_size);
    out->size += padded(effect.name_size);
}

/* A set of a key that was there. Runs of one service's keys share one WAIT. */
static bool key_changed(struct effects *out, uint64_t directory, uint64_t node)
{
    bool waited = out->size > 0 && out->waited == directory;
    size_t need = cost(NULL) * (waited ? 1 : 2);
    if (room(out) < need)
        return false;
    if (!waited)
        append(out, EFFECT_WAIT, directory, NULL);
    append(out, EFFECT_NODE, node, NULL);
    out->waited = directory;
    out->listed = 0;
    return true;
}

/* Takes NODE of a directory away from the end of the run: it comes again behind what follows. */
static void unappend(struct effects *out, uint64_t directory)
{
    struct effect last;
    if (out->listed != directory || out->size < sizeof(last))
        return;
    memcpy(&last, out->data + out->size - sizeof(last), sizeof(last));
    if (last.kind == EFFECT_NODE && last.name_size == 0 && last.node == directory)
        out->size -= sizeof(last);
}

/* Something appeared in a directory, or went. */
static bool name_changed(struct effects *out, uint64_t directory, const char *name, uint64_t node)
{
    if (room(out) < cost(name) + 2 * cost(NULL))
        return false;
    unappend(out, directory);
    append(out, EFFECT_NAME, directory, name);
    append(out, EFFECT_NODE, node, NULL);
    append(out, EFFECT_NODE, directory, NULL);
    out->waited = out->listed = directory;
    return true;
}

bool effects_of(struct effects *out, const struct operation_info *operation)
{
    uint32_t environment = operation->environment;
    uint64_t service = node_service(environment, operation->service, operation->incarnation);
    uint64_t key = node_key(environment, operation->name_id);
    switch (operation->kind) {
    case OPERATION_SET_PLAIN:
    case OPERATION_SET_SECRET:
    case OPERATION_SET_TEMPLATE:
    case OPERATION_SET_LINK:
        if (!operation->first)
            return key_changed(out, service, key);
        return name_changed(out, service, operation->path.key, key);
    case OPERATION_REMOVE:
        return name_changed(out, service, operation->path.key, key);
    case OPERATION_SERVICE_ADD:
    case OPERATION_SERVICE_REMOVE:
        return name_changed(out, node_environment(environment), operation->path.service, service);
    case OPERATION_ENVIRONMENT_ADD:
    case OPERATION_ENVIRONMENT_REMOVE:
        return name_changed(out, NODE_ROOT, operation->path.environment,
                            node_environment(environment));
    default:
        return true; /* keys and identities are not in the tree */
    }
}

int effects_gather(struct snapshot *snapshot, struct effects *out, struct cursor *cursor,
                   uint64_t upto)
{
    struct operation_info operation;
    out->size = 0;
    out->waited = out->listed = 0;
    while (cursor->rev <= upto) {
        int found = history_operation(snapshot, &operation, cursor->rev, cursor->op);
        if (found < 0)
            return found;
        if (found == NOT_THERE) {
            cursor->rev++;
            cursor->op = 0;
            continue;
        }
        if (!effects_of(out, &operation))
            return 0;
        cursor->op++;
    }
    return 0;
}

bool effects_next(const unsigned char *data, size_t size, size_t *at, struct effect *out,
                  const char **name)
{
    if (*at > size || size - *at < sizeof(*out))
        return false;
    struct effect effect;
    memcpy(&effect, data + *at, sizeof(effect));
    size_t length = padded(effect.name_size);
    if (size - *at - sizeof(effect) < length)
        return false;
    if (effect.kind < EFFECT_WAIT || effect.kind > EFFECT_NAME ||
        (effect.kind == EFFECT_NAME) != (effect.name_size > 0))
        return false;
    *name = (const char *)(data + *at + sizeof(effect));
    *at += sizeof(effect) + length;
    *out = effect;
    return true;
}
