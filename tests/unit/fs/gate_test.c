/*
 * Requests as a kernel sends them, with any id, into a server of one service's view: what is
 * another service's is answered byte by byte as what there never was, whatever is asked of it.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "fs/fs.h"
#include "fs/kernel.h"
#include "fs/scope.h"
#include "fs/state.h"
#include "store/name.h"
#include "store/permute.h"
#include "tests/support/store/sample.h"
#include "tests/support/store/trial.h"

#define REQUESTS 20000u
#define BODY_MAX 128u

static struct store *store;
static struct snapshot *snapshot;
static struct fs *fs;
static struct view_options options;
static struct scope scope;
static int kernel;
static uint64_t unique;
static uint64_t mine, other, elsewhere, other_service;
static unsigned char answer[8192];
static size_t answer_size;

struct question {
    uint32_t opcode;
    size_t size;
    unsigned char body[BODY_MAX];
};

static uint64_t find(const char *path)
{
    struct path parts;
    struct place place;
    assert_int_equal(path_parse(&parts, path, strlen(path)), 0);
    assert_int_equal(tree_lookup(snapshot, &place, NODE_ROOT, parts.environment), 0);
    assert_int_equal(tree_lookup(snapshot, &place, place.id, parts.service), 0);
    if (parts.key[0])
        assert_int_equal(tree_lookup(snapshot, &place, place.id, parts.key), 0);
    return place.id;
}

static void serve(int fuse_fd)
{
    const struct {
        struct fuse_in_header header;
        struct fuse_init_in init;
    } init = {.header = {.len = sizeof(init), .opcode = FUSE_INIT, .unique = 1},
              .init = {.major = FUSE_KERNEL_VERSION, .minor = KERNEL_MINOR}};
    struct fs_options of = {.store = store, .threads = 2, .spin = -1, .roster_fd = -1};
    assert_int_equal(state_create(&of.state_fd), 0);
    assert_int_equal(fs_new(&fs, &of), 0);
    assert_int_equal(fs_adopt(fs, &options, fuse_fd, &init, sizeof(init)), 0);
    assert_int_equal(fs_start(fs), 0);
}

/* The number that would lead to a node. */
static uint64_t encipher(uint64_t node)
{
    const struct permute_range ids = {4, UINT64_MAX};
    return permute_within(options.key, 1, ids, node);
}

static int make(void **state)
{
    (void)state;
    struct change_result result = {0};
    const char *folder;
    static char name[TRIAL_PATH_MAX];
    struct path path;
    int ends[2];
    folder = trial_path(name, trial_folder(), "store");
    sample_create(folder);
    store = sample_open(folder, true);
    MUST_DO(SAMPLE_COMMIT(store, &result, "fill", 0, {ADD, "e", 0}, {ADD, "f", 0},
                          {SET, "e/s/K", 1}, {SET, "e/t/OTHER", 2}, {SET, "f/s/K", 3}));
    change_result_release(&result);
    assert_int_equal(path_parse(&path, "e/s", 3), 0);
    options.id = 1;
    assert_int_equal(view_options_of(&options, &path), 0);
    scope_init(&scope, &options, NULL);
    assert_int_equal(snapshot_new(&snapshot, store), 0);
    assert_int_equal(snapshot_begin(snapshot), 0);
    mine = find("e/s/K");
    other = find("e/t/OTHER");
    elsewhere = find("f/s/K");
    other_service = find("e/t");
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    kernel = ends[0];
    serve(ends[1]);
    return 0;
}

static int end(void **state)
{
    (void)state;
    fs_free(fs);
    close(kernel);
    snapshot_end(snapshot);
    snapshot_free(snapshot);
    store_close(store);
    return 0;
}

/* Asks, and returns the errno of the answer. */
static int ask(const struct question *question, uint64_t node)
{
    struct {
        struct fuse_in_header header;
        unsigned char body[BODY_MAX];
    } request = {.header = {.len = (uint32_t)(sizeof(request.header) + question->size),
                            .opcode = question->opcode,
                            .unique = unique += 2,
                            .nodeid = node,
                            .pid = (uint32_t)getpid()}};
    memcpy(request.body, question->body, question->size);
    assert_int_equal(send(kernel, &request, request.header.len, 0), request.header.len);
    ssize_t n = recv(kernel, answer, sizeof(answer), 0);
    struct fuse_out_header header;
    assert_true(n >= (ssize_t)sizeof(header));
    memcpy(&header, answer, sizeof(header));
    assert_true(header.unique == unique && header.len == n);
    answer_size = (size_t)n - sizeof(header);
    memmove(answer, answer + sizeof(header), answer_size);
    return -header.error;
}

static void put(struct question *question, const void *data, size_t size)
{
    memcpy(question->body + question->size, data, size);
    question->size += size;
}

#define ALL 20u

static void questions(struct question all[ALL], const char *name)
{
    const struct fuse_read_in read = {.size = 4096,
                                      .read_flags = FUSE_READ_LOCKOWNER,
                                      .lock_owner = 1},
                              pages = {.size = 4096};
    const struct fuse_open_in open = {.flags = O_RDONLY}, write = {.flags = O_WRONLY};
    const struct fuse_getxattr_in attribute = {.size = 512};
    const struct fuse_setattr_in set = {.valid = FATTR_MTIME | FATTR_MTIME_NOW};
    const struct fuse_mknod_in node = {.mode = 0100600};
    const struct fuse_mkdir_in directory = {.mode = 0700};
    const unsigned char zeros[64] = {0};
    unsigned n = 0;
    memset(all, 0, ALL * sizeof(*all));
#define ASK(kind, data, length)                                                                    \
    all[n].opcode = (kind);                                                                        \
    put(&all[n], (data), (length));                                                                \
    n++
#define ASK_NAMED(kind, data, length, text)                                                        \
    all[n].opcode = (kind);                                                                        \
    put(&all[n], (data), (length));                                                                \
    put(&all[n], (text), strlen(text) + 1);                                                        \
    n++
    ASK(FUSE_GETATTR, zeros, sizeof(struct fuse_getattr_in));
    ASK(FUSE_OPEN, &open, sizeof(open));
    ASK(FUSE_OPEN, &write, sizeof(write));
    ASK(FUSE_OPENDIR, &open, sizeof(open));
    ASK(FUSE_READ, &read, sizeof(read));
    ASK(FUSE_READ, &pages, sizeof(pages));
    ASK(FUSE_READDIR, &read, sizeof(read));
    ASK(FUSE_READDIRPLUS, &read, sizeof(read));
    ASK(FUSE_READLINK, zeros, 0);
    ASK(FUSE_RELEASE, zeros, sizeof(struct fuse_release_in));
    ASK(FUSE_RELEASEDIR, zeros, sizeof(struct fuse_release_in));
    ASK(FUSE_LISTXATTR, &attribute, sizeof(attribute));
    ASK(FUSE_POLL, zeros, sizeof(struct fuse_poll_in));
    ASK(FUSE_SETATTR, &set, sizeof(set));
    ASK_NAMED(FUSE_GETXATTR, &attribute, sizeof(attribute), "user.emsa.rev");
    ASK_NAMED(FUSE_LOOKUP, zeros, 0, name);
    ASK_NAMED(FUSE_MKNOD, &node, sizeof(node), name);
    ASK_NAMED(FUSE_MKDIR, &directory, sizeof(directory), name);
    ASK_NAMED(FUSE_UNLINK, zeros, 0, name);
    ASK_NAMED(FUSE_RMDIR, zeros, 0, name);
    assert_int_equal(n, ALL);
}

static void what_is_others_is_as_what_never_was(void **state)
{
    (void)state;
    struct question all[ALL];
    unsigned char nothing[sizeof(answer)];
    const uint64_t wires[] = {encipher(other),
                              encipher(elsewhere),
                              encipher(other_service),
                              encipher(node_hidden(NODE_IS_HIDDEN, 0, 0, 0)),
                              encipher(node_of_revision(NODE_IS_HEAD, 0, 0, 2)),
                              encipher(node_of_revision(NODE_IS_PAST, 0, 0, 2)),
                              encipher(node_past_key(2, 4)),
                              mine, /* as administrators have it */
                              other,
                              encipher(node_environment(1)),
                              4,
                              UINT64_MAX};
    questions(all, "OTHER");
    for (unsigned q = 0; q < ALL; q++) {
        const int error = ask(&all[q], 0x1234567890abcdef);
        const size_t size = answer_size;
        memcpy(nothing, answer, size);
        for (size_t i = 0; i < sizeof(wires) / sizeof(wires[0]); i++)
            if (ask(&all[q], wires[i]) != error || answer_size != size ||
                memcmp(answer, nothing, size) != 0)
                fail_msg("request %u of id %zu is answered otherwise", all[q].opcode, i);
    }
}

static void its_own_is_there(void **state)
{
    (void)state;
    struct question all[ALL];
    struct fuse_entry_out entry;
    struct fuse_attr_out attr;
    questions(all, "K");
    for (unsigned q = 0; q < ALL; q++) {
        if (all[q].opcode == FUSE_LOOKUP) {
            assert_int_equal(ask(&all[q], 3), 0);
            memcpy(&entry, answer, sizeof(entry));
            assert_true(entry.nodeid == scope_wire(&scope, mine));
            assert_true(entry.attr.ino == entry.nodeid);
            assert_true(entry.generation == scope.generation && entry.generation != 0);
        } else if (all[q].opcode == FUSE_GETATTR) {
            assert_int_equal(ask(&all[q], scope_wire(&scope, mine)), 0);
            memcpy(&attr, answer, sizeof(attr));
            assert_true(attr.attr.ino == scope_wire(&scope, mine));
        } else if (all[q].opcode == FUSE_READ) {
            assert_int_equal(ask(&all[q], scope_wire(&scope, mine)), 0);
            assert_true(answer_size > 0);
        }
    }
}

/* None is left without an answer, and none ends the server. */
static void any_request_is_borne(void **state)
{
    (void)state;
    struct question all[ALL];
    uint64_t numbers[4];
    const uint64_t nodes[] = {NODE_ROOT,
                              mine,
                              other,
                              elsewhere,
                              other_service,
                              node_past_key(2, 0),
                              node_hidden(NODE_IS_AT, 1, 1, 0)};
    questions(all, "K");
    for (unsigned i = 0; i < REQUESTS; i++) {
        assert_int_equal(getrandom(numbers, sizeof(numbers), 0), sizeof(numbers));
        struct question question = all[numbers[0] % ALL];
        uint64_t node = numbers[1];
        if (numbers[0] >> 32 & 1)
            node = encipher(nodes[numbers[1] % (sizeof(nodes) / sizeof(nodes[0]))]);
        else if (numbers[0] >> 33 & 1)
            node = numbers[1] % 8 | (numbers[1] & 0xf000000000000000);
        const bool is_of_numbers = question.opcode == FUSE_READ ||
                                   question.opcode == FUSE_READDIR ||
                                   question.opcode == FUSE_READDIRPLUS;
        if (is_of_numbers) /* handle and offset */
            memcpy(question.body, numbers + 2, 2 * sizeof(uint64_t));
        (void)ask(&question, node);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_others_is_as_what_never_was),
        cmocka_unit_test(its_own_is_there),
        cmocka_unit_test(any_request_is_borne),
    };
    return cmocka_run_group_tests(tests, make, end);
}
