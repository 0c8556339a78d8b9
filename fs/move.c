#include "fs/move.h"

#include <stdlib.h>
#include <string.h>

#include "fs/node.h"
#include "store/error.h"

/* What stands at a revision, in the order of outcomes; rev is that of a key's value. */
struct listing {
    struct outcome *items; /* owned */
    uint32_t count, capacity;
};

static int append(struct outcome **items, uint32_t *count, uint32_t *capacity,
                  const struct outcome *item)
{
    if (*count == *capacity) {
        const uint32_t more = *capacity ? 2 * *capacity : 64;
        struct outcome *grown = reallocarray(*items, more, sizeof(*grown));
        if (!grown)
            return error_set(ERR_NOMEM, "no memory for what a move changes");
        *items = grown;
        *capacity = more;
    }
    (*items)[(*count)++] = *item;
    return 0;
}

static int list_add(struct listing *listing, const struct outcome *item)
{
    return append(&listing->items, &listing->count, &listing->capacity, item);
}

static int list_service(struct snapshot *snapshot, struct listing *listing,
                        const struct scope *scope, const struct service *service)
{
    struct outcome item = {.kind = OUTCOME_SERVICE,
                           .environment = service->environment,
                           .service = service->id,
                           .incarnation = service->incarnation};
    char after[KEY_NAME_MAX + 1] = "";
    struct entry entry;
    int error = scope_is_own(scope, &item) ? 0 : list_add(listing, &item);
    item.kind = OUTCOME_KEY;
    while (!error) {
        error = snapshot_next_entry(snapshot, &entry, service->environment, service->id, after);
        if (error)
            break;
        memcpy(after, entry.key, sizeof(after));
        item.name_id = entry.name_id;
        item.rev = entry.rev;
        item.is_secret = entry.kind == ENTRY_SECRET;
        error = list_add(listing, &item);
    }
    return error == NOT_THERE ? 0 : error;
}

static int list_services(struct snapshot *snapshot, struct listing *listing,
                         const struct scope *scope, uint32_t environment)
{
    struct service service = {.name = ""};
    int found;
    while (!(found = snapshot_next_service(snapshot, &service, environment, service.name))) {
        found = list_service(snapshot, listing, scope, &service);
        if (found)
            break;
    }
    return found == NOT_THERE ? 0 : found;
}

/* Of a snapshot that stands at the revision. */
static int list_all(struct snapshot *snapshot, struct listing *listing, const struct scope *scope)
{
    struct environment environment;
    struct service service;
    int found = snapshot_environment(snapshot, &environment, scope->options->environment);
    if (!found && scope->options->extent == VIEW_ENVIRONMENT)
        return list_services(snapshot, listing, scope, environment.id);
    if (!found)
        found = snapshot_service(snapshot, &service, environment.id, scope->options->service);
    if (!found)
        found = list_service(snapshot, listing, scope, &service);
    return found == NOT_THERE ? 0 : found;
}

/* A place before what is in it. A key is its name in an environment, in whichever life of its
 * service. */
static int in_order(const void *a, const void *b)
{
    const struct outcome *one = a, *two = b;
    if (one->environment != two->environment)
        return one->environment < two->environment ? -1 : 1;
    if (one->service != two->service)
        return one->service < two->service ? -1 : 1;
    if (one->kind != two->kind)
        return one->kind > two->kind ? -1 : 1;
    if (one->kind == OUTCOME_SERVICE)
        return (one->incarnation > two->incarnation) - (one->incarnation < two->incarnation);
    return (one->name_id > two->name_id) - (one->name_id < two->name_id);
}

static int list(struct snapshot *snapshot, struct listing *listing, const struct scope *scope,
                uint64_t rev)
{
    const uint64_t as_of = snapshot_as_of(snapshot);
    snapshot_stand(snapshot, rev);
    const int error = list_all(snapshot, listing, scope);
    snapshot_stand(snapshot, as_of);
    if (!error && listing->count)
        qsort(listing->items, listing->count, sizeof(*listing->items), in_order);
    return error;
}

static int add(struct move *move, const struct outcome *item, char mark)
{
    struct outcome marked = *item;
    marked.mark = mark;
    int error = append(&move->items, &move->count, &move->capacity, &marked);
    const bool is_name =
        mark == '+' || (mark == '-' && item->kind == OUTCOME_KEY); /* fs/move.h says why */
    return error || !is_name ? error : name_changes_add(&move->names, &marked);
}

static int compare(struct move *move, const struct listing *before, const struct listing *after,
                   bool was_newest)
{
    int error = 0;
    for (uint32_t i = 0, j = 0; !error && (i < before->count || j < after->count);) {
        const int order = i == before->count  ? 1
                          : j == after->count ? -1
                                              : in_order(&before->items[i], &after->items[j]);
        if (order < 0) {
            error = add(move, &before->items[i++], '-');
        } else if (order > 0) {
            error = add(move, &after->items[j++], '+');
        } else {
            const bool differs = before->items[i++].rev != after->items[j].rev;
            /* a directory that stays has another time */
            if (differs || was_newest || after->items[j].kind == OUTCOME_SERVICE)
                error = add(move, &after->items[j], differs ? '~' : '=');
            j++;
        }
    }
    return error;
}

int move_compare(struct move **out, struct snapshot *snapshot, struct scope *scope, uint64_t from,
                 uint64_t upto, bool was_newest)
{
    struct listing before = {0}, after = {0};
    struct move *move = calloc(1, sizeof(*move));
    if (!move)
        return error_set(ERR_NOMEM, "no memory for what a move changes");
    move->from = from;
    move->upto = upto;
    move->names.scope = scope;
    int error = list(snapshot, &before, scope, from);
    if (!error)
        error = list(snapshot, &after, scope, upto);
    if (!error)
        error = compare(move, &before, &after, was_newest);
    free(before.items);
    free(after.items);
    if (error) {
        move_free(move);
        return error;
    }
    name_changes_order(&move->names);
    *out = move;
    return 0;
}

void move_free(struct move *move)
{
    if (!move)
        return;
    name_changes_release(&move->names);
    free(move->items);
    free(move);
}

int move_check(struct snapshot *snapshot, const struct scope *scope, uint64_t rev)
{
    const struct view_options *options = scope->options;
    struct environment environment;
    struct service service;
    if (rev > snapshot_revision(snapshot))
        return error_set(ERR_NOT_FOUND, "there is no revision %llu: the newest is %llu",
                         (unsigned long long)rev, (unsigned long long)snapshot_revision(snapshot));
    const uint64_t as_of = snapshot_as_of(snapshot);
    snapshot_stand(snapshot, rev);
    int found = snapshot_environment(snapshot, &environment, options->environment);
    if (!found && options->extent == VIEW_SERVICE)
        found = snapshot_service(snapshot, &service, environment.id, options->service);
    snapshot_stand(snapshot, as_of);
    if (found == NOT_THERE)
        return error_set(
            ERR_REFUSED,
            "'%s%s%s' was not there at revision %llu: 'emsa log %s%s%s' shows since when "
            "it is",
            options->environment, options->service[0] ? "/" : "", options->service,
            (unsigned long long)rev, options->environment, options->service[0] ? "/" : "",
            options->service);
    return found;
}

static void begin(struct effects *out)
{
    out->size = 0;
    out->waited = 0;
    memset(out->listed, 0, sizeof(out->listed));
}

/* Times and what is hidden in it are others, whatever stands there: as if it had come. */
static void forget_own(struct effects *out)
{
    const bool is_service = out->scope->options->extent == VIEW_SERVICE;
    const struct outcome came = {.kind = is_service ? OUTCOME_SERVICE : OUTCOME_ENVIRONMENT,
                                 .mark = '+',
                                 .environment = 1,
                                 .service = is_service};
    (void)effects_of(out, &came); /* which is the first, so there is room */
}

/* The directory of a service that stays shows when the view was moved. */
static bool forget_directory(struct effects *out, const struct outcome *item)
{
    const size_t size = out->size;
    const uint64_t above = scope_own(out->scope, node_environment(item->environment));
    const struct effect wait = {.node = above, .kind = EFFECT_WAIT};
    const struct effect node = {
        .node = node_service(item->environment, item->service, item->incarnation),
        .kind = EFFECT_NODE};
    bool has_room = out->waited == above || effects_append(out, &wait, NULL);
    if (has_room && effects_append(out, &node, NULL)) {
        out->waited = above;
        return true;
    }
    out->size = size;
    return false;
}

/* 1: there is no room. */
static int forget(struct snapshot *snapshot, struct effects *out, const struct outcome *item)
{
    char name[SERVICE_NAME_MAX + 1];
    struct outcome told = *item;
    if (item->kind == OUTCOME_SERVICE && item->mark == '=')
        return forget_directory(out, item) ? 0 : 1;
    if (item->mark == '=')
        told.mark = '~';
    if (!effects_of(out, &told))
        return 1;
    if (item->kind != OUTCOME_SERVICE || item->mark != '-')
        return 0;
    int found = snapshot_service_name(snapshot, name, item->service);
    if (found)
        return found < 0 ? found : error_set(ERR_CORRUPT, "the name of a service is not there");
    struct effect effect = {.node = scope_own(out->scope, node_environment(item->environment)),
                            .kind = EFFECT_NAME};
    return effects_append(out, &effect, name) ? 0 : 1;
}

bool move_has_changes(const struct move *move)
{
    return move->changes_at <= move->count;
}

int move_changes(struct move *move, struct snapshot *snapshot, struct effects *out)
{
    begin(out);
    if (move->changes_at == 0) {
        forget_own(out);
        move->changes_at = 1;
    }
    int error = 0;
    while (!error && move_has_changes(move)) {
        error = forget(snapshot, out, &move->items[move->changes_at - 1]);
        move->changes_at += !error;
    }
    return error < 0 ? error : 0;
}

bool move_has_events(const struct move *move)
{
    return move->events_at < move->count;
}

/* 1: there is no room. */
static int touch(struct snapshot *snapshot, struct effects *out, const struct outcome *item)
{
    char path[PATH_TEXT_MAX];
    if (item->kind != OUTCOME_KEY || (item->mark != '+' && item->mark != '~'))
        return 0;
    struct effect effect = {.node = node_key(item->environment, item->name_id),
                            .parent =
                                node_service(item->environment, item->service, item->incarnation),
                            .kind = EFFECT_TOUCH};
    int error = called_path(snapshot, &out->called, path, effect.node);
    return error ? error : effects_append(out, &effect, path) ? 0 : 1;
}

int move_events(struct move *move, struct snapshot *snapshot, struct effects *out)
{
    begin(out);
    int error = 0;
    while (!error && move_has_events(move)) {
        error = touch(snapshot, out, &move->items[move->events_at]);
        move->events_at += !error;
    }
    return error < 0 ? error : 0;
}
