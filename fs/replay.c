#include "fs/replay.h"

#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fs/fatal.h"
#include "fs/kernel.h"

/* Of a request that was sent again, in its unique. */
#define SENT_AGAIN (1ull << 63)

#define DEATHS_MAX 2

/* What a reader has not asked again in so many seconds it will not ask again: it was killed. */
#define REMEMBERED 60

static const struct fuse_in_header *header_of(const struct request_slot *slot)
{
    return (const void *)slot->data;
}

void replay_died(struct state *state, int wait_status)
{
    bool asked = WIFSIGNALED(wait_status) &&
                 (WTERMSIG(wait_status) == SIGKILL || WTERMSIG(wait_status) == SIGTERM);
    bool fine = WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0;
    atomic_store(&state->died, !asked && !fine);
}

static uint32_t seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint32_t)time.tv_sec;
}

static bool is_of(const struct suspect_slot *suspect, uint32_t view, uint64_t unique)
{
    return atomic_load(&suspect->unique) == (unique & ~SENT_AGAIN) && suspect->view == view;
}

static void forget(struct state *state, struct suspect_slot *suspect)
{
    if (atomic_exchange(&suspect->unique, 0) != 0)
        atomic_fetch_sub(&state->suspects_used, 1);
}

static struct suspect_slot *find(struct state *state, const struct request_slot *slot)
{
    uint32_t view = atomic_load(&slot->view);
    for (uint32_t i = 0; i < SUSPECT_SLOTS; i++)
        if (is_of(&state->suspects[i], view, header_of(slot)->unique))
            return &state->suspects[i];
    return NULL;
}

static void forget_old(struct state *state)
{
    uint32_t now = seconds();
    for (uint32_t i = 0; i < SUSPECT_SLOTS; i++)
        if (atomic_load(&state->suspects[i].unique) && now - state->suspects[i].since > REMEMBERED)
            forget(state, &state->suspects[i]);
}

/* A free entry, or the one that has waited longest. */
static struct suspect_slot *find_free(struct state *state)
{
    struct suspect_slot *oldest = &state->suspects[0];
    for (uint32_t i = 0; i < SUSPECT_SLOTS; i++) {
        struct suspect_slot *suspect = &state->suspects[i];
        if (atomic_load(&suspect->unique) == 0)
            return suspect;
        if (suspect->since < oldest->since)
            oldest = suspect;
    }
    forget(state, oldest);
    return oldest;
}

static void count_death(struct state *state, const struct request_slot *slot)
{
    const struct fuse_in_header *header = header_of(slot);
    struct suspect_slot *suspect = find(state, slot);
    if (!suspect) {
        suspect = find_free(state);
        suspect->node = header->nodeid;
        suspect->view = atomic_load(&slot->view);
        suspect->opcode = header->opcode;
        suspect->deaths = 0;
        atomic_store(&suspect->unique, header->unique & ~SENT_AGAIN);
        atomic_fetch_add(&state->suspects_used, 1);
    }
    suspect->deaths++;
    suspect->since = seconds();
}

/* Only what the dead one itself had taken: what lies in a slot that it never attached to was
 * counted when its own server died. */
static bool is_in_hand(const struct request_slot *slot)
{
    return atomic_load(&slot->tid) != 0 && replay_size(slot) > 0;
}

/* Which requests in hand the death counts for. */
enum blame { NOBODY, MARKED, ON_TRIAL, EVERYBODY };

static enum blame find_blame(struct state *state)
{
    bool explained = atomic_exchange(&state->explained, 0);
    enum blame blame = atomic_exchange(&state->died, 0) && !explained ? EVERYBODY : NOBODY;
    for (uint32_t i = 0; i < REQUEST_SLOTS; i++) {
        const struct request_slot *slot = &state->requests[i];
        if (is_in_hand(slot) && atomic_load(&slot->fatal))
            return MARKED;
        if (is_in_hand(slot) && atomic_load(&slot->trial) && blame == EVERYBODY)
            blame = ON_TRIAL;
    }
    return blame;
}

static bool is_to_blame(struct state *state, const struct request_slot *slot, enum blame blame)
{
    /* a suspect that was waiting for its turn (and may have been taken for stuck) */
    if (!atomic_load(&slot->trial) && find(state, slot))
        return false;
    return blame == EVERYBODY || (blame == MARKED && atomic_load(&slot->fatal)) ||
           (blame == ON_TRIAL && atomic_load(&slot->trial));
}

void replay_begin(struct state *state)
{
    enum blame blame = find_blame(state);
    if (atomic_load(&state->suspects_used) > 0)
        forget_old(state);
    for (uint32_t i = 0; i < REQUEST_SLOTS; i++) {
        struct request_slot *slot = &state->requests[i];
        if (is_in_hand(slot) && is_to_blame(state, slot, blame))
            count_death(state, slot);
        atomic_store(&slot->fatal, 0);
        atomic_store(&slot->trial, 0);
        atomic_store(&slot->busy, 0);
        atomic_store(&slot->tid, 0);
    }
}

void replay_attach(struct request_slot *slot)
{
    volatile unsigned char *data = slot->data;
    for (size_t i = 0; i < sizeof(slot->data); i += 512) {
        unsigned char was = data[i]; /* what a dead server left here stays what it is */
        data[i] = was;
    }
    atomic_store(&slot->tid, (uint32_t)syscall(SYS_gettid));
    fatal_attach(slot);
}

size_t replay_size(const struct request_slot *slot)
{
    uint32_t size = __atomic_load_n(&header_of(slot)->len, __ATOMIC_ACQUIRE);
    return size >= sizeof(struct fuse_in_header) && size <= sizeof(slot->data) ? size : 0;
}

void replay_view(struct request_slot *slot, uint32_t view)
{
    atomic_store_explicit(&slot->view, view, memory_order_release);
}

void replay_taken(struct request_slot *slot)
{
    /* its own counter, so nothing is lost between load and store */
    uint64_t taken = atomic_load_explicit(&slot->taken, memory_order_relaxed);
    atomic_store_explicit(&slot->taken, taken + 1, memory_order_relaxed);
}

void replay_done(struct request_slot *slot)
{
    struct fuse_in_header *header = (void *)slot->data;
    /* a mark that nobody died of: a fault of a damaged file, that was caught */
    if (atomic_load_explicit(&slot->fatal, memory_order_relaxed))
        atomic_store(&slot->fatal, 0);
    __atomic_store_n(&header->len, 0, __ATOMIC_RELEASE);
}

enum replay_verdict replay_judge(struct state *state, const struct request_slot *slot)
{
    if (atomic_load_explicit(&state->suspects_used, memory_order_relaxed) == 0)
        return REPLAY_FINE;
    forget_old(state);
    struct suspect_slot *suspect = find(state, slot);
    if (!suspect)
        return REPLAY_FINE;
    if (suspect->deaths < DEATHS_MAX)
        return REPLAY_SUSPECT;
    forget(state, suspect);
    atomic_fetch_add(&state->figures.refused, 1);
    return REPLAY_REFUSED;
}

static pthread_mutex_t trial = PTHREAD_MUTEX_INITIALIZER;

void replay_try(struct request_slot *slot)
{
    pthread_mutex_lock(&trial);
    atomic_store(&slot->trial, 1);
}

void replay_cleared(struct state *state, struct request_slot *slot)
{
    atomic_store(&slot->trial, 0);
    pthread_mutex_unlock(&trial);
    struct suspect_slot *suspect = find(state, slot);
    if (suspect)
        forget(state, suspect);
}
