#include "store/db/pages.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "store/db/guard.h"
#include "store/db/internal.h"
#include "store/error.h"

enum { /* where things stand */
       META_FREE_ROOT = 80,
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
       TREE_ROOT = 40,
       TREE_SIZE = 48,
};

#define PAGE_BRANCH 0x01u
#define PAGE_LEAF 0x02u
#define PAGE_OVERFLOW 0x04u
#define PAGE_KINDS 0x6fu /* all but that it is being written */
#define NODE_BIG 0x01u
#define NODE_TREE 0x02u
#define NONE UINT64_MAX
#define DEPTH_MAX 32

struct pages {
    const unsigned char *map;
    size_t page;
    uint64_t count, last; /* pages of the file; the last that is in use */
    unsigned char *seen;  /* a bit for each */
    bool is_again;        /* a tree is walked over that was before */
    bool is_endless;
    const char *why;
    /* What is done with each record of a leaf: its flags, and its data. */
    void (*visit)(struct pages *, unsigned flags, const unsigned char *data, size_t size);
    int depth;
};

static uint64_t number_at(const unsigned char *at, size_t size)
{
    uint64_t value = 0;
    memcpy(&value, at, size); /* LMDB writes in the machine's order */
    return value;
}

static void wrong(struct pages *pages, const char *why)
{
    if (!pages->why)
        pages->why = why;
}

/* False: the page is none, or was met before. */
static bool take(struct pages *pages, uint64_t number)
{
    if (number < 2 || number > pages->last) {
        wrong(pages, "a page that is pointed to is not there");
        return false;
    }
    unsigned char *byte = &pages->seen[number / 8];
    const unsigned char bit = (unsigned char)(1u << (number % 8));
    if (*byte & bit) {
        wrong(pages, "a page has two uses: it is in two places, or used and free");
        return false;
    }
    *byte |= bit;
    return true;
}

static bool enter(struct pages *pages, uint64_t number)
{
    return pages->is_again || take(pages, number);
}

/* A record too large for its page; NULL: it is not there. */
static const unsigned char *take_run(struct pages *pages, uint64_t number, size_t size)
{
    if (!enter(pages, number))
        return NULL;
    const unsigned char *first = pages->map + number * pages->page;
    const uint64_t run = number_at(first + PAGE_RUN, 4);
    if (number_at(first, 8) != number ||
        (number_at(first + PAGE_FLAGS, 2) & PAGE_KINDS) != PAGE_OVERFLOW || run > pages->last ||
        PAGE_HEADER + size > run * pages->page) {
        wrong(pages, "a page is of the wrong kind");
        return NULL;
    }
    for (uint64_t i = 1; i < run; i++)
        if (!enter(pages, number + i))
            return NULL;
    return first + PAGE_HEADER;
}

static void walk(struct pages *pages, uint64_t number);

static void look_at_node(struct pages *pages, const unsigned char *page, size_t at, bool is_branch)
{
    const unsigned char *node = page + at;
    if (at < PAGE_HEADER || at + NODE_HEADER > pages->page) {
        wrong(pages, "a record is outside of its page");
        return;
    }
    const unsigned flags = (unsigned)number_at(node + NODE_FLAGS, 2);
    const size_t key = number_at(node + NODE_KEY_SIZE, 2), begin = at + NODE_HEADER + key;
    const uint64_t low = number_at(node, 4);
    if (is_branch) {
        walk(pages, low | (uint64_t)flags << 32);
        return;
    }
    const size_t held = flags & NODE_BIG ? 8 : (size_t)low;
    if (begin > pages->page || held > pages->page - begin) {
        wrong(pages, "a record is outside of its page");
        return;
    }
    const unsigned char *data = page + begin;
    if (flags & NODE_BIG)
        data = take_run(pages, number_at(data, 8), (size_t)low);
    if (data)
        pages->visit(pages, flags, data, (size_t)low);
}

/* What is wrong is told of once; it is walked on all the same, wherever LMDB would go. */
static void look_at_page(struct pages *pages, const unsigned char *page)
{
    const unsigned kind = (unsigned)number_at(page + PAGE_FLAGS, 2) & PAGE_KINDS;
    const size_t lower = number_at(page + PAGE_LOWER, 2), upper = number_at(page + PAGE_UPPER, 2);
    const size_t end = lower < pages->page ? lower : pages->page;
    if ((kind != PAGE_BRANCH && kind != PAGE_LEAF) || lower < PAGE_HEADER || lower > upper ||
        upper > pages->page)
        wrong(pages, "a page is of the wrong kind");
    if (!(kind & (PAGE_BRANCH | PAGE_LEAF)))
        return;
    pages->is_endless |= lower < PAGE_HEADER;
    for (size_t at = PAGE_HEADER; at + 2 <= end && !pages->is_endless; at += 2)
        look_at_node(pages, page, number_at(page + at, 2), (kind & PAGE_BRANCH) != 0);
}

static void walk(struct pages *pages, uint64_t number)
{
    if (number == NONE || !enter(pages, number))
        return;
    const unsigned char *page = pages->map + number * pages->page;
    if (number_at(page, 8) != number)
        wrong(pages, "a page is not the one that is pointed to");
    if (pages->depth >= DEPTH_MAX) {
        wrong(pages, "a tree is deeper than any is");
        return;
    }
    pages->depth++;
    look_at_page(pages, page);
    pages->depth--;
}

static void visit_record(struct pages *pages, unsigned flags, const unsigned char *data,
                         size_t size)
{
    (void)pages;
    (void)flags;
    (void)data;
    (void)size;
}

/* In the tree of trees. */
static void visit_tree(struct pages *pages, unsigned flags, const unsigned char *data, size_t size)
{
    if (!(flags & NODE_TREE) || size != TREE_SIZE) {
        wrong(pages, "a database is of another kind");
        return;
    }
    pages->visit = visit_record;
    walk(pages, number_at(data + TREE_ROOT, 8));
    pages->visit = visit_tree;
}

/* How many, and their numbers, the greatest first. All trees were walked over before. */
static void visit_free(struct pages *pages, unsigned flags, const unsigned char *data, size_t size)
{
    const uint64_t count = size >= 8 ? number_at(data, 8) : 0;
    uint64_t before = NONE;
    (void)flags;
    if (size < 8 || count > size / 8 - 1) {
        wrong(pages, "the list of free pages is damaged");
        return;
    }
    for (uint64_t i = 1; i <= count && !pages->why; i++) {
        const uint64_t number = number_at(data + 8 * i, 8);
        if (number >= before)
            wrong(pages, "the list of free pages is damaged");
        before = number;
        take(pages, number);
    }
}

/* The tree of what is free has pages of its own: they are met before any that it tells of. */
static void walk_free(struct pages *pages, uint64_t root)
{
    pages->visit = visit_record;
    walk(pages, root);
    if (pages->why)
        return;
    pages->is_again = true;
    pages->visit = visit_free;
    walk(pages, root);
}

/* The newest head; NULL: it is told what is wrong with it. */
static const unsigned char *find_head(struct pages *pages)
{
    const unsigned char *first = pages->map, *second = pages->map + pages->page;
    const bool is_second =
        number_at(second + META_TRANSACTION, 8) > number_at(first + META_TRANSACTION, 8);
    const unsigned char *meta = is_second ? second : first;
    pages->last = number_at(meta + META_LAST_PAGE, 8);
    if (pages->last < pages->count)
        return meta;
    wrong(pages, "the file is shorter than its head says");
    return NULL;
}

static int check_main(void *arg)
{
    struct pages *pages = arg;
    const unsigned char *meta = find_head(pages);
    pages->visit = visit_record;
    if (meta)
        walk(pages, number_at(meta + META_MAIN_ROOT, 8));
    return 0;
}

static int check(void *arg)
{
    struct pages *pages = arg;
    const unsigned char *meta = find_head(pages);
    if (!meta)
        return 0;
    pages->visit = visit_tree;
    walk(pages, number_at(meta + META_MAIN_ROOT, 8));
    if (!pages->why)
        walk_free(pages, number_at(meta + META_FREE_ROOT, 8));
    return 0;
}

static int map_file(struct pages *pages, struct env *env)
{
    mdb_filehandle_t fd;
    struct stat info;
    const int failed = mdb_env_get_fd(env->mdb, &fd);
    if (failed)
        return env_error(env, failed, "cannot look at the file");
    if (fstat(fd, &info))
        return error_system(errno, "cannot look at the file");
    pages->page = env->page;
    pages->count = (uint64_t)info.st_size / env->page;
    void *map = mmap(NULL, pages->count * env->page, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        return error_system(errno, "cannot map the file");
    pages->map = map;
    return 0;
}

static int check_by(int (*work)(void *), struct env *env, const char **why, bool *is_endless)
{
    struct pages pages = {.why = NULL};
    const int error = map_file(&pages, env);
    if (error)
        return error;
    pages.seen = calloc(1, pages.count / 8 + 1);
    const int failed = pages.seen ? guard_call(work, &pages) : 0;
    union {
        const unsigned char *given;
        void *taken;
    } map = {.given = pages.map};
    munmap(map.taken, pages.count * pages.page);
    if (!pages.seen)
        return error_set(ERR_NOMEM, "no memory to look at the pages of the store");
    free(pages.seen);
    *why = failed ? "a page of the file can't be read" : pages.why;
    *is_endless = pages.is_endless;
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
