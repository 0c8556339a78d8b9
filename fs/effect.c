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
 * What names need is done by the kernel itself when they are made and removed there. So it is with
 * a directory's attributes, but where a name comes and goes within a step: nothing is made there,
 * and yet the directory's time is another. So a list that changed is told too, in the same order:
 * WAIT on where the directory stands, NODE of the directory. (The root's answers come before
 * anybody's LOOKUP: for that nobody waits.)
 */
#include "fs/effect.h"

#include <stddef.h>
#include <string.h>

#include "fs/node.h"

#define PADDING 8
_Static_assert(offsetof(struct effect, position) % PADDING == 0, "a short effect ends even");

static size_t padded(size_t size)
{
    return (size + PADDING - 1) / PADDING * PADDING;
}

static size_t room(const struct effects *out)
{
    return sizeof(out->data) - out->size;
}

static bool has_name(unsigned kind)
{
    return kind != EFFECT_WAIT && kind != EFFECT_NODE;
}

/* What a message has of an effect beside its name. */
static size_t short_or_long(unsigned kind)
{
    return has_name(kind) ? sizeof(struct effect) : offsetof(struct effect, position);
}

bool effects_append(struct effects *out, const struct effect *effect, const char *name)
{
    struct effect written = *effect;
    const char *path = name ? scope_path(out->scope, name) : NULL;
    const size_t length = path ? strlen(path) : 0, size = short_or_long(effect->kind);
    if (room(out) < size + padded(length))
        return false;
    written.node = scope_wire(out->scope, effect->node);
    written.parent = effect->parent ? scope_wire(out->scope, effect->parent) : 0;
    written.name_size = (uint16_t)length;
    memcpy(out->data + out->size, &written, size);
    out->size += size;
    memset(out->data + out->size, 0, padded(length));
    if (length)
        memcpy(out->data + out->size, path, length);
    out->size += padded(length);
    return true;
}

/* Runs of what stands in one directory share one WAIT. */
static void node_changed(struct effects *out, uint64_t directory, uint64_t node)
{
    if (directory && directory != out->waited) {
        effects_append(out, &(struct effect){.node = directory, .kind = EFFECT_WAIT}, NULL);
        out->waited = directory;
    }
    effects_append(out, &(struct effect){.node = node, .kind = EFFECT_NODE}, NULL);
}

static uint64_t directory_of(const struct outcome *outcome)
{
    return node_service(outcome->environment, outcome->service, outcome->incarnation);
}

/* Something came into a directory, or went. Said once a run: all of the run is committed by then.
 */
static void list_changed(struct effects *out, const struct outcome *outcome)
{
    const uint64_t environment = node_environment(outcome->environment);
    uint64_t directory = NODE_ROOT, stands_in = 0;
    if (outcome->kind == OUTCOME_SERVICE) {
        directory = environment;
        stands_in = NODE_ROOT;
    } else if (outcome->kind == OUTCOME_KEY) {
        directory = directory_of(outcome);
        stands_in = environment;
    }
    /* a view's own directory does not come: what it shows of itself changes */
    if (scope_is_own(out->scope, outcome)) {
        stands_in = directory;
        directory = outcome->kind == OUTCOME_SERVICE ? directory_of(outcome) : environment;
    }
    directory = scope_own(out->scope, directory);
    stands_in = scope_own(out->scope, stands_in);
    if (out->listed[outcome->kind] == directory)
        return;
    out->listed[outcome->kind] = directory;
    node_changed(out, stands_in == directory ? 0 : stands_in,
                 directory); /* the root of a flat view */
}

/* Room for the most that one outcome takes. */
static bool has_room(const struct effects *out)
{
    return room(out) >= 4 * sizeof(struct effect);
}

bool effects_of(struct effects *out, const struct outcome *outcome)
{
    if (!has_room(out))
        return false;
    if (outcome->mark != '~')
        list_changed(out, outcome);
    if (outcome->kind == OUTCOME_KEY)
        node_changed(out, scope_own(out->scope, directory_of(outcome)),
                     node_key(outcome->environment, outcome->name_id));
    return true;
}

/* A walk through a range. What it looked up last it does not look up again. */
struct gathering {
    struct snapshot *snapshot;
    struct effects *out;
    uint64_t upto;
    struct outcome outcome; /* the one in hand */
    struct outcome before;  /* the one before it in the same revision; rev 0: there is none */
    bool whole;             /* of this revision all up to here was seen */
    uint64_t directory;     /* a service; 0: none */
    bool is_new;            /* that one was made in this revision */
    uint64_t looked_up;     /* a key; 0: none */
    uint64_t rev;           /* of what that one is at upto; 0: it is not there */
};

/* Takes what is in hand, until there is no room or the range ends. */
typedef int gather_one(struct gathering *gathering);
#define NO_ROOM 1

/* What comes before the first outcome in hand, where that is not its revision's first. */
static int look_back(struct gathering *gathering, const struct cursor *cursor)
{
    gathering->whole = cursor->index == 0;
    if (gathering->whole || cursor->rev > gathering->upto)
        return 0;
    int found =
        history_outcome(gathering->snapshot, &gathering->before, cursor->rev, cursor->index - 1);
    return found < 0 ? found : 0;
}

static void next_revision(struct gathering *gathering, struct cursor *cursor)
{
    cursor->rev++;
    cursor->index = 0;
    gathering->whole = true;
    gathering->before.rev = 0;
    gathering->directory = 0;
}

static int gather(struct snapshot *snapshot, struct effects *out, struct cursor *cursor,
                  uint64_t upto, gather_one *one)
{
    struct gathering gathering = {.snapshot = snapshot, .out = out, .upto = upto};
    out->size = 0;
    out->waited = 0;
    memset(out->listed, 0, sizeof(out->listed));
    int error = look_back(&gathering, cursor);
    while (!error && cursor->rev <= upto) {
        int found = outlines_next(out->outlines, snapshot, out->scope, &gathering.outcome,
                                  cursor->rev, &cursor->index);
        if (found < 0)
            return found;
        if (found == NOT_THERE) {
            next_revision(&gathering, cursor);
            continue;
        }
        error = one(&gathering);
        if (error)
            break;
        gathering.before = gathering.outcome;
        cursor->index++;
    }
    return error == NO_ROOM ? 0 : error;
}

/* The revision of what a key is at the end of the range; 0: it is not there. */
static int rev_at_end(struct gathering *gathering, uint64_t *rev)
{
    const struct outcome *outcome = &gathering->outcome;
    struct snapshot *snapshot = gathering->snapshot;
    struct entry entry;
    uint64_t node = node_key(outcome->environment, outcome->name_id);
    if (gathering->looked_up != node) {
        int found =
            gathering->upto == snapshot_revision(snapshot)
                ? snapshot_entry_by_name(snapshot, &entry, outcome->environment, outcome->name_id)
                : snapshot_entry_at(snapshot, &entry, outcome->environment, outcome->name_id,
                                    gathering->upto);
        if (found < 0)
            return found;
        gathering->looked_up = node;
        gathering->rev = found == 0 ? entry.rev : 0;
    }
    *rev = gathering->rev;
    return 0;
}

/* Whether what a key came to be is what it is at the end of the range; else something further on
 * tells of it. Asked only where there is more than a commit to tell: a burst is told as one. 1, 0
 * or a failure. */
static int is_last(struct gathering *gathering)
{
    const struct outcome *outcome = &gathering->outcome;
    uint64_t rev;
    if (outcome->rev == gathering->upto)
        return 1;
    int error = rev_at_end(gathering, &rev);
    if (error)
        return error;
    /* older: it came back, as what it was, in a directory made again */
    return rev != 0 && rev <= outcome->rev;
}

/* A key of a directory that was removed and made again in one commit goes and comes in one: two
 * outcomes, one behind the other. */
static bool came_back(const struct gathering *gathering)
{
    const struct outcome *before = &gathering->before, *now = &gathering->outcome;
    return before->rev == now->rev && before->kind == OUTCOME_KEY && before->mark == '-' &&
           before->environment == now->environment && before->name_id == now->name_id;
}

static void note_directory(struct gathering *gathering)
{
    if (gathering->outcome.kind == OUTCOME_SERVICE && gathering->outcome.mark == '+') {
        gathering->directory = directory_of(&gathering->outcome);
        gathering->is_new = true;
    }
}

/* A place stands before what is in it, so whoever saw a revision from its beginning knows. */
static int is_directory_new(struct gathering *gathering)
{
    const struct outcome *outcome = &gathering->outcome;
    if (gathering->directory != directory_of(outcome)) {
        struct service service;
        int found =
            gathering->whole
                ? NOT_THERE
                : snapshot_service_by_id(gathering->snapshot, &service, outcome->environment,
                                         outcome->service, outcome->incarnation);
        if (found < 0)
            return found;
        gathering->is_new = found == 0 && service.made_rev == outcome->rev;
        gathering->directory = directory_of(outcome);
    }
    return gathering->is_new;
}

/* Whether a key came with its directory: nobody could watch it yet. (One that was there before may
 * have come back in a directory made again, and with the watches that it had. One that belongs to
 * the view was always there.) */
static int came_with_directory(struct gathering *gathering)
{
    const struct scope *scope = gathering->out->scope;
    if (gathering->outcome.mark != '+' || came_back(gathering) ||
        (!scope_is_all(scope) && scope->options->extent == VIEW_SERVICE))
        return 0;
    return is_directory_new(gathering);
}

/* What no kernel can know: a key of a directory that is the first of its place, and came with it.
 * (An import makes a hundred thousand of them.) */
static int is_unknown(struct gathering *gathering)
{
    return gathering->outcome.incarnation == 0 ? came_with_directory(gathering) : 0;
}

static int gather_change(struct gathering *gathering)
{
    const struct outcome *outcome = &gathering->outcome;
    note_directory(gathering);
    if (outcome->mark == '+' && came_back(gathering))
        return 0; /* told as it went */
    int unknown = outcome->kind == OUTCOME_KEY ? is_unknown(gathering) : 0;
    if (unknown)
        return unknown < 0 ? unknown : 0;
    int last = outcome->kind != OUTCOME_KEY || outcome->mark == '-' ? 1 : is_last(gathering);
    if (last < 0 || (!last && outcome->mark == '~'))
        return last;
    if (last)
        return effects_of(gathering->out, outcome) ? 0 : NO_ROOM;
    if (!has_room(gathering->out))
        return NO_ROOM;
    list_changed(gathering->out, outcome); /* that it came is told by nothing further on */
    return 0;
}

int effects_gather(struct snapshot *snapshot, struct effects *out, struct cursor *cursor,
                   uint64_t upto)
{
    return gather(snapshot, out, cursor, upto, gather_change);
}

static int gather_event(struct gathering *gathering)
{
    const struct outcome *outcome = &gathering->outcome;
    char path[PATH_TEXT_MAX];
    note_directory(gathering);
    if (outcome->kind != OUTCOME_KEY || outcome->mark == '-')
        return 0;
    int last = is_last(gathering);
    if (last != 1)
        return last;
    int with_it = came_with_directory(gathering);
    if (with_it)
        return with_it < 0 ? with_it : 0;
    struct effect effect = {.node = node_key(outcome->environment, outcome->name_id),
                            .parent = directory_of(outcome),
                            .kind = EFFECT_TOUCH};
    int error = called_path(gathering->snapshot, &gathering->out->called, path, effect.node);
    if (error)
        return error;
    return effects_append(gathering->out, &effect, path) ? 0 : NO_ROOM;
}

int effects_gather_events(struct snapshot *snapshot, struct effects *out, struct cursor *cursor,
                          uint64_t upto)
{
    return gather(snapshot, out, cursor, upto, gather_event);
}

bool effects_next(const unsigned char *data, size_t size, size_t *at, struct effect *out,
                  const char **name)
{
    const size_t least = offsetof(struct effect, position);
    struct effect effect = {0};
    if (*at > size || size - *at < least)
        return false;
    memcpy(&effect, data + *at, least);
    const size_t head = short_or_long(effect.kind), length = padded(effect.name_size);
    if (size - *at < head || size - *at - head < length)
        return false;
    memcpy(&effect, data + *at, head);
    if (effect.kind < EFFECT_WAIT || effect.kind > EFFECT_TOUCH ||
        has_name(effect.kind) != (effect.name_size > 0))
        return false;
    *name = (const char *)(data + *at + head);
    *at += head + length;
    *out = effect;
    return true;
}
