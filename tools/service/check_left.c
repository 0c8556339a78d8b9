/*
 * Check: what overrides left behind, until it is cured. Nothing is kept of it apart: a value that
 * is newer than the lock that covers it can only have come there over the lock, and what is said by
 * an override is marked so in the log.
 */
#include <stdio.h>
#include <string.h>

#include "store/error.h"
#include "store/history.h"
#include "store/relations.h"
#include "tools/service/check.h"

int check_left_entry(struct check *check, const struct entry *entry)
{
    struct lock lock;
    struct path place;
    char text[PATH_TEXT_MAX + 128], locked[PATH_TEXT_MAX];
    int found = relation_lock(check->snapshot, &lock, check->environment.id, check->service.name,
                              entry->key);
    if (found != 0 || entry->rev <= lock.rev)
        return found < 0 ? found : 0;
    int error = check_path(check, &place, lock.service, lock.key);
    if (error < 0)
        return error;
    snprintf(text, sizeof text,
             "was changed over the lock of '%s' (revision %llu): lock that anew, or bring it back",
             path_text(&place, locked), (unsigned long long)lock.rev);
    return check_found_key(check, SEVERITY_WARNING, "over-lock", entry->key, entry->rev, text);
}

static bool is_in_scope(const struct check *check, const char *service)
{
    return check->scope.service[0] == '\0' || strcmp(check->scope.service, service) == 0;
}

/* A key that is locked and gone. */
static int look_at_lock(struct check *check, const struct lock *lock)
{
    struct service service;
    struct entry entry;
    struct path path;
    if (lock->key[0] == '\0' || !is_in_scope(check, lock->service))
        return 0;
    int found = snapshot_service(check->snapshot, &service, check->environment.id, lock->service);
    if (found == 0)
        found =
            snapshot_entry(check->snapshot, &entry, check->environment.id, service.id, lock->key);
    if (found <= 0)
        return found;
    int error = check_path(check, &path, lock->service, lock->key);
    return error < 0
               ? error
               : check_found(check, SEVERITY_WARNING, "over-lock", &path, lock->rev,
                             "is locked since revision %llu and was removed: set it again, or "
                             "unlock it (emsa unlock)",
                             (unsigned long long)lock->rev);
}

/* Whether that share was made by an override: 1, 0 or a failure. */
static int is_forced(struct check *check, const struct share *share)
{
    struct operation_info operation;
    int found = history_operation(check->snapshot, &operation, share->rev, share->op);
    return found < 0 ? found : found == 0 && operation.is_override;
}

static int look_at_share(struct check *check, const struct share *share)
{
    struct path path;
    if (!is_in_scope(check, share->service) && !is_in_scope(check, share->consumer))
        return 0;
    int forced = is_forced(check, share);
    if (forced <= 0)
        return forced;
    int error = check_path(check, &path, share->service, share->key);
    return error < 0 ? error
                     : check_found(check, SEVERITY_WARNING, "over-share", &path, share->rev,
                                   "was shared with '%s' by an override: unshare it, or unshare "
                                   "and share it again to let it be",
                                   share->consumer);
}

int check_left(struct check *check)
{
    struct lock lock = {0};
    struct share share = {0};
    int found = 0;
    while (check->has_locks && found == 0) {
        found = relation_next_lock(check->snapshot, &lock, check->environment.id);
        if (found == 0)
            found = look_at_lock(check, &lock);
    }
    if (found < 0)
        return found;
    for (found = 0; found == 0;) {
        found = relation_next_share_of(check->snapshot, &share, check->environment.id);
        if (found == 0)
            found = look_at_share(check, &share);
    }
    return found < 0 ? found : 0;
}
