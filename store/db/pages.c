#include "store/db/pages.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "store/db/guard.h"
#include "store/db/internal.h"
#include "store/db/pages_internal.h"
#include "store/error.h"

enum { /* where things stand */
       META_FREE_FLAGS = 44,
       META_FREE_ROOT = 80,
       META_MAIN_FLAGS = 92,
       META_MAIN_ROOT = 128,
       META_LAST_PAGE = 136,
       META_TRANSACTION = 144,
       PAGE_FLAGS = 10,
       PAGE_LOWER = 12,
       PAGE_UPPER = 14,
       PAGE_RUN = 12, /* how many pages, of the first of a run */
       PAGE_HEADER = 16,
       NODE_FLAGS = 4,
       NODE_KEY_SIZE = 6,
       NODE_HEADER = 8,
       TREE_FLAGS = 4,
       TREE_ENTRIES = 32,
       TREE_ROOT = 40,
       TREE_SIZE = 48,
};

#define PAGE_BRANCH 0x01u
#define PAGE_LEAF 0x02u
#define PAGE_OVERFLOW 0x04u
#define PAGE_KINDS 0x6fu /* all but that it is being written */
#define KEY_MAX 511u     /* of LMDB */
#define DEPTH_MAX 32

static uint64_t number_at(const unsigned char *at, size_t size)
{
    uint64_t value = 0;
    memcpy(&value, at, size); /* LMDB writes in the machine's order */
    return value;
}

void pages_wrong(struct pages_walk *walk, const char *why)
{
    if (!walk->why)
        walk->why = why;
}

/* False: the page is none, or was met before. */
static bool take(struct pages_walk *walk, uint64_t number)
{
    const struct pages *pages = walk->pages;
    if (number < 2 || number > pages->last) {
        pages_wrong(walk, "a page that is pointed to is not there");
        return false;
    }
    const unsigned char bit = (unsigned char)(1u << (number % 8));
    if (!(atomic_fetch_or_explicit(&pages->seen[number / 8], bit, memory_order_relaxed) & bit))
        return true;
    pages_wrong(walk, "a page has two uses: it is in two places, or used and free");
    return false;
}

static bool enter(struct pages_walk *walk, uint64_t number)
{
    return walk->is_again || take(walk, number);
}

static unsigned char *page_at(const struct pages *pages, uint64_t number)
{
    return pages->map + number * pages->page;
}

static unsigned kind_of(const unsigned char *page)
{
    return (unsigned)number_at(page + PAGE_FLAGS, 2) & PAGE_KINDS;
}

/* A record too large for its page; NULL: it is not there. */
static unsigned char *take_run(struct pages_walk *walk, uint64_t number, size_t size)
{
    if (!enter(walk, number))
        return NULL;
    unsigned char *first = page_at(walk->pages, number);
    const uint64_t run = number_at(first + PAGE_RUN, 4);
    if (number_at(first, 8) != number || kind_of(first) != PAGE_OVERFLOW ||
        run > walk->pages->last || PAGE_HEADER + size > run * walk->pages->page) {
        pages_wrong(walk, "a page is of the wrong kind");
        return NULL;
    }
    for (uint64_t i = 1; i < run; i++)
        if (!enter(walk, number + i))
            return NULL;
    return first + PAGE_HEADER;
}

/* NULL: it is not in its page. */
static unsigned char *node_at(struct pages_walk *walk, unsigned char *page, size_t number)
{
    const size_t at = number_at(page + PAGE_HEADER + 2 * number, 2);
    if (at >= PAGE_HEADER && at + NODE_HEADER <= walk->pages->page)
        return page + at;
    pages_wrong(walk, "a record is outside of its page");
    return NULL;
}

static MDB_val key_of(unsigned char *node)
{
    return (MDB_val){.mv_size = number_at(node + NODE_KEY_SIZE, 2), .mv_data = node + NODE_HEADER};
}

/* What separates a page from the one before; none, where that is not in its page. */
static MDB_val separator_at(struct pages_walk *walk, unsigned char *page, size_t number)
{
    unsigned char *node = node_at(walk, page, number);
    const MDB_val key = node ? key_of(node) : (MDB_val){0};
    if (!node || key.mv_size <= walk->pages->page - NODE_HEADER - (size_t)(node - page))
        return key;
    pages_wrong(walk, "a record is outside of its page");
    return (MDB_val){0};
}

static void step(struct pages_walk *walk, uint64_t number, const struct pages_range *range)
{
    if (walk->leave == NULL || !walk->leave(walk, number, range))
        pages_walk(walk, number, range);
}

static void look_at_branch(struct pages_walk *walk, unsigned char *page, size_t count,
                           const struct pages_range *range)
{
    struct pages_range part = *range;
    for (size_t i = 0; i < count && !walk->is_endless; i++) {
        const unsigned char *node = node_at(walk, page, i);
        if (walk->is_ordered) {
            part.high = i + 1 < count ? separator_at(walk, page, i + 1) : range->high;
            if ((i + 1 < count || part.high.mv_data) && !pages_is_after(part.high, part.low))
                pages_wrong(walk, "its records are out of order");
        }
        if (node)
            step(walk, number_at(node, 4) | number_at(node + NODE_FLAGS, 2) << 32, &part);
        part.low = part.high;
    }
}

/* That it is where it is looked for. */
static void look_at_order(struct pages_walk *walk, MDB_val key, MDB_val *before, bool is_first,
                          const struct pages_range *range)
{
    const bool is_right = is_first ? !pages_is_after(*before, key) : pages_is_after(key, *before);
    if (!key.mv_size || key.mv_size > KEY_MAX || !is_right)
        pages_wrong(walk, "its records are out of order");
    if (range->high.mv_data && !pages_is_after(range->high, key))
        pages_wrong(walk, "a record is not found by its key");
    *before = key;
}

static void look_at_record(struct pages_walk *walk, unsigned char *page, unsigned char *node,
                           MDB_val key)
{
    const struct pages *pages = walk->pages;
    const unsigned flags = (unsigned)number_at(node + NODE_FLAGS, 2);
    const size_t begin = (size_t)(node - page) + NODE_HEADER + key.mv_size;
    const size_t size = number_at(node, 4), held = flags & NODE_BIG ? 8 : size;
    if (held > pages->page - begin) {
        pages_wrong(walk, "a record is outside of its page");
        return;
    }
    unsigned char *data = page + begin;
    if (flags & NODE_BIG)
        data = take_run(walk, number_at(data, 8), size);
    if (data)
        walk->visit(walk, flags, key, (MDB_val){.mv_size = size, .mv_data = data});
}

static void look_at_leaf(struct pages_walk *walk, unsigned char *page, size_t count,
                         const struct pages_range *range)
{
    MDB_val before = range->low;
    for (size_t i = 0; i < count && !walk->is_endless; i++) {
        unsigned char *node = node_at(walk, page, i);
        if (!node)
            continue;
        const MDB_val key = key_of(node);
        if ((size_t)(node - page) + NODE_HEADER + key.mv_size > walk->pages->page) {
            pages_wrong(walk, "a record is outside of its page");
            continue;
        }
        if (walk->is_ordered)
            look_at_order(walk, key, &before, i == 0, range);
        look_at_record(walk, page, node, key);
    }
}

static void look_at_page(struct pages_walk *walk, unsigned char *page,
                         const struct pages_range *range)
{
    const unsigned kind = kind_of(page);
    const size_t lower = number_at(page + PAGE_LOWER, 2), upper = number_at(page + PAGE_UPPER, 2);
    const size_t end = lower < walk->pages->page ? lower : walk->pages->page;
    if ((kind != PAGE_BRANCH && kind != PAGE_LEAF) || lower < PAGE_HEADER || lower > upper ||
        upper > walk->pages->page)
        pages_wrong(walk, "a page is of the wrong kind");
    if (!(kind & (PAGE_BRANCH | PAGE_LEAF)))
        return;
    walk->is_endless |= lower < PAGE_HEADER;
    const size_t count = walk->is_endless ? 0 : (end - PAGE_HEADER) / 2;
    if (walk->is_ordered && count < (kind & PAGE_BRANCH ? 2 : 1))
        pages_wrong(walk, "a page is empty");
    if (kind & PAGE_BRANCH)
        look_at_branch(walk, page, count, range);
    else
        look_at_leaf(walk, page, count, range);
}

void pages_walk(struct pages_walk *walk, uint64_t number, const struct pages_range *range)
{
    if (number == PAGES_NONE || !enter(walk, number))
        return;
    unsigned char *page = page_at(walk->pages, number);
    if (number_at(page, 8) != number)
        pages_wrong(walk, "a page is not the one that is pointed to");
    if (walk->depth >= DEPTH_MAX) {
        pages_wrong(walk, "a tree is deeper than any is");
        return;
    }
    walk->depth++;
    look_at_page(walk, page, range);
    walk->depth--;
}

unsigned pages_height(const struct pages *pages, uint64_t number)
{
    for (unsigned height = 0; height < DEPTH_MAX; height++) {
        if (number < 2 || number > pages->last)
            return height;
        const unsigned char *page = page_at(pages, number);
        const size_t at = number_at(page + PAGE_HEADER, 2);
        if (kind_of(page) != PAGE_BRANCH || at + NODE_HEADER > pages->page)
            return height;
        number = number_at(page + at, 4) | number_at(page + at + NODE_FLAGS, 2) << 32;
    }
    return DEPTH_MAX;
}

bool pages_tree(struct pages_tree *out, unsigned flags, MDB_val data)
{
    const unsigned char *tree = data.mv_data;
    if (!(flags & NODE_TREE) || data.mv_size != TREE_SIZE)
        return false;
    *out = (struct pages_tree){.root = number_at(tree + TREE_ROOT, 8),
                               .entries = number_at(tree + TREE_ENTRIES, 8),
                               .flags = (unsigned)number_at(tree + TREE_FLAGS, 2)};
    return true;
}

static void visit_record(struct pages_walk *walk, unsigned flags, MDB_val key, MDB_val data)
{
    (void)walk;
    (void)flags;
    (void)key;
    (void)data;
}

static const struct pages_range all;

/* In the tree of trees. */
static void visit_tree(struct pages_walk *walk, unsigned flags, MDB_val key, MDB_val data)
{
    struct pages_tree tree;
    (void)key;
    if (!pages_tree(&tree, flags, data)) {
        pages_wrong(walk, "a database is of another kind");
        return;
    }
    walk->visit = visit_record;
    pages_walk(walk, tree.root, &all);
    walk->visit = visit_tree;
}

/* How many, and their numbers, the greatest first. All trees were walked over before. */
static void visit_free(struct pages_walk *walk, unsigned flags, MDB_val key, MDB_val data)
{
    const unsigned char *list = data.mv_data;
    const uint64_t count = data.mv_size >= 8 ? number_at(list, 8) : 0;
    uint64_t before = PAGES_NONE;
    (void)flags;
    (void)key;
    if (data.mv_size < 8 || count > data.mv_size / 8 - 1) {
        pages_wrong(walk, "the list of free pages is damaged");
        return;
    }
    for (uint64_t i = 1; i <= count && !walk->why; i++) {
        const uint64_t number = number_at(list + 8 * i, 8);
        if (number >= before)
            pages_wrong(walk, "the list of free pages is damaged");
        before = number;
        take(walk, number);
    }
}

/* It has pages of its own: they are met before any that it tells of. */
void pages_walk_free(struct pages_walk *walk)
{
    walk->visit = visit_record;
    pages_walk(walk, walk->pages->free_root, &all);
    if (walk->why)
        return;
    walk->is_again = true;
    walk->visit = visit_free;
    pages_walk(walk, walk->pages->free_root, &all);
}

void pages_find_head(struct pages *pages)
{
    const unsigned char *first = pages->map, *second = pages->map + pages->page;
    const bool is_second =
        number_at(second + META_TRANSACTION, 8) > number_at(first + META_TRANSACTION, 8);
    const unsigned char *meta = is_second ? second : first;
    pages->last = number_at(meta + META_LAST_PAGE, 8);
    pages->main_root = number_at(meta + META_MAIN_ROOT, 8);
    pages->free_root = number_at(meta + META_FREE_ROOT, 8);
    /* With other flags LMDB reads on, and fails when it next writes. */
    if (number_at(meta + META_FREE_FLAGS, 2) != MDB_INTEGERKEY ||
        number_at(meta + META_MAIN_FLAGS, 2) != 0)
        pages->why = "its head is not that of a store";
    if (pages->last >= pages->count)
        pages->why = "the file is shorter than its head says";
}

static int check_main(void *arg)
{
    struct pages_walk *walk = arg;
    pages_find_head(walk->pages);
    walk->visit = visit_record;
    if (!walk->pages->why)
        pages_walk(walk, walk->pages->main_root, &all);
    return 0;
}

static int check(void *arg)
{
    struct pages_walk *walk = arg;
    pages_find_head(walk->pages);
    if (walk->pages->why)
        return 0;
    walk->visit = visit_tree;
    pages_walk(walk, walk->pages->main_root, &all);
    if (!walk->why)
        pages_walk_free(walk);
    return 0;
}

int pages_open(struct pages *out, struct env *env)
{
    struct pages pages = {.page = env->page};
    mdb_filehandle_t fd;
    struct stat info;
    const int failed = mdb_env_get_fd(env->mdb, &fd);
    if (failed)
        return env_error(env, failed, "cannot look at the file");
    if (fstat(fd, &info))
        return error_system(errno, "cannot look at the file");
    pages.count = (uint64_t)info.st_size / env->page;
    pages.seen = pages.memory = calloc(1, pages.count / 8 + 1);
    if (!pages.seen)
        return error_set(ERR_NOMEM, "no memory to look at the pages of the store");
    void *map = mmap(NULL, pages.count * env->page, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) {
        free(pages.memory);
        return error_system(errno, "cannot map the file");
    }
    pages.map = map;
    *out = pages;
    return 0;
}

void pages_close(struct pages *pages)
{
    munmap(pages->map, pages->count * pages->page);
    free(pages->memory);
}

static int check_by(int (*work)(void *), struct env *env, const char **why, bool *is_endless)
{
    struct pages pages;
    struct pages_walk walk = {.pages = &pages};
    const int error = pages_open(&pages, env);
    if (error)
        return error;
    const int failed = guard_call(work, &walk);
    pages_close(&pages);
    *why = failed ? "a page of the file can't be read" : pages.why ? pages.why : walk.why;
    *is_endless = walk.is_endless;
    return 0;
}

int pages_check(struct env *env, const char **why, bool *is_endless)
{
    return check_by(check, env, why, is_endless);
}

int pages_check_main(struct env *env)
{
    const char *why;
    bool is_endless;
    const int error = check_by(check_main, env, &why, &is_endless);
    if (error || !is_endless)
        return error;
    return error_set(ERR_CORRUPT, "the list of databases is damaged (%s)", why);
}

int pages_check_alone(struct env *env, const char **why, bool *is_endless)
{
    pthread_mutex_lock(&env->writer);
    const int error = pages_check(env, why, is_endless);
    pthread_mutex_unlock(&env->writer);
    return error;
}
