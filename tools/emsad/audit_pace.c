#include "tools/emsad/audit_pace.h"

#include <stdbool.h>

static struct audit_pace_user *find_user(struct audit_pace *pace, uint32_t uid)
{
    struct audit_pace_user *oldest = &pace->users[0];
    for (unsigned i = 0; i < AUDIT_PACE_USERS; i++) {
        struct audit_pace_user *user = &pace->users[i];
        if (user->minute != 0 && user->uid == uid)
            return user;
        if (user->minute < oldest->minute)
            oldest = user;
    }
    *oldest = (struct audit_pace_user){.uid = uid};
    return oldest;
}

static bool is_flood(struct audit_pace *pace, const struct audit_event *event)
{
    struct audit_pace_user *user = find_user(pace, event->uid);
    int64_t minute = event->time / 1000000000 / 60;
    if (user->minute != minute)
        user->lines = 0;
    user->minute = minute;
    return user->lines++ >= AUDIT_DENIALS_A_MINUTE;
}

/* All that a user was refused, as one. */
static void merge(struct audit_event *event)
{
    *event = (struct audit_event){.time = event->time,
                                  .kind = event->kind,
                                  .door = event->door,
                                  .uid = event->uid,
                                  .gid = event->gid,
                                  .pid = event->pid,
                                  .text = "*"};
}

enum audit_pace_verdict audit_pace_judge(struct audit_pace *pace, struct audit_event *event)
{
    if (event->kind != AUDIT_READ && event->kind != AUDIT_DENIED)
        return AUDIT_PACE_WRITE;
    if (event->kind == AUDIT_DENIED && is_flood(pace, event)) {
        merge(event);
        return AUDIT_PACE_MERGE;
    }
    int64_t second = event->time / 1000000000;
    if (pace->second != second)
        pace->lines = 0;
    pace->second = second;
    return pace->lines++ < AUDIT_LINES_A_SECOND ? AUDIT_PACE_WRITE : AUDIT_PACE_COUNT;
}
