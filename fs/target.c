#include "fs/target.h"

#include <stdlib.h>
#include <time.h>

#include "fs/move.h"
#include "fs/step.h"
#include "fs/target_move.h"
#include "store/error.h"

#define UNKNOWN UINT64_MAX

#define MILLISECOND 1000000ull

/* How long a commit's answer waits for a view that does not come back. A view that was late once is
 * not waited for again until it has caught up, and then no longer than SHORT_PATIENCE until it has
 * come back in time for a while: so it costs one commit, and not every one. */
#define PATIENCE (2000 * MILLISECOND)
#define SHORT_PATIENCE (100 * MILLISECOND)
#define SUSPICION 64u

/* How long other views' names and events wait for one that does not come back. */
#define STUCK (100 * MILLISECOND)

/* A step has the names of so many revisions at most, which are held in memory while they are sent.
 */
#define STEP_MAX 65536u

uint64_t target_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000 * MILLISECOND + (uint64_t)time.tv_nsec;
}

static uint64_t told(const struct target *target)
{
    return atomic_load(&target->slot->told);
}

static bool is_idle(const struct target *target)
{
    return !target->changes_in_flight && !target->names_in_flight && !target->events_in_flight;
}

static bool same_place(const struct cursor *a, const struct cursor *b)
{
    return a->rev == b->rev && a->index == b->index;
}

bool targets_send(struct targets *targets, struct target *target, struct message message)
{
    message.view = target->view;
    message.size = (uint32_t)targets->effects.size;
    if (!post_send(targets->post, &message, targets->effects.data))
        return false;
    if (is_idle(target))
        target->moved = target_now();
    return true;
}

void targets_gather_for(struct targets *targets, const struct target *target)
{
    targets->effects.scope = target->scope;
    targets->effects.outlines = &targets->outlines;
}

/* Takes a view into account that is so far. */
static void front_take(struct front *front, uint64_t rev, uint32_t place)
{
    if (rev < front->all) {
        front->others = front->all;
        front->all = rev;
        front->hindmost = place;
    } else if (rev < front->others) {
        front->others = rev;
    }
}

/* How far all others are than the one in a place. */
static uint64_t front_of_others(const struct front *front, uint32_t place)
{
    return place == front->hindmost ? front->others : front->all;
}

/* Changes */

static bool wants_changes(const struct targets *targets, const struct target *target)
{
    return target->changes.rev <= targets->goal && target->changes_in_flight < MESSAGES_IN_FLIGHT &&
           !(target->wanted && target->changes.index == 0);
}

/* The view that is furthest behind and may be sent more, or NULL. */
static struct target *hindmost(struct targets *targets)
{
    struct target *found = NULL;
    for (uint32_t i = 0; i < targets->count; i++) {
        struct target *target = &targets->items[i];
        if (target->scope)
            continue;
        if (wants_changes(targets, target) && (!found || target->changes.rev < found->changes.rev ||
                                               (target->changes.rev == found->changes.rev &&
                                                target->changes.index < found->changes.index)))
            found = target;
    }
    return found;
}

/* Sends what stands at one cursor to every view that is there. False: the socket is full. */
static bool send_changes(struct targets *targets, const struct cursor *from,
                         const struct cursor *to)
{
    for (uint32_t i = 0; i < targets->count; i++) {
        struct target *target = &targets->items[i];
        if (target->scope || !wants_changes(targets, target) || !same_place(&target->changes, from))
            continue;
        struct message message = {
            .kind = MESSAGE_CHANGE, .a = ++targets->sequence, .b = to->rev - 1};
        if (!targets_send(targets, target, message))
            return false;
        target->changes = *to;
        target->changes_in_flight++;
    }
    return true;
}

/* All that was sent is confirmed, so all that it stands for is. */
static void settle_changes(struct target *target)
{
    if (!target->changes_in_flight && target->changes.rev - 1 > target->valid)
        target->valid = target->changes.rev - 1;
}

static int pump_own_changes(struct targets *targets, struct target *target, uint64_t upto,
                            bool *room)
{
    targets_gather_for(targets, target);
    while (*room && wants_changes(targets, target) && target->changes.rev <= upto) {
        struct cursor to = target->changes;
        int error = effects_gather(targets->snapshot, &targets->effects, &to, upto);
        if (error)
            return error;
        if (targets->effects.size > 0) {
            struct message message = {
                .kind = MESSAGE_CHANGE, .a = ++targets->sequence, .b = to.rev - 1};
            *room = targets_send(targets, target, message);
            if (!*room)
                break;
            target->changes_in_flight++;
        }
        target->changes = to;
    }
    settle_changes(target);
    return 0;
}

static int pump_changes(struct targets *targets, uint64_t upto, bool *room)
{
    struct target *target = hindmost(targets);
    int error = 0;
    for (uint32_t i = 0; !error && *room && i < targets->count; i++)
        if (targets->items[i].scope && !target_is_held(&targets->items[i]))
            error = pump_own_changes(targets, &targets->items[i], upto, room);
    while (!error && *room && target && target->changes.rev <= upto) {
        struct cursor from = target->changes, to = from;
        targets_gather_for(targets, target);
        error = effects_gather(targets->snapshot, &targets->effects, &to, upto);
        if (!error)
            *room = send_changes(targets, &from, &to);
        target = hindmost(targets);
    }
    return error;
}

/* Names */

/* How far the kernels of all have forgotten what changed, for all at once: there may be a thousand.
 */
static void look_at_kernels(struct targets *targets, uint64_t now)
{
    targets->valid = (struct front){.all = UINT64_MAX, .others = UINT64_MAX};
    for (uint32_t i = 0; i < targets->count; i++) {
        const struct target *target = &targets->items[i];
        bool stuck = target->late || target_is_held(target) ||
                     (target->changes_in_flight && now - target->moved > STUCK);
        if (!stuck)
            front_take(&targets->valid, target->valid, i);
    }
}

static int names_gather(struct targets *targets, const struct target *target)
{
    struct name_changes *names = &targets->names;
    const uint32_t view = target->scope ? target->view : 0;
    targets_gather_for(targets, target);
    if (names->upto == target->upto && names->from == told(target) && names->upto != 0 &&
        targets->names_view == view)
        return 0;
    names->scope = target->scope;
    names->outlines = &targets->outlines;
    targets->names_view = view;
    return name_changes_gather(targets->snapshot, names, told(target), target->upto);
}

/* A view of a part has no names in most steps, and need not wait for others to say so. */
static int has_names(struct targets *targets, struct target *target, uint64_t upto)
{
    if (!target->scope)
        return 1;
    target->upto = upto;
    int error = names_gather(targets, target);
    return error ? error : name_changes_last(&targets->names) != 0;
}

static int begin_step(struct targets *targets, struct target *target)
{
    uint64_t upto = target->changes.rev - 1;
    if (upto > told(target) + STEP_MAX)
        upto = told(target) + STEP_MAX;
    if (upto <= told(target))
        return 0;
    uint64_t others = front_of_others(&targets->valid, (uint32_t)(target - targets->items));
    int error = others < upto ? has_names(targets, target, upto) : 0;
    if (error > 0) {
        targets->blocked = true;
        upto = others;
    }
    if (error < 0 || upto <= told(target))
        return error < 0 ? error : 0;
    target->upto = upto;
    error = names_gather(targets, target);
    if (error)
        return error;
    target->last = name_changes_last(&targets->names);
    target->reached = 0;
    target->stepping = true;
    if (target->last)
        step_begin(target->slot, upto);
    return 0;
}

/* A step that a server before began, or a notifier before did not finish. */
static int resume_step(struct targets *targets, struct target *target)
{
    int error = names_gather(targets, target);
    if (!error)
        target->last = name_changes_last(&targets->names);
    return error;
}

static void settle_step(const struct targets *targets, struct target *target)
{
    if (!target->stepping || target->last == UNKNOWN || target->reached < target->last ||
        target->names_in_flight || target->valid < target->upto)
        return;
    atomic_store(&target->slot->told, target->upto);
    target->stepping = false;
    if (target->upto < targets->goal)
        return;
    if (target->suspicion && !target->late)
        target->suspicion--;
    target->late = false;
}

static int send_names(struct targets *targets, struct target *target, bool *room)
{
    while (target->reached < target->last && target->names_in_flight < MESSAGES_IN_FLIGHT) {
        uint64_t reached = target->reached;
        int error = names_gather(targets, target);
        if (!error)
            error = name_changes_effects(targets->snapshot, &targets->effects, &targets->names,
                                         &reached);
        if (error)
            return error;
        struct message message = {.kind = MESSAGE_NAMES, .a = reached, .b = target->upto};
        if (!targets_send(targets, target, message)) {
            *room = false;
            return 0;
        }
        target->reached = reached;
        target->names_in_flight++;
    }
    return 0;
}

static int pump_names(struct targets *targets, bool *room)
{
    int error = 0;
    look_at_kernels(targets, targets->count > 1 ? target_now() : 0);
    for (uint32_t i = 0; !error && *room && i < targets->count; i++) {
        struct target *target = &targets->items[i];
        if (target_is_held(target))
            continue;
        if (!target->stepping)
            error = begin_step(targets, target);
        if (error || !target->stepping || target->changes.rev <= target->upto)
            continue;
        if (target->last == UNKNOWN)
            error = resume_step(targets, target);
        if (!error)
            error = send_names(targets, target, room);
        settle_step(targets, target);
    }
    return error;
}

/* Events */

/* The revision up to which changes and names of a view have been sent. */
static uint64_t staged(const struct target *target)
{
    bool all = target->stepping && target->last != UNKNOWN && target->reached >= target->last &&
               target->changes.rev > target->upto;
    return all ? target->upto : told(target);
}

/* How far the names of all are shown. A view that does not come back is not waited for. */
static void look_at_names(struct targets *targets)
{
    targets->shown = (struct front){.all = UINT64_MAX, .others = UINT64_MAX};
    if (targets->count < 2)
        return;
    uint64_t now = target_now();
    for (uint32_t i = 0; i < targets->count; i++) {
        const struct target *target = &targets->items[i];
        if (!target->late && !target_is_held(target) &&
            (is_idle(target) || now - target->moved <= STUCK))
            front_take(&targets->shown, told(target), i);
    }
}

/* The revision up to which watchers of a view may hear of what was set. */
static uint64_t audible(struct targets *targets, const struct target *target)
{
    uint64_t others = front_of_others(&targets->shown, (uint32_t)(target - targets->items));
    if (others >= staged(target))
        return staged(target);
    targets->blocked = true;
    return others;
}

static void settle_events(struct target *target)
{
    if (!target->touching || target->events.rev <= target->events_upto || target->events_in_flight)
        return;
    atomic_store(&target->slot->heard, target->events_upto);
    target->touching = false;
}

static bool wants_events(struct targets *targets, struct target *target)
{
    settle_events(target);
    uint64_t heard = atomic_load(&target->slot->heard);
    uint64_t upto = target->touching ? target->events_upto : audible(targets, target);
    if (!target->touching && upto > heard) {
        target->touching = true;
        target->events_upto = upto;
        target->events = (struct cursor){.rev = heard + 1};
    }
    return target->touching && target->events.rev <= target->events_upto &&
           target->events_in_flight < MESSAGES_IN_FLIGHT;
}

/* The same to every view that stands where the first does, unless it is of that one's part alone.
 */
static bool send_events(struct targets *targets, uint32_t first, const struct cursor *to)
{
    const struct cursor from = targets->items[first].events;
    uint64_t upto = targets->items[first].events_upto;
    const bool is_alone = targets->items[first].scope;
    for (uint32_t i = first; i < (is_alone ? first + 1 : targets->count); i++) {
        struct target *target = &targets->items[i];
        if ((target->scope && !is_alone) || !wants_events(targets, target) ||
            target->events_upto != upto || !same_place(&target->events, &from))
            continue;
        if (targets->effects.size > 0) {
            struct message message = {
                .kind = MESSAGE_EVENTS, .a = ++targets->sequence, .b = target->events_upto};
            if (!targets_send(targets, target, message))
                return false;
            target->events_in_flight++;
        }
        target->events = *to;
        settle_events(target);
    }
    return true;
}

static int pump_events(struct targets *targets, bool *room)
{
    int error = 0;
    look_at_names(targets);
    for (uint32_t i = 0; !error && *room && i < targets->count; i++) {
        struct target *target = &targets->items[i];
        while (!error && *room && !target_is_held(target) && wants_events(targets, target)) {
            struct cursor to = target->events;
            targets_gather_for(targets, target);
            error = effects_gather_events(targets->snapshot, &targets->effects, &to,
                                          target->events_upto);
            if (!error)
                *room = send_events(targets, i, &to);
        }
    }
    return error;
}

/* All */

static bool has_work(struct targets *targets)
{
    for (uint32_t i = 0; i < targets->count; i++) {
        struct target *target = &targets->items[i];
        if (atomic_load(&target->slot->move_from) != 0)
            return true;
        if (!target_is_held(target)) {
            settle_step(targets, target);
            settle_events(target);
        }
        if (told(target) < targets->goal || atomic_load(&target->slot->heard) < targets->goal ||
            target->stepping)
            return true;
    }
    return false;
}

int targets_pump(struct targets *targets)
{
    bool room = true;
    targets->blocked = false;
    if (!has_work(targets))
        return 0;
    int error = snapshot_begin(targets->snapshot);
    if (error)
        return error;
    uint64_t seen = snapshot_revision(targets->snapshot);
    const int held = targets_pump_held(targets, &room);
    error = pump_changes(targets, targets->goal < seen ? targets->goal : seen, &room);
    if (!error)
        error = pump_names(targets, &room);
    if (!error)
        error = pump_events(targets, &room);
    snapshot_end(targets->snapshot);
    return error ? error : held;
}

struct target *targets_find(struct targets *targets, uint32_t view)
{
    uint32_t place;
    return seats_find(&targets->seats, &place, view) ? &targets->items[place] : NULL;
}

bool targets_confirmed(struct targets *targets, const struct message *message)
{
    struct target *target = targets_find(targets, message->view);
    const bool is_held = target && target_is_held(target);
    if (!target ||
        (message->kind == MESSAGE_CHANGE && !is_held && message->b >= target->changes.rev))
        return false;
    target->moved = target_now();
    if (is_held) {
        target_move_confirmed(target, message);
        return true;
    }
    if (message->kind == MESSAGE_CHANGE && target->changes_in_flight) {
        target->changes_in_flight--;
        if (message->b > target->valid)
            target->valid = message->b;
        settle_changes(target);
    } else if (message->kind == MESSAGE_NAMES && target->names_in_flight) {
        target->names_in_flight--;
        if (target->stepping && message->b == target->upto)
            step_reach(target->slot, message->a); /* also what was there already */
    } else if (message->kind == MESSAGE_EVENTS && target->events_in_flight) {
        target->events_in_flight--;
    }
    settle_step(targets, target);
    settle_events(target);
    return true;
}

void targets_restart(struct targets *targets)
{
    for (uint32_t i = 0; i < targets->count; i++) {
        struct target *target = &targets->items[i];
        target->changes_in_flight = target->names_in_flight = target->events_in_flight = 0;
        target->changes = (struct cursor){.rev = target->valid + 1};
        target->reached = target->stepping ? atomic_load(&target->slot->done) : 0;
        target->touching = false;
        target_move_restart(target);
    }
}

int targets_add(struct targets *targets, uint32_t view, struct scope *scope, struct view_slot *slot,
                uint64_t known)
{
    if (targets->count == targets->capacity) {
        uint32_t capacity = targets->capacity ? targets->capacity * 2 : 16;
        struct target *items = realloc(targets->items, capacity * sizeof(*items));
        if (!items)
            return error_set(ERR_NOMEM, "no memory for a view");
        targets->items = items;
        targets->capacity = capacity;
    }
    int error = seats_put(&targets->seats, view, targets->count);
    if (error)
        return error;
    if (atomic_load(&slot->told) == 0) {
        atomic_store(&slot->heard, known);
        atomic_store(&slot->upto, known);
        atomic_store(&slot->told, known);
    }
    struct target target = {.view = view,
                            .scope = scope_is_all(scope) ? NULL : scope,
                            .slot = slot,
                            .valid = atomic_load(&slot->told)};
    target.changes.rev = target.valid + 1;
    target.upto = atomic_load(&slot->upto);
    if (target.upto > target.valid && !target_is_held(&target)) {
        target.stepping = true;
        target.last = UNKNOWN;
        target.reached = atomic_load(&slot->done);
    }
    targets->items[targets->count++] = target;
    return 0;
}

void targets_remove(struct targets *targets, uint32_t view)
{
    struct target *target = targets_find(targets, view);
    if (!target)
        return;
    move_free(target->move);
    seats_remove(&targets->seats, view);
    const struct target *last = &targets->items[--targets->count];
    if (last == target)
        return;
    *target = *last;
    /* it has a seat, so no memory is asked for */
    (void)seats_put(&targets->seats, target->view, (uint32_t)(target - targets->items));
}

void targets_release(struct targets *targets)
{
    for (uint32_t i = 0; i < targets->count; i++)
        move_free(targets->items[i].move);
    seats_release(&targets->seats);
    name_changes_release(&targets->names);
    outlines_release(&targets->outlines);
    free(targets->items);
}

static uint64_t least(const struct targets *targets, bool without_late, bool events)
{
    uint64_t found = UINT64_MAX;
    for (uint32_t i = 0; i < targets->count; i++) {
        const struct target *target = &targets->items[i];
        uint64_t rev = told(target);
        if (events && atomic_load(&target->slot->heard) < rev)
            rev = atomic_load(&target->slot->heard);
        if (!(without_late && target->late) && rev < found)
            found = rev;
    }
    return found;
}

uint64_t targets_told(const struct targets *targets, bool without_late)
{
    return least(targets, without_late, false);
}

uint64_t targets_heard(const struct targets *targets, bool without_late)
{
    return least(targets, without_late, true);
}

uint64_t targets_judge(struct targets *targets, uint64_t rev, uint64_t since, uint64_t now)
{
    uint64_t next = 0;
    for (uint32_t i = 0; i < targets->count; i++) {
        struct target *target = &targets->items[i];
        if (target->late || told(target) >= rev)
            continue;
        uint64_t begin = target->moved > since ? target->moved : since;
        uint64_t end = begin + (target->suspicion ? SHORT_PATIENCE : PATIENCE);
        if (end <= now) {
            target->late = true;
            target->suspicion = SUSPICION;
        } else if (next == 0 || end < next) {
            next = end;
        }
    }
    return next;
}
