/* The guard: faults inside become a result, faults outside go where they went before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/db/guard.h"

/* A page that faults: beyond the end of its file (SIGBUS), or with no rights (SIGSEGV). */
static volatile unsigned char *bad_page(int number)
{
    if (number == SIGSEGV)
        return mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    FILE *file = tmpfile();
    void *page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fileno(file), 0);
    fclose(file);
    return page;
}

static int touch(void *arg)
{
    volatile unsigned char *page = arg;
    return page[0];
}

static int answer(void *arg)
{
    return *(int *)arg;
}

static int escape(void *arg)
{
    (void)arg;
    guard_escape();
    return 1;
}

static void results_pass_through(void **state)
{
    (void)state;
    int number = 42;
    assert_int_equal(guard_install(), 0);
    assert_int_equal(guard_call(answer, &number), 42);
    assert_int_equal(guard_call(escape, NULL), GUARD_FAULT);
    guard_escape(); /* outside: nothing */
}

static void faults_become_results_again_and_again(void **state)
{
    (void)state;
    assert_int_equal(guard_install(), 0);
    unsigned char *const pages[] = {(unsigned char *)(uintptr_t)bad_page(SIGSEGV),
                                    (unsigned char *)(uintptr_t)bad_page(SIGBUS)};
    for (int i = 0; i < 1000; i++)
        assert_int_equal(guard_call(touch, pages[i % 2]), GUARD_FAULT);
}

static void *fault_in_thread(void *arg)
{
    for (int i = 0; i < 500; i++)
        if (guard_call(touch, arg) != GUARD_FAULT)
            return (void *)1;
    return NULL;
}

static void threads_have_their_own_guard(void **state)
{
    (void)state;
    pthread_t threads[3];
    unsigned char *page = (unsigned char *)(uintptr_t)bad_page(SIGBUS);
    assert_int_equal(guard_install(), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, fault_in_thread, page), 0);
    for (int i = 0; i < 3; i++) {
        void *bad = NULL;
        pthread_join(threads[i], &bad);
        assert_null(bad);
    }
}

static void exit_seven(int number)
{
    (void)number;
    _exit(7);
}

/* In a child: what becomes of a fault outside of any guard. */
static int outside(void (*handler)(int), int number)
{
    pid_t child = fork();
    if (child == 0) {
        struct sigaction action = {.sa_handler = handler};
        sigaction(number, &action, NULL);
        guard_install();
        guard_call(escape, NULL);
        touch((void *)(uintptr_t)bad_page(number));
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void faults_outside_go_where_they_went(void **state)
{
    (void)state;
    int status = outside(exit_seven, SIGSEGV);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    status = outside(exit_seven, SIGBUS);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    status = outside(SIG_DFL, SIGSEGV);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    status = outside(SIG_DFL, SIGBUS);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_pass_through),
        cmocka_unit_test(faults_become_results_again_and_again),
        cmocka_unit_test(threads_have_their_own_guard),
        cmocka_unit_test(faults_outside_go_where_they_went),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
