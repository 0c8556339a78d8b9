#include "fs/target_move.h"

#include <time.h>

#include "fs/move.h"
#include "fs/step.h"
#include "store/error.h"

#define ALL_IN_STEP UINT64_MAX

bool target_is_held(const struct target *target)
{
    return atomic_load(&target->slot->pin) != 0 || atomic_load(&target->slot->move_from) != 0;
}

static void set_told(struct target *target, uint64_t rev)
{
    struct view_slot *slot = target->slot;
    atomic_store(&slot->heard, rev);
    atomic_store(&slot->upto, rev);
    atomic_store(&slot->told, rev);
    target->valid = target->upto = rev;
    target->changes = (struct cursor){.rev = rev + 1};
    target->late = false;
}

/* What it shows is not what commits change. */
static void keep_up(const struct targets *targets, struct target *target)
{
    if (atomic_load(&target->slot->pin) != 0 && atomic_load(&target->slot->told) < targets->goal)
        set_told(target, targets->goal);
}

static uint64_t last_position(const struct target *target)
{
    return name_changes_last(&target->move->names);
}

static bool is_in_step(const struct target *target)
{
    return atomic_load(&target->slot->done) == ALL_IN_STEP;
}

/* All was told: the view is as any other that shows what it does. */
static void end(struct target *target)
{
    struct view_slot *slot = target->slot;
    if (atomic_load(&slot->pin) == 0)
        set_told(target, target->move->upto);
    atomic_store(&slot->move_from, 0);
    move_free(target->move);
    target->move = NULL;
}

static void settle(struct target *target)
{
    const struct move *move = target->move;
    if (!move || move_has_changes(move) || target->changes_in_flight ||
        move->reached < last_position(target) || target->names_in_flight)
        return;
    atomic_store(&target->slot->done, ALL_IN_STEP);
    if (!move_has_events(move) && !target->events_in_flight)
        end(target);
}

/* Sends what was gathered, if it is anything. False: there is no room. */
static bool send(struct targets *targets, struct target *target, uint32_t kind, uint64_t a,
                 uint64_t b, uint32_t *in_flight)
{
    if (targets->effects.size == 0)
        return true;
    if (!targets_send(targets, target, (struct message){.kind = kind, .a = a, .b = b}))
        return false;
    ++*in_flight;
    return true;
}

static int send_changes(struct targets *targets, struct target *target, bool *room)
{
    struct move *move = target->move;
    int error = 0;
    while (!error && *room && move_has_changes(move) &&
           target->changes_in_flight < MESSAGES_IN_FLIGHT) {
        const uint32_t at = move->changes_at;
        error = move_changes(move, targets->snapshot, &targets->effects);
        if (!error)
            *room = send(targets, target, MESSAGE_CHANGE, ++targets->sequence, move->upto,
                         &target->changes_in_flight);
        if (error || !*room)
            move->changes_at = at;
    }
    return error;
}

static int send_names(struct targets *targets, struct target *target, bool *room)
{
    struct move *move = target->move;
    const uint64_t name = step_move_name(atomic_load(&target->slot->moves));
    int error = 0;
    while (!error && *room && move->reached < last_position(target) &&
           target->names_in_flight < MESSAGES_IN_FLIGHT) {
        uint64_t reached = move->reached;
        error = name_changes_effects(targets->snapshot, &targets->effects, &move->names, &reached);
        if (!error)
            *room = send(targets, target, MESSAGE_NAMES, reached, name, &target->names_in_flight);
        if (!error && *room)
            move->reached = reached;
    }
    return error;
}

static int send_events(struct targets *targets, struct target *target, bool *room)
{
    struct move *move = target->move;
    int error = 0;
    while (!error && *room && move_has_events(move) &&
           target->events_in_flight < MESSAGES_IN_FLIGHT) {
        const uint32_t at = move->events_at;
        error = move_events(move, targets->snapshot, &targets->effects);
        if (!error)
            *room = send(targets, target, MESSAGE_EVENTS, ++targets->sequence, move->upto,
                         &target->events_in_flight);
        if (error || !*room)
            move->events_at = at;
    }
    return error;
}

static void reach(struct target *target)
{
    const uint64_t done = atomic_load(&target->slot->done);
    target->move->reached = done == ALL_IN_STEP ? last_position(target) : done;
}

/* One that a server before began. What it showed may have been the newest, so nothing that a kernel
 * may have is left out. */
static int resume(struct targets *targets, struct target *target)
{
    struct view_slot *slot = target->slot;
    atomic_store(&slot->pin, atomic_load(&slot->move_pin));
    int error = move_compare(&target->move, targets->snapshot, target->scope,
                             atomic_load(&slot->move_from), atomic_load(&slot->move_upto), true);
    if (!error)
        reach(target);
    return error;
}

static int pump(struct targets *targets, struct target *target, bool *room)
{
    int error = 0;
    if (atomic_load(&target->slot->move_from) != 0) {
        error = target->move ? 0 : resume(targets, target);
        targets_gather_for(targets, target);
        if (!error)
            error = send_changes(targets, target, room);
        if (!error && *room && !move_has_changes(target->move))
            error = send_names(targets, target, room);
        if (!error && *room && target->move->reached >= last_position(target))
            error = send_events(targets, target, room);
        settle(target);
    }
    keep_up(targets, target);
    return error;
}

int targets_pump_held(struct targets *targets, bool *room)
{
    int first = 0;
    for (uint32_t i = 0; *room && i < targets->count; i++) {
        struct target *target = &targets->items[i];
        const int error = target_is_held(target) ? pump(targets, target, room) : 0;
        first = first ? first : error; /* one that fails keeps nobody else waiting */
    }
    return first;
}

void target_move_confirmed(struct target *target, const struct message *message)
{
    struct view_slot *slot = target->slot;
    if (message->kind == MESSAGE_CHANGE && target->changes_in_flight) {
        target->changes_in_flight--;
    } else if (message->kind == MESSAGE_NAMES && target->names_in_flight) {
        target->names_in_flight--;
        if (message->b == step_move_name(atomic_load(&slot->moves)))
            step_reach(slot, message->a); /* also what was there already */
    } else if (message->kind == MESSAGE_EVENTS && target->events_in_flight) {
        target->events_in_flight--;
    }
    settle(target);
}

void target_move_restart(struct target *target)
{
    if (!target->move)
        return;
    target->move->changes_at = target->move->events_at = 0;
    reach(target);
}

/* Beginning */

static bool is_quiet(const struct target *target)
{
    const struct view_slot *slot = target->slot;
    const uint64_t told = atomic_load(&slot->told);
    const bool is_idle =
        !target->changes_in_flight && !target->names_in_flight && !target->events_in_flight;
    if (target->move || atomic_load(&slot->move_from) != 0)
        return false;
    return atomic_load(&slot->pin) != 0 ||
           (is_idle && !target->stepping && !target->touching && target->valid == told &&
            target->changes.rev == told + 1 && target->changes.index == 0 &&
            atomic_load(&slot->heard) == told);
}

/* Everybody is told of a move before what is read is another: who reads what it brings knows that
 * names are on their way. */
static void write_down(struct view_slot *slot, const struct move *move, uint64_t pin)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    atomic_store(&slot->done, 0);
    atomic_store(&slot->move_upto, move->upto);
    atomic_store(&slot->move_pin, pin);
    atomic_fetch_add(&slot->moves, 1);
    atomic_store(&slot->left, move->from);
    atomic_store(&slot->moved_time, (int64_t)now.tv_sec * 1000000000 + now.tv_nsec);
    atomic_store(&slot->move_from, move->from);
    atomic_store(&slot->pin, pin);
}

static int begin(struct targets *targets, struct target *target, uint64_t pin)
{
    struct view_slot *slot = target->slot;
    keep_up(targets, target);
    /* What was committed and is not published yet is told by that, as to every view. */
    const uint64_t seen = snapshot_revision(targets->snapshot);
    const uint64_t newest = targets->goal < seen ? targets->goal : seen;
    const uint64_t was = atomic_load(&slot->pin);
    const uint64_t from = was ? was : atomic_load(&slot->told);
    int error = pin ? move_check(targets->snapshot, target->scope, pin) : 0;
    if (!error)
        error = move_compare(&target->move, targets->snapshot, target->scope, from,
                             pin ? pin : newest, was == 0);
    if (error)
        return error;
    write_down(slot, target->move, pin);
    return MOVE_BEGUN;
}

int targets_move(struct targets *targets, uint32_t view, uint64_t pin)
{
    struct target *target = targets_find(targets, view);
    if (!target)
        return error_set(ERR_NOT_FOUND, "there is no view %u ('emsa views' shows them)", view);
    if (!target->scope)
        return error_set(ERR_INVALID,
                         "view %u shows everything, which can't be held at a "
                         "revision: only what shows an environment or a service can",
                         view);
    if (!is_quiet(target))
        return MOVE_NOT_YET;
    if (atomic_load(&target->slot->pin) == pin)
        return MOVE_NEEDLESS;
    int error = snapshot_begin(targets->snapshot);
    if (error)
        return error;
    error = begin(targets, target, pin);
    snapshot_end(targets->snapshot);
    return error;
}

void targets_want_move(struct targets *targets, uint32_t view, int change)
{
    struct target *target = targets_find(targets, view);
    if (target)
        target->wanted += change;
}

bool targets_moved(struct targets *targets, uint32_t view)
{
    const struct target *target = targets_find(targets, view);
    return !target || !target->move || is_in_step(target);
}
