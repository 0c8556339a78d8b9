#include "fs/hidden.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/past.h"
#include "store/error.h"
#include "store/history.h"

/* In the order of names, as they are listed. */
static const struct row {
    const char *name;
    enum node_kind kind;
    bool in_services_only;
} rows[] = {
    {"at", NODE_IS_AT, false},    {"env", NODE_IS_ENV, true},  {"head", NODE_IS_HEAD, false},
    {"json", NODE_IS_JSON, true}, {"rev", NODE_IS_REV, false},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* The directory of places that something hidden is of, as it is now. */
struct standing {
    uint64_t rev;   /* that last changed anything, */
    uint64_t shown; /* and that last changed what is seen */
    int64_t made;
};

static int stand_at_root(struct snapshot *snapshot, struct standing *out)
{
    struct commit_info first;
    int found = history_commit(snapshot, &first, 1);
    if (found)
        return found < 0 ? found : error_set(ERR_CORRUPT, "the first commit is not there");
    *out = (struct standing){.rev = snapshot_revision(snapshot),
                             .shown = snapshot_revision(snapshot),
                             .made = first.time};
    return 0;
}

static int stand(struct snapshot *snapshot, struct standing *out, const struct node *node)
{
    struct environment environment;
    struct service service;
    int found;
    if (!node->environment)
        return stand_at_root(snapshot, out);
    if (node->service) {
        found = snapshot_service_by_id(snapshot, &service, node->environment, node->service,
                                       node->incarnation);
        if (!found)
            *out = (struct standing){
                .rev = service.changed_rev, .shown = service.shown_rev, .made = service.made_time};
        return found;
    }
    found = snapshot_environment_by_id(snapshot, &environment, node->environment);
    if (!found)
        *out = (struct standing){.rev = environment.changed_rev,
                                 .shown = environment.shown_rev,
                                 .made = environment.made_time};
    return found;
}

static uint64_t revision_for(const struct standing *standing, enum hidden_for whom)
{
    return whom == HIDDEN_FOR_CONSUMER ? standing->shown : standing->rev;
}

int hidden_revision(struct snapshot *snapshot, uint64_t *rev, const struct node *node,
                    enum hidden_for whom)
{
    struct standing standing;
    int found = stand(snapshot, &standing, node);
    if (!found)
        *rev = revision_for(&standing, whom);
    return found;
}

static void describe(struct place *out, const struct node *node, uint64_t id, int64_t time,
                     const char *name)
{
    *out = (struct place){.kind = node->kind, .id = id};
    out->corner.node = *node;
    out->corner.time = time;
    (void)snprintf(out->corner.name, sizeof(out->corner.name), "%s", name);
}

/* `.emsa` or at/ of a directory. */
static void describe_directory(struct place *out, enum node_kind kind, const struct node *of,
                               const struct standing *standing, const char *name)
{
    struct node node = {.kind = kind,
                        .environment = of->environment,
                        .service = of->service,
                        .incarnation = of->incarnation};
    describe(out, &node, node_hidden(kind, of->environment, of->service, of->incarnation),
             standing->made, name);
}

int hidden_of(struct snapshot *snapshot, struct place *out, const struct node *directory)
{
    struct standing standing;
    int found = stand(snapshot, &standing, directory);
    if (!found)
        describe_directory(out, NODE_IS_HIDDEN, directory, &standing, HIDDEN_NAME);
    return found;
}

/* A text or a link as of a revision. */
static int describe_at(struct snapshot *snapshot, struct place *out, enum node_kind kind,
                       const struct node *of, uint64_t rev, const char *name)
{
    struct node node = {
        .kind = kind, .environment = of->environment, .service = of->service, .rev = rev};
    int64_t time;
    uint64_t id = node_of_revision(kind, of->environment, of->service, rev);
    if (!id)
        return past_too_large(rev);
    int found = past_time(snapshot, &time, &node);
    if (!found)
        describe(out, &node, id, time, name);
    return found;
}

static int describe_row(struct snapshot *snapshot, struct place *out, const struct row *row,
                        const struct node *parent, enum hidden_for whom)
{
    struct standing standing;
    if (row->in_services_only && !parent->service)
        return NOT_THERE;
    int found = stand(snapshot, &standing, parent);
    if (found)
        return found;
    if (row->kind != NODE_IS_AT)
        return describe_at(snapshot, out, row->kind, parent, revision_for(&standing, whom),
                           row->name);
    describe_directory(out, NODE_IS_AT, parent, &standing, row->name);
    return 0;
}

/* One name each: "7" and not "07". */
bool hidden_parse_revision(uint64_t *rev, const char *name)
{
    size_t digits = strspn(name, "0123456789");
    if (digits == 0 || digits > 15 || name[digits] != '\0' || name[0] == '0')
        return false;
    *rev = strtoull(name, NULL, 10);
    return true;
}

/* A link to the revision that a tag names, where the place was there at it. */
static int lookup_tag(struct snapshot *snapshot, struct place *out, const struct node *parent,
                      const char *name)
{
    struct tag tag;
    int found = history_tag(snapshot, &tag, name);
    return found ? found : describe_at(snapshot, out, NODE_IS_TAG, parent, tag.rev, name);
}

static int lookup_revision(struct snapshot *snapshot, struct place *out, const struct node *parent,
                           const char *name)
{
    struct standing standing;
    uint64_t rev;
    int found = stand(snapshot, &standing, parent);
    if (found)
        return found;
    if (hidden_parse_revision(&rev, name))
        return past_enter(snapshot, out, parent, rev);
    return lookup_tag(snapshot, out, parent, name);
}

int hidden_lookup(struct snapshot *snapshot, struct place *out, const struct node *parent,
                  const char *name, enum hidden_for whom)
{
    if (parent->kind == NODE_IS_AT)
        return lookup_revision(snapshot, out, parent, name);
    for (size_t i = 0; i < ROWS; i++)
        if (strcmp(rows[i].name, name) == 0)
            return describe_row(snapshot, out, &rows[i], parent, whom);
    return NOT_THERE;
}

int hidden_find(struct snapshot *snapshot, struct place *out, const struct node *node, uint64_t id)
{
    struct standing standing;
    int64_t time = 0;
    int found;
    if (node->kind == NODE_IS_HIDDEN || node->kind == NODE_IS_AT) {
        found = stand(snapshot, &standing, node);
        time = found ? 0 : standing.made;
    } else {
        found = past_time(snapshot, &time, node);
    }
    if (!found)
        describe(out, node, id, time, "");
    return found;
}

int hidden_next(struct snapshot *snapshot, struct place *out, const struct node *directory,
                const char *after, uint64_t *id, enum hidden_for whom)
{
    if (directory->kind == NODE_IS_AT)
        return NOT_THERE;
    for (size_t i = 0; i < ROWS; i++) {
        if (strcmp(rows[i].name, after) <= 0)
            continue;
        int found = describe_row(snapshot, out, &rows[i], directory, whom);
        if (found == NOT_THERE)
            continue;
        *id = i + 1;
        return found;
    }
    return NOT_THERE;
}

int hidden_name(char name[static KEY_NAME_MAX + 1], uint64_t id)
{
    if (id == 0 || id > ROWS)
        return NOT_THERE;
    (void)snprintf(name, KEY_NAME_MAX + 1, "%s", rows[id - 1].name);
    return 0;
}

size_t hidden_target(char out[static HIDDEN_LINK_MAX], const struct node *node)
{
    int n = snprintf(out, HIDDEN_LINK_MAX, "%s%llu", node->kind == NODE_IS_HEAD ? "at/" : "",
                     (unsigned long long)node->rev);
    return (size_t)n;
}
