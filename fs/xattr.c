#include "fs/xattr.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "store/error.h"
#include "store/history.h"
#include "store/name.h"

#define PREFIX "user.emsa."

/* What only some files have stands last, so that the others' list is the same without it. */
#define EXPIRES PREFIX "expires"
#define COMMON PREFIX "rev\0" PREFIX "kind\0" PREFIX "origin\0" PREFIX "time\0"
static const char file_names[] =
    COMMON PREFIX "author\0" PREFIX "signer\0" PREFIX "reason\0" EXPIRES;
static const char consumer_names[] = COMMON EXPIRES;
static const char directory_names[] = PREFIX "rev\0" PREFIX "kind";

static const char *kind_word(enum entry_kind kind)
{
    static const char *const words[] = {[ENTRY_PLAIN] = "plain",
                                        [ENTRY_SECRET] = "secret",
                                        [ENTRY_LINK] = "link",
                                        [ENTRY_TEMPLATE] = "template"};
    return kind >= ENTRY_PLAIN && kind <= ENTRY_TEMPLATE ? words[kind] : "unknown";
}

static const char *origin_word(enum entry_origin origin)
{
    static const char *const words[] = {[ORIGIN_OWN] = "own",
                                        [ORIGIN_BASE] = "base",
                                        [ORIGIN_ALL] = "all",
                                        [ORIGIN_SHARED] = "shared",
                                        [ORIGIN_SCHEMA] = "schema"};
    return origin <= ORIGIN_SCHEMA ? words[origin] : "unknown";
}

/* RFC 3339, UTC, with nanoseconds. */
static int time_text(char *out, size_t size, int64_t nanoseconds)
{
    int64_t rest = nanoseconds % 1000000000;
    time_t seconds = nanoseconds / 1000000000;
    if (rest < 0) {
        rest += 1000000000;
        seconds--;
    }
    struct tm tm;
    char date[64];
    if (!gmtime_r(&seconds, &tm) || strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
        return snprintf(out, size, "unknown");
    return snprintf(out, size, "%s.%09lldZ", date, (long long)rest);
}

/* Each of these returns the length of what it wrote, ABSENT, or a failure. */
#define ABSENT (-1000)

/* An identity as grants call it, a key that the store does not know, or that there is none. */
static int signer_text(char *out, size_t size, const struct author *author)
{
    int length = 0;
    if (!author->is_signed)
        return snprintf(out, size, "unsigned");
    if (author->identity[0])
        return snprintf(out, size, PRINCIPAL_IDENTITY "%s", author->identity);
    for (size_t i = 0; i < sizeof author->key && (size_t)length < size; i++)
        length += snprintf(out + length, size - (size_t)length, "%02x", author->key[i]);
    return length;
}

/* What the commit that last changed the value says. */
static int commit_text(struct snapshot *snapshot, char *out, size_t size, uint64_t rev,
                       const char *name)
{
    struct commit_info commit;
    if (strcmp(name, "author") != 0 && strcmp(name, "signer") != 0 && strcmp(name, "reason") != 0)
        return ABSENT;
    int found = history_commit(snapshot, &commit, rev);
    if (found)
        return found > 0 ? error_set(ERR_CORRUPT, "the commit of revision %llu is not there",
                                     (unsigned long long)rev)
                         : found;
    if (strcmp(name, "signer") == 0)
        return signer_text(out, size, &commit.author);
    return snprintf(out, size, "%s", name[0] == 'a' ? commit.author.name : commit.reason);
}

static int entry_text(struct snapshot *snapshot, char *out, size_t size, bool is_consumer,
                      const struct entry *entry, const char *name)
{
    if (strcmp(name, "rev") == 0)
        return snprintf(out, size, "%llu", (unsigned long long)entry->rev);
    if (strcmp(name, "kind") == 0)
        return snprintf(out, size, "%s", kind_word(entry->kind));
    if (strcmp(name, "origin") == 0)
        return snprintf(out, size, "%s", origin_word(entry->origin));
    if (strcmp(name, "time") == 0)
        return time_text(out, size, entry->time);
    if (strcmp(name, "expires") == 0)
        return entry->expires ? time_text(out, size, entry->expires) : ABSENT;
    return is_consumer ? ABSENT : commit_text(snapshot, out, size, entry->rev, name);
}

/* A directory of the past is of the kind that it was. */
static const char *corner_kind(const struct node *node)
{
    if (node->kind <= NODE_IS_SERVICE)
        return node->kind == NODE_IS_ROOT          ? "root"
               : node->kind == NODE_IS_ENVIRONMENT ? "environment"
                                                   : "service";
    if (!node_is_past(node->kind))
        return "hidden";
    return node->service ? "service" : node->environment ? "environment" : "root";
}

static const char *directory_kind(const struct place *place)
{
    return place->kind > NODE_IS_KEY            ? corner_kind(&place->corner.node)
           : place->kind == NODE_IS_ENVIRONMENT ? "environment"
           : place->kind == NODE_IS_SERVICE     ? "service"
                                                : "root";
}

static int directory_text(struct snapshot *snapshot, char *out, size_t size,
                          const struct scope *scope, const struct place *place, const char *name)
{
    uint64_t rev;
    if (strcmp(name, "kind") == 0)
        return snprintf(out, size, "%s", directory_kind(place));
    if (strcmp(name, "rev") != 0)
        return ABSENT;
    int found = scope_changed(scope, snapshot, &rev, place);
    if (found)
        return found < 0 ? found : ABSENT;
    return snprintf(out, size, "%llu", (unsigned long long)rev);
}

int xattr_get(struct snapshot *snapshot, char out[static XATTR_VALUE_MAX], size_t *length,
              const struct scope *scope, const struct place *place, const char *name)
{
    if (strncmp(name, PREFIX, sizeof(PREFIX) - 1) != 0)
        return NOT_THERE;
    name += sizeof(PREFIX) - 1;
    int n =
        node_is_file(place->kind)
            ? entry_text(snapshot, out, XATTR_VALUE_MAX, !scope_is_all(scope), &place->entry, name)
            : directory_text(snapshot, out, XATTR_VALUE_MAX, scope, place, name);
    if (n == ABSENT)
        return NOT_THERE;
    if (n < 0)
        return n;
    *length = (size_t)n < XATTR_VALUE_MAX ? (size_t)n : XATTR_VALUE_MAX - 1;
    return 0;
}

size_t xattr_list(const struct scope *scope, const struct place *place, const char **names)
{
    if (!node_is_file(place->kind)) {
        *names = directory_names;
        return sizeof(directory_names);
    }
    const bool is_all = scope_is_all(scope);
    const size_t size = is_all ? sizeof(file_names) : sizeof(consumer_names);
    *names = is_all ? file_names : consumer_names;
    return place->entry.expires ? size : size - sizeof(EXPIRES);
}

bool xattr_foreign(const char *name)
{
    return strncmp(name, "security.", 9) == 0 || strncmp(name, "system.", 7) == 0;
}
