/* What servers leave in their hands, and which requests are refused for it. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fs/fatal.h"
#include "fs/kernel.h"
#include "fs/replay.h"

#define SENT_AGAIN (1ull << 63)

static struct state *memory; /* shared, so that a child can die in it */

static int fresh(void **state)
{
    (void)state;
    memory = mmap(NULL, sizeof(*memory), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED;
}

static int gone(void **state)
{
    (void)state;
    return munmap(memory, sizeof(*memory));
}

/* As the kernel puts one into a slot. */
static struct request_slot *receive(unsigned index, uint32_t view, uint64_t unique)
{
    struct request_slot *slot = &memory->requests[index];
    struct fuse_in_header header = {
        .len = sizeof(header), .opcode = FUSE_READ, .unique = unique, .nodeid = 99};
    replay_attach(slot);
    replay_view(slot, view);
    memcpy(slot->data, &header, sizeof(header));
    return slot;
}

/* And as a thread begins to answer it. */
static struct request_slot *answer(unsigned index, uint32_t view, uint64_t unique)
{
    struct request_slot *slot = receive(index, view, unique);
    atomic_store(&slot->trial, replay_judge(memory, slot) == REPLAY_SUSPECT);
    return slot;
}

static int killed_by(int signal)
{
    return signal; /* as waitpid says it */
}

static int ended_with(int code)
{
    return code << 8;
}

/* A server dies while thread 0 has request 10 of view 1 and thread 1 has request 20. */
static void die(int wait_status, bool says_who)
{
    answer(0, 1, 10);
    answer(1, 1, 20);
    atomic_store(&memory->requests[0].fatal, says_who);
    atomic_store(&memory->explained, says_who);
    replay_died(memory, wait_status);
    replay_begin(memory);
}

static enum replay_verdict judge(uint32_t view, uint64_t unique)
{
    return replay_judge(memory, receive(5, view, unique));
}

static void a_slot_has_a_request_or_none(void **state)
{
    (void)state;
    struct request_slot *slot = receive(3, 7, 10);
    assert_int_equal(replay_size(slot), sizeof(struct fuse_in_header));
    replay_begin(memory); /* the next server: it is there still */
    replay_attach(slot);
    assert_int_equal(replay_size(slot), sizeof(struct fuse_in_header));
    assert_int_equal(slot->view, 7);
    replay_taken(slot);
    replay_done(slot);
    assert_int_equal(replay_size(slot), 0);
    assert_true(slot->taken == 1);

    struct fuse_in_header header = {.len = REQUEST_MAX + 1};
    memcpy(slot->data, &header, sizeof(header)); /* nothing that a kernel sends */
    assert_int_equal(replay_size(slot), 0);
    header.len = 8;
    memcpy(slot->data, &header, sizeof(header));
    assert_int_equal(replay_size(slot), 0);
}

static void the_third_time_it_is_refused(void **state)
{
    (void)state;
    die(killed_by(SIGSEGV), true);
    assert_int_equal(judge(1, 10), REPLAY_SUSPECT);
    die(killed_by(SIGSEGV), true);
    assert_int_equal(judge(1, 20), REPLAY_FINE); /* was in hand too, and is not at fault */
    assert_int_equal(judge(2, 10), REPLAY_FINE); /* another view's */
    assert_int_equal(judge(1, 10 | SENT_AGAIN), REPLAY_REFUSED);
    assert_true(memory->figures.refused == 1);
    assert_int_equal(judge(1, 10), REPLAY_FINE); /* forgotten */
    assert_true(memory->suspects_used == 0);
}

/* Of two that were in hand when nobody could say who it was, the one that is tried next. */
static void the_second_death_tells_which_it_was(void **state)
{
    (void)state;
    die(killed_by(SIGSYS), false);
    receive(0, 1, 10);
    replay_try(receive(1, 1, 20));
    replay_died(memory, killed_by(SIGSYS));
    replay_begin(memory);
    assert_int_equal(judge(1, 20), REPLAY_REFUSED);
    assert_int_equal(judge(1, 10), REPLAY_SUSPECT);
    replay_cleared(memory, receive(5, 1, 10));
    assert_true(memory->suspects_used == 0);
}

/* One that waits behind a stuck one gets no further either, and is marked with it. */
static void who_waits_for_its_turn_is_not_to_blame(void **state)
{
    (void)state;
    die(killed_by(SIGSYS), false);
    receive(0, 1, 10);
    answer(1, 1, 20);
    atomic_store(&memory->requests[0].fatal, 1);
    atomic_store(&memory->requests[1].fatal, 1);
    replay_died(memory, killed_by(SIGKILL));
    replay_begin(memory);
    assert_int_equal(judge(1, 20), REPLAY_REFUSED);
    assert_int_equal(judge(1, 10), REPLAY_SUSPECT);
}

static void what_was_answered_is_cleared(void **state)
{
    (void)state;
    die(killed_by(SIGABRT), true);
    struct request_slot *slot = receive(5, 1, 10 | SENT_AGAIN);
    assert_int_equal(replay_judge(memory, slot), REPLAY_SUSPECT);
    replay_try(slot);
    replay_cleared(memory, slot);
    assert_true(memory->suspects_used == 0);
    die(killed_by(SIGABRT), true);
    assert_int_equal(judge(1, 10), REPLAY_SUSPECT); /* counts from the start */
}

static void where_nobody_says_who_it_counts_for_all(void **state)
{
    (void)state;
    die(killed_by(SIGSYS), false);
    die(ended_with(1), false);
    assert_int_equal(judge(1, 10), REPLAY_REFUSED);
    assert_int_equal(judge(1, 20), REPLAY_REFUSED);
}

static void what_others_do_counts_for_nobody(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        die(killed_by(SIGKILL), false);
        die(killed_by(SIGTERM), false);
        die(ended_with(0), false);
    }
    assert_int_equal(judge(1, 10), REPLAY_FINE);
    atomic_store(&memory->explained, 1); /* a thread died of it that answers nobody */
    replay_died(memory, killed_by(SIGSEGV));
    receive(0, 1, 10);
    replay_begin(memory);
    assert_int_equal(judge(1, 10), REPLAY_FINE);
}

static void the_supervisor_marks_who_is_stuck(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        answer(0, 1, 10);
        answer(1, 1, 20);
        atomic_store(&memory->requests[1].fatal, 1);
        replay_died(memory, killed_by(SIGKILL));
        replay_begin(memory);
    }
    assert_int_equal(judge(1, 10), REPLAY_FINE);
    assert_int_equal(judge(1, 20), REPLAY_REFUSED);
}

/* A server that died before it took anything over must not count again what lies there. */
static void one_death_counts_once(void **state)
{
    (void)state;
    die(killed_by(SIGSEGV), true);
    for (int i = 0; i < 3; i++) {
        replay_died(memory, ended_with(1));
        replay_begin(memory);
    }
    assert_int_equal(judge(1, 10), REPLAY_SUSPECT);
}

static void more_suspects_than_there_is_room_for(void **state)
{
    (void)state;
    for (uint64_t unique = 2; unique < 2 + 10 * SUSPECT_SLOTS; unique += 2) {
        receive(0, 1, unique);
        replay_died(memory, killed_by(SIGSYS));
        replay_begin(memory);
    }
    assert_true(memory->suspects_used == SUSPECT_SLOTS);
    assert_int_equal(judge(1, 10 * SUSPECT_SLOTS), REPLAY_SUSPECT);
}

static void what_is_never_asked_again_is_forgotten(void **state)
{
    (void)state;
    die(killed_by(SIGSEGV), true);
    assert_true(memory->suspects_used == 1);
    memory->suspects[0].since -= 3600;
    assert_int_equal(judge(1, 20), REPLAY_FINE);
    assert_true(memory->suspects_used == 0);
}

/* The handlers, in a process that dies of each. */

enum way { FAULTS, ABORTS, IS_SENT_ONE, NOT_ITS_OWN_THREAD };

static void child_dies(enum way way)
{
    const char *nothing = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    signal(SIGSEGV, SIG_DFL); /* of the test's frame */
    signal(SIGABRT, SIG_DFL);
    if (fatal_catch() < 0 || fatal_catch() < 0) /* the second time is nothing */
        _exit(1);
    fatal_state(memory);
    struct request_slot *slot = receive(2, 1, 30);
    if (way == NOT_ITS_OWN_THREAD)
        fatal_attach(NULL);
    replay_taken(slot);
    if (way == ABORTS)
        abort();
    if (way == IS_SENT_ONE)
        for (;;)
            pause();
    _exit(*(const volatile char *)nothing); /* faults */
}

static int child_ends(enum way way)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0)
        child_dies(way);
    while (way == IS_SENT_ONE && atomic_load(&memory->requests[2].taken) == 0)
        ;
    if (way == IS_SENT_ONE)
        kill(pid, SIGSEGV);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void a_thread_says_what_it_dies_of(void **state)
{
    (void)state;
    int status = child_ends(FAULTS);
    assert_true(!WIFEXITED(status) || WEXITSTATUS(status) != 0);
    assert_true(memory->requests[2].fatal && memory->explained);
}

static void abort_is_a_thread_s_own(void **state)
{
    (void)state;
    child_ends(ABORTS);
    assert_true(memory->requests[2].fatal && memory->explained);
}

static void what_somebody_sends_is_nobody_s_fault(void **state)
{
    (void)state;
    child_ends(IS_SENT_ONE);
    assert_true(!memory->requests[2].fatal && memory->explained);
}

static void nor_what_another_thread_does(void **state)
{
    (void)state;
    child_ends(NOT_ITS_OWN_THREAD);
    assert_true(!memory->requests[2].fatal && memory->explained);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fresh, gone)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_slot_has_a_request_or_none),
        TEST(the_third_time_it_is_refused),
        TEST(the_second_death_tells_which_it_was),
        TEST(who_waits_for_its_turn_is_not_to_blame),
        TEST(what_was_answered_is_cleared),
        TEST(where_nobody_says_who_it_counts_for_all),
        TEST(what_others_do_counts_for_nobody),
        TEST(the_supervisor_marks_who_is_stuck),
        TEST(one_death_counts_once),
        TEST(more_suspects_than_there_is_room_for),
        TEST(what_is_never_asked_again_is_forgotten),
        TEST(a_thread_says_what_it_dies_of),
        TEST(abort_is_a_thread_s_own),
        TEST(what_somebody_sends_is_nobody_s_fault),
        TEST(nor_what_another_thread_does),
    };
    return cmocka_run_group_tests_name("replay", tests, NULL, NULL);
}
