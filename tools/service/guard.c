#include "tools/service/guard.h"

void guard_init(struct guard *guard)
{
    *guard = (struct guard){0};
    (void)pthread_mutex_init(&guard->mutex, NULL);
}

void guard_release(struct guard *guard)
{
    (void)pthread_mutex_destroy(&guard->mutex);
}

static struct guarded_user *find_user(struct guard *guard, uid_t uid)
{
    for (size_t i = 0; i < GUARD_USERS; i++)
        if (guard->users[i].hits > 0 && guard->users[i].uid == uid)
            return &guard->users[i];
    return NULL;
}

static int64_t last_hit(const struct guarded_user *user)
{
    return user->when[(user->next + GUARD_HITS - 1) % GUARD_HITS];
}

/* A free place, or that of the user whose last hit is oldest. */
static struct guarded_user *make_room(struct guard *guard, uid_t uid)
{
    struct guarded_user *oldest = &guard->users[0];
    for (size_t i = 0; i < GUARD_USERS && oldest->hits > 0; i++)
        if (guard->users[i].hits == 0 || last_hit(&guard->users[i]) < last_hit(oldest))
            oldest = &guard->users[i];
    *oldest = (struct guarded_user){.uid = uid};
    return oldest;
}

bool guard_admits(struct guard *guard, uid_t uid, int64_t now)
{
    pthread_mutex_lock(&guard->mutex);
    const struct guarded_user *user = find_user(guard, uid);
    /* a full ring's next place has the oldest of the ten */
    bool admits =
        user == NULL || user->hits < GUARD_HITS || now - user->when[user->next] >= GUARD_SECONDS;
    pthread_mutex_unlock(&guard->mutex);
    return admits;
}

void guard_count(struct guard *guard, uid_t uid, int64_t now, size_t hits)
{
    if (hits == 0)
        return;
    pthread_mutex_lock(&guard->mutex);
    struct guarded_user *user = find_user(guard, uid);
    if (user == NULL)
        user = make_room(guard, uid);
    for (size_t i = 0; i < hits && i < GUARD_HITS; i++) {
        user->when[user->next] = now;
        user->next = (user->next + 1) % GUARD_HITS;
        user->hits += user->hits < GUARD_HITS;
    }
    pthread_mutex_unlock(&guard->mutex);
}
