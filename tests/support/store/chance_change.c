/* Wishes of chance as a change of the store, and for people. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/store/chance.h"
#include "tests/support/store/sample.h"
#include "tests/support/store/trial.h"

struct path chance_path(const struct naive_spot *spot)
{
    char text[96];
    return sample_path(naive_path(text, spot));
}

static int gather_set(struct change *change, const struct naive_wish *wish, const struct path *path)
{
    struct secret secret = {0};
    int error;
    switch (wish->kind) {
    case NAIVE_PLAIN:
        error = change_set_plain(change, path, wish->text->bytes, wish->text->size);
        break;
    case NAIVE_SECRET:
        error = secret_copy(&secret, wish->text->bytes, wish->text->size);
        if (!error)
            error = change_set_secret(change, path, &secret);
        secret_release(&secret);
        break;
    case NAIVE_LINK:
        error = change_set_link(change, path, (const char *)wish->text->bytes);
        break;
    default:
        error = change_set_template(change, path, wish->text->bytes, wish->text->size);
    }
    return !error && wish->ttl ? change_ttl(change, wish->ttl) : error;
}

static int gather_schema(struct change *change, const struct naive_wish *wish,
                         const struct path *path)
{
    struct schema schema = chance_schema(wish->schema, wish->at.service);
    const int error = change_schema_set(change, path, &schema);
    schema_release(&schema);
    return error;
}

int chance_gather(struct change *change, const struct naive_wish *wish)
{
    const struct path path = chance_path(&wish->at);
    const char *consumer = wish->consumer == NAIVE_EVERYBODY ? "*" : naive_services[wish->consumer];
    const struct environment_terms terms = {.base = wish->base < 0 ? NULL
                                                                   : naive_environments[wish->base],
                                            .is_protected = wish->is_protected,
                                            .ttl = wish->ttl};
    struct path from;
    switch (wish->verb) {
    case NAIVE_SET:
        return gather_set(change, wish, &path);
    case NAIVE_REMOVE:
        return change_remove(change, &path);
    case NAIVE_COPY:
    case NAIVE_MOVE:
        from = chance_path(&wish->from);
        return (wish->verb == NAIVE_COPY ? change_copy : change_move)(change, &path, &from);
    case NAIVE_SERVICE_ADD:
        return change_service_add(change, &path);
    case NAIVE_SERVICE_REMOVE:
        return change_service_remove(change, &path);
    case NAIVE_SERVICE_CLEAR:
    case NAIVE_ENVIRONMENT_CLEAR:
        return change_remove_all(change, &path);
    case NAIVE_ENVIRONMENT_ADD:
        return change_environment_add(change, path.environment, &terms);
    case NAIVE_ENVIRONMENT_REMOVE:
        return change_environment_remove(change, path.environment);
    case NAIVE_SHARE:
        return change_share(change, &path, consumer);
    case NAIVE_UNSHARE:
        return change_unshare(change, &path, consumer);
    case NAIVE_LOCK:
        return change_lock(change, &path);
    case NAIVE_UNLOCK:
        return change_unlock(change, &path);
    case NAIVE_SCHEMA_SET:
        return gather_schema(change, wish, &path);
    case NAIVE_SCHEMA_REMOVE:
        return change_schema_remove(change, &path);
    case NAIVE_GRANT:
        return change_grant(change, &path, naive_principals[wish->consumer], wish->rights);
    case NAIVE_REVOKE:
        return change_revoke(change, &path, naive_principals[wish->consumer], wish->rights);
    }
    return -1;
}

struct change_terms chance_terms(const struct naive_terms *terms)
{
    struct change_terms out = sample_terms(terms->has_reason ? "by chance" : NULL, 0);
    out.allow_equal = terms->allow_equal;
    out.override = (terms->override & NAIVE_PASS_SCHEMA ? OVERRIDE_SCHEMA : 0) |
                   (terms->override & NAIVE_PASS_LOCK ? OVERRIDE_LOCK : 0) |
                   (terms->override & NAIVE_PASS_SHARE ? OVERRIDE_SHARE : 0);
    out.now = terms->now;
    return out;
}

void chance_print(const struct naive_wish *wish, char *out, size_t size)
{
    static const char *const verbs[] = {
        [NAIVE_SET] = "set",
        [NAIVE_REMOVE] = "rm",
        [NAIVE_COPY] = "cp",
        [NAIVE_MOVE] = "mv",
        [NAIVE_SERVICE_ADD] = "service add",
        [NAIVE_SERVICE_REMOVE] = "service rm",
        [NAIVE_SERVICE_CLEAR] = "service rm --all",
        [NAIVE_ENVIRONMENT_ADD] = "env add",
        [NAIVE_ENVIRONMENT_REMOVE] = "env rm",
        [NAIVE_ENVIRONMENT_CLEAR] = "env rm --all",
        [NAIVE_SHARE] = "share",
        [NAIVE_UNSHARE] = "unshare",
        [NAIVE_LOCK] = "lock",
        [NAIVE_UNLOCK] = "unlock",
        [NAIVE_SCHEMA_SET] = "schema set",
        [NAIVE_SCHEMA_REMOVE] = "schema rm",
        [NAIVE_GRANT] = "grant",
        [NAIVE_REVOKE] = "revoke",
    };
    static const char *const kinds[] = {"", "plain", "secret", "link", "template", "", ""};
    char at[96], from[96], more[1000] = "";
    if (wish->verb == NAIVE_COPY || wish->verb == NAIVE_MOVE)
        snprintf(more, sizeof more, " from %s", naive_path(from, &wish->from));
    else if (wish->verb == NAIVE_SET)
        snprintf(more, sizeof more, " %s (%zu) '%.100s'", kinds[wish->kind], wish->text->size,
                 (const char *)wish->text->bytes);
    else if (wish->verb == NAIVE_SHARE || wish->verb == NAIVE_UNSHARE)
        snprintf(more, sizeof more, " with %s",
                 wish->consumer == NAIVE_EVERYBODY ? "*" : naive_services[wish->consumer]);
    else if (wish->verb == NAIVE_ENVIRONMENT_ADD)
        snprintf(more, sizeof more, "%s%s%s", wish->is_protected ? " --protected" : "",
                 wish->base < 0 ? "" : " --base ",
                 wish->base < 0 ? "" : naive_environments[wish->base]);
    else if (wish->verb == NAIVE_SCHEMA_SET)
        chance_print_schema(wish->schema, more, sizeof more);
    snprintf(out, size, "%s %s%s", verbs[wish->verb], naive_path(at, &wish->at), more);
    if (wish->ttl) {
        const size_t used = strlen(out);
        snprintf(out + used, size - used, " --ttl %" PRIu64, wish->ttl);
    }
}
