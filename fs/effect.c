/*
 * The order of changes matters and is the same everywhere: first WAIT on the directory, then NODE
 * of what changed.
 *
 * A LOOKUP or READDIRPLUS answered just before the commit may not have reached the kernel's caches
 * yet when the invalidation does; it would then put the old size there, for as long as entries are
 * kept, which is days. Both are asked with the directory locked until the answer is in, so an
 * invalidation of a name there waits for them; a name that no directory can have makes of it a pure
 * wait. (An invalidation of the changed file's own name would do as well, but would take away a
 * mount that stands on the file.)
 *
 * What lists and names need is done by the kernel itself when they are made and removed there.
 */
#include "fs/effect.h"

#include <stdio.h>
#include <string.h>

#include "fs/node.h"

#define PADDING 8
#define PATH_SIZE (ENVIRONMENT_NAME_MAX + SERVICE_NAME_MAX + KEY_NAME_MAX + 3)

static size_t padded(size_t size)
{
    return (size + PADDING - 1) / PADDING * PADDING;
}

static size_t room(const struct effects *out)
{
    return sizeof(out->data) - out->size;
}

bool effects_append(struct effects *out, const struct effect *effect, const char *name)
{
    struct effect written = *effect;
    size_t length = name ? strlen(name) : 0;
    if (room(out) < sizeof(written) + padded(length))
        return false;
    written.name_size = (uint16_t)length;
    memcpy(out->data + out->size, &written, sizeof(written));
    out->size += sizeof(written);
    memset(out->data + out->size, 0, padded(length));
    if (length)
        memcpy(out->data + out->size, name, length);
    out->size += padded(length);
    return true;
}

/* Runs of one service's keys share one WAIT. */
static bool key_changed(struct effects *out, uint64_t directory, uint64_t node)
{
    bool waited = out->size > 0 && out->waited == directory;
    if (room(out) < (waited ? 1 : 2) * sizeof(struct effect))
        return false;
    if (!waited)
        effects_append(out, &(struct effect){.node = directory, .kind = EFFECT_WAIT}, NULL);
    out->waited = directory;
    return effects_append(out, &(struct effect){.node = node, .kind = EFFECT_NODE}, NULL);
}

static bool is_set(const struct operation_info *operation)
{
    return operation->kind == OPERATION_SET_PLAIN || operation->kind == OPERATION_SET_SECRET ||
           operation->kind == OPERATION_SET_TEMPLATE || operation->kind == OPERATION_SET_LINK;
}

bool effects_of(struct effects *out, const struct operation_info *operation)
{
    if (!is_set(operation) && operation->kind != OPERATION_REMOVE)
        return true; /* directories are names; keys and identities are not in the tree */
    return key_changed(
        out, node_service(operation->environment, operation->service, operation->incarnation),
        node_key(operation->environment, operation->name_id));
}

/* Calls what takes an operation, until it has no room or the range ends. */
typedef int gather_one(struct snapshot *snapshot, struct effects *out,
                       const struct operation_info *operation, uint64_t upto);
#define NO_ROOM 1

static int gather(struct snapshot *snapshot, struct effects *out, struct cursor *cursor,
                  uint64_t upto, gather_one *one)
{
    struct operation_info operation;
    out->size = 0;
    out->waited = 0;
    while (cursor->rev <= upto) {
        int found = history_operation(snapshot, &operation, cursor->rev, cursor->op);
        if (found < 0)
            return found;
        if (found == NOT_THERE) {
            cursor->rev++;
            cursor->op = 0;
            continue;
        }
        int full = one(snapshot, out, &operation, upto);
        if (full)
            return full == NO_ROOM ? 0 : full;
        cursor->op++;
    }
    return 0;
}

/* Whether a key is set again in the range. Asked only where there is more than a commit to tell: a
 * burst is told as one. */
static int is_superseded(struct snapshot *snapshot, const struct operation_info *operation,
                         uint64_t upto, bool *superseded)
{
    struct entry entry;
    *superseded = false;
    if (operation->rev == upto)
        return 0;
    int found =
        snapshot_entry_at(snapshot, &entry, operation->environment, operation->name_id, upto);
    if (found == 0)
        *superseded = entry.rev != operation->rev;
    return found < 0 ? found : 0;
}

static int gather_change(struct snapshot *snapshot, struct effects *out,
                         const struct operation_info *operation, uint64_t upto)
{
    bool superseded = false;
    int error = is_set(operation) ? is_superseded(snapshot, operation, upto, &superseded) : 0;
    if (error || superseded)
        return error;
    return effects_of(out, operation) ? 0 : NO_ROOM;
}

int effects_gather(struct snapshot *snapshot, struct effects *out, struct cursor *cursor,
                   uint64_t upto)
{
    return gather(snapshot, out, cursor, upto, gather_change);
}

/* Whether a key came with its directory: nobody could watch it yet. (One that was there before may
 * have come back in a directory made again, and with the watches that it had.) */
static int came_with_directory(struct snapshot *snapshot, const struct operation_info *operation)
{
    struct service service;
    struct entry before;
    if (!operation->first)
        return 0;
    int found = snapshot_service_by_id(snapshot, &service, operation->environment,
                                       operation->service, operation->incarnation);
    if (found || service.made_rev != operation->rev)
        return found < 0 ? found : 0;
    found = snapshot_entry_at(snapshot, &before, operation->environment, operation->name_id,
                              operation->rev - 1);
    return found < 0 ? found : found == NOT_THERE;
}

static int gather_event(struct snapshot *snapshot, struct effects *out,
                        const struct operation_info *operation, uint64_t upto)
{
    struct entry entry;
    char path[PATH_SIZE];
    if (!is_set(operation))
        return 0;
    int found =
        snapshot_entry_at(snapshot, &entry, operation->environment, operation->name_id, upto);
    if (found || entry.rev != operation->rev || entry.op != operation->op)
        return found < 0 ? found : 0;
    found = came_with_directory(snapshot, operation);
    if (found)
        return found < 0 ? found : 0;
    (void)snprintf(path, sizeof(path), "%s/%s/%s", operation->path.environment,
                   operation->path.service, operation->path.key);
    struct effect effect = {
        .node = node_key(operation->environment, operation->name_id),
        .parent = node_service(operation->environment, operation->service, operation->incarnation),
        .kind = EFFECT_TOUCH};
    return effects_append(out, &effect, path) ? 0 : NO_ROOM;
}

int effects_gather_events(struct snapshot *snapshot, struct effects *out, struct cursor *cursor,
                          uint64_t upto)
{
    return gather(snapshot, out, cursor, upto, gather_event);
}

static bool has_name(unsigned kind)
{
    return kind != EFFECT_WAIT && kind != EFFECT_NODE;
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
    if (effect.kind < EFFECT_WAIT || effect.kind > EFFECT_TOUCH ||
        has_name(effect.kind) != (effect.name_size > 0))
        return false;
    *name = (const char *)(data + *at + sizeof(effect));
    *at += sizeof(effect) + length;
    *out = effect;
    return true;
}
