/*
 * The arena is a list of regions. A region is one mapping: a page that can't be touched, the locked
 * pages, another page that can't be touched. Blocks lie side by side in a region, each with a
 * header in front; free ones hang in lists by size, so that both directions are quick also when a
 * commit holds a hundred thousand values. Everything outside a block in use is zero but for the
 * headers, so that what is given out needs no clearing and what is given back is wiped exactly
 * once.
 */
#include "store/secret.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "store/error.h"

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_POISON 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISON 1
#endif
#endif

#ifdef ARENA_POISON
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

#define GRANULE 64u             /* blocks start at and have multiples of this: a cache line */
#define FIRST_REGION (1u << 20) /* an unprivileged process may lock 8 MiB in all */
#define NEXT_REGION (2u << 20)
#define SMALLEST_REGION (64u << 10)
#define BIN_COUNT 40

struct region {
    struct region *next;
    size_t mapped; /* the whole mapping, guards too */
    size_t usable; /* bytes for blocks */
};

struct block {            /* exactly one granule, so that what follows is aligned as well */
    size_t size;          /* of what follows */
    struct block *before; /* the neighbour in memory, NULL for the first */
    struct region *region;
    struct block *next, *previous; /* in a list of free blocks */
    bool is_free, is_last;
};
_Static_assert(sizeof(struct block) <= GRANULE, "a header takes one granule");

static struct {
    pthread_mutex_t mutex; /* protects everything here and every header; held for no system call but
                              those that make or give up a region */
    bool is_ready;
    size_t maximum, locked, used, empty_regions, page;
    struct region *regions;
    struct block
        *bins[BIN_COUNT]; /* bin n: free blocks of 2^n granules and more, less than 2^(n+1) */
} arena = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static unsigned char *content(struct block *block)
{
    return (unsigned char *)block + GRANULE;
}

static struct block *block_of(unsigned char *data)
{
    return (struct block *)(void *)(data - GRANULE);
}

static struct block *after(struct block *block)
{
    return block->is_last ? NULL : (struct block *)(void *)(content(block) + block->size);
}

static unsigned bin_of(size_t size)
{
    return 63u - (unsigned)__builtin_clzll(size / GRANULE);
}

static void list_add(struct block *block)
{
    struct block **head = &arena.bins[bin_of(block->size)];
    block->is_free = true;
    block->previous = NULL;
    block->next = *head;
    if (*head)
        (*head)->previous = block;
    *head = block;
}

static void list_remove(struct block *block)
{
    if (block->next)
        block->next->previous = block->previous;
    if (block->previous)
        block->previous->next = block->next;
    else
        arena.bins[bin_of(block->size)] = block->next;
    block->is_free = false;
    block->next = block->previous = NULL;
}

static unsigned char *region_start(struct region *region)
{
    return (unsigned char *)region + GRANULE;
}

static bool is_whole_region(const struct block *block)
{
    return !block->before && block->is_last;
}

static void *map_locked(size_t usable, size_t page)
{
    size_t mapped = usable + 2 * page;
    unsigned char *base = mmap(NULL, mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED)
        return NULL;
    unsigned char *inside = base + page;
    if (mprotect(inside, usable, PROT_READ | PROT_WRITE) || mlock(inside, usable) ||
        madvise(inside, usable, MADV_DONTDUMP) || madvise(inside, usable, MADV_DONTFORK)) {
        munmap(base, mapped);
        return NULL;
    }
    return inside;
}

static int add_region(size_t size)
{
    struct region *region = map_locked(size, arena.page);
    if (!region)
        return -1;
    *region = (struct region){
        .next = arena.regions, .mapped = size + 2 * arena.page, .usable = size - GRANULE};
    struct block *block = (struct block *)(void *)region_start(region);
    *block = (struct block){.size = region->usable - GRANULE, .region = region, .is_last = true};
    ASAN_POISON_MEMORY_REGION(content(block), block->size);
    arena.regions = region;
    arena.locked += size;
    arena.empty_regions++;
    list_add(block);
    return 0;
}

static void drop_region(struct region *region)
{
    struct region **link = &arena.regions;
    while (*link != region)
        link = &(*link)->next;
    *link = region->next;
    size_t size = region->mapped - 2 * arena.page, mapped = region->mapped;
    unsigned char *inside = (unsigned char *)region;
    ASAN_UNPOISON_MEMORY_REGION(inside, size);
    explicit_bzero(inside, size);
    munmap(inside - arena.page, mapped);
    arena.locked -= size;
}

/* A region that holds at least needed bytes of blocks: as large as wished, less where less can be
 * locked. */
static int grow_arena(size_t wished, size_t needed)
{
    size_t page = arena.page;
    needed = (needed + GRANULE + page - 1) / page * page;
    size_t left = arena.maximum > arena.locked ? arena.maximum - arena.locked : 0;
    size_t size = wished > needed ? wished : needed;
    if (size > left)
        size = left / page * page;
    for (; size >= needed; size = size / 2 / page * page) {
        if (add_region(size) == 0)
            return 0;
        if (size > needed && size / 2 < needed)
            size = 2 * needed;
    }
    return -1;
}

static struct block *search_bin(unsigned bin, size_t size, size_t steps)
{
    for (struct block *block = arena.bins[bin]; block && steps > 0; block = block->next, steps--)
        if (block->size >= size)
            return block;
    return NULL;
}

/* Only in the first bin may a block be too small; a long search there comes last. */
static struct block *find_free(size_t size)
{
    unsigned first = bin_of(size);
    struct block *block = search_bin(first, size, 32);
    for (unsigned bin = first + 1; !block && bin < BIN_COUNT; bin++)
        block = arena.bins[bin];
    return block ? block : search_bin(first, size, SIZE_MAX);
}

/* Leaves size bytes to block and makes the rest, if it can be one, a free block. */
static void split(struct block *block, size_t size)
{
    if (block->size - size < 2 * GRANULE)
        return;
    struct block *rest = (struct block *)(void *)(content(block) + size);
    ASAN_UNPOISON_MEMORY_REGION(rest, sizeof(*rest));
    *rest = (struct block){.size = block->size - size - GRANULE,
                           .before = block,
                           .region = block->region,
                           .is_last = block->is_last};
    struct block *beyond = after(block);
    if (beyond)
        beyond->before = rest;
    block->size = size;
    block->is_last = false;
    list_add(rest);
}

/* Joins a free block (in no list) with the one behind it, whose header becomes free space: wiped.
 */
static void join(struct block *block, struct block *behind)
{
    struct block *beyond = after(behind);
    block->size += GRANULE + behind->size;
    block->is_last = behind->is_last;
    if (beyond)
        beyond->before = block;
    memset(behind, 0, sizeof(*behind));
    ASAN_POISON_MEMORY_REGION(behind, GRANULE);
}

static struct block *take_block(size_t size)
{
    struct block *block = find_free(size);
    if (!block && grow_arena(NEXT_REGION, size + GRANULE) == 0)
        block = find_free(size);
    if (!block)
        return NULL;
    if (is_whole_region(block))
        arena.empty_regions--;
    list_remove(block);
    split(block, size);
    arena.used += block->size;
    ASAN_UNPOISON_MEMORY_REGION(content(block), block->size);
    return block;
}

static void give_block(struct block *block)
{
    arena.used -= block->size;
    ASAN_POISON_MEMORY_REGION(content(block), block->size);
    struct block *behind = after(block);
    if (behind && behind->is_free) {
        list_remove(behind);
        join(block, behind);
    }
    if (block->before && block->before->is_free) {
        struct block *front = block->before;
        list_remove(front);
        join(front, block);
        block = front;
    }
    /* One empty region is kept, so that a value that comes and goes doesn't map and lock each time.
     */
    if (is_whole_region(block) && arena.empty_regions > 0 && block->region->next) {
        drop_region(block->region);
        return;
    }
    if (is_whole_region(block))
        arena.empty_regions++;
    list_add(block);
}

int secret_setup(size_t maximum)
{
    pthread_mutex_lock(&arena.mutex);
    if (arena.is_ready) {
        pthread_mutex_unlock(&arena.mutex);
        return 0;
    }
    int error = 0;
    /* The first forbids it; the second also where something makes the process dumpable again. The
     * hard limit stays: a program that this one becomes could not have its own back otherwise. */
    struct rlimit core = {0, 0};
    (void)getrlimit(RLIMIT_CORE, &core);
    core.rlim_cur = 0;
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) || setrlimit(RLIMIT_CORE, &core))
        error = error_system(errno, "cannot keep this process from leaving core dumps");
    arena.page = (size_t)sysconf(_SC_PAGESIZE);
    arena.maximum = maximum;
    size_t least = maximum < SMALLEST_REGION ? maximum : SMALLEST_REGION;
    if (!error && (maximum < 2 * arena.page ||
                   grow_arena(FIRST_REGION, least > arena.page ? least - GRANULE : least)))
        error = error_set(ERR_NOMEM,
                          "cannot lock %zu KiB of memory for secrets: raise the limit "
                          "(ulimit -l, or LimitMEMLOCK= of the service)",
                          least / 1024);
    arena.is_ready = !error;
    pthread_mutex_unlock(&arena.mutex);
    return error;
}

void secret_teardown(void)
{
    pthread_mutex_lock(&arena.mutex);
    while (arena.regions)
        drop_region(arena.regions);
    memset(arena.bins, 0, sizeof(arena.bins));
    arena.used = arena.empty_regions = arena.maximum = 0;
    arena.is_ready = false;
    pthread_mutex_unlock(&arena.mutex);
}

int secret_alloc(struct secret *secret, size_t capacity)
{
    if (capacity > SIZE_MAX / 2)
        return error_set(ERR_NOMEM, "cannot get %zu bytes of locked memory", capacity);
    size_t size = capacity ? (capacity + GRANULE - 1) / GRANULE * GRANULE : GRANULE;
    pthread_mutex_lock(&arena.mutex);
    struct block *block = arena.is_ready ? take_block(size) : NULL;
    size_t used = arena.used;
    pthread_mutex_unlock(&arena.mutex);
    if (!block)
        return error_set(ERR_NOMEM,
                         "cannot get %zu bytes of locked memory (%zu in use): raise the limit "
                         "(ulimit -l, or LimitMEMLOCK= of the service)",
                         capacity, used);
    *secret = (struct secret){.data = content(block), .capacity = block->size};
    return 0;
}

int secret_copy(struct secret *secret, const void *data, size_t size)
{
    int error = secret_alloc(secret, size);
    if (error)
        return error;
    if (size > 0)
        memcpy(secret->data, data, size);
    secret->size = size;
    return 0;
}

int secret_grow(struct secret *secret, size_t capacity)
{
    if (secret->data && capacity <= secret->capacity)
        return 0;
    struct secret larger;
    int error = secret_alloc(&larger, capacity);
    if (error)
        return error;
    if (secret->size > 0)
        memcpy(larger.data, secret->data, secret->size);
    larger.size = secret->size;
    secret_release(secret);
    *secret = larger;
    return 0;
}

/* One byte more than the maximum is asked for: only that tells an end from more to come. */
static int read_all(struct secret *secret, int fd, size_t maximum)
{
    for (;;) {
        if (secret->size == secret->capacity || !secret->data) {
            size_t wished = secret->capacity ? secret->capacity * 2 : 4096;
            if (wished > maximum + 1)
                wished = maximum + 1;
            int error = secret_grow(secret, wished);
            if (error)
                return error;
        }
        ssize_t got = read(fd, secret->data + secret->size, secret->capacity - secret->size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_system(errno, "cannot read a secret value");
        if (got == 0)
            return 0;
        secret->size += (size_t)got;
        if (secret->size > maximum)
            return error_set(ERR_INVALID, "more than the %zu bytes that are allowed", maximum);
    }
}

int secret_read(struct secret *secret, int fd, size_t maximum)
{
    int error = read_all(secret, fd, maximum);
    if (error)
        secret_release(secret);
    return error;
}

/* Copying and deciphering leave the last bytes in vector registers, where whoever looks at a thread
 * that waits (a debugger, a core taken from outside) would find them: no function saves or clears
 * those. */
static void wipe_registers(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx"))
        __asm__ volatile("vzeroall" ::
                             : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
                               "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
                               "xmm15");
    if (__builtin_cpu_supports("avx512f"))
        __asm__ volatile(".irp n,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n\t"
                         "vpxord %zmm\\n, %zmm\\n, %zmm\\n\n\t"
                         ".endr");
#endif
}

void secret_clear(struct secret *secret)
{
    if (secret->data)
        explicit_bzero(secret->data, secret->size);
    wipe_registers();
    secret->size = 0;
}

void secret_release(struct secret *secret)
{
    if (!secret || !secret->data)
        return;
    /* The whole block, not only what size says: a caller may have written before setting it. */
    explicit_bzero(secret->data, secret->capacity);
    wipe_registers();
    pthread_mutex_lock(&arena.mutex);
    give_block(block_of(secret->data));
    pthread_mutex_unlock(&arena.mutex);
    *secret = (struct secret){0};
}

void secret_usage(size_t *used, size_t *locked)
{
    pthread_mutex_lock(&arena.mutex);
    *used = arena.used;
    *locked = arena.locked;
    pthread_mutex_unlock(&arena.mutex);
}
