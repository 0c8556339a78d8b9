/* Askers of whom the dispatcher is played: what they read, who does not read, who is spoilt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/limits.h"
#include "tools/emsad/lender.h"

#define SYSTEMD_MAX (1024 * 1024)
#define LARGE (512 * 1024) /* more than a socket takes at once */

static int answered; /* eventfd: one for each asker */
static int refused;  /* eventfd: one for each who was refused */

void __wrap_log_warning(const char *format, ...);

void __wrap_log_warning(const char *format, ...)
{
    const uint64_t one = 1;
    (void)format;
    assert_int_equal(write(refused, &one, sizeof one), sizeof one);
}

int __wrap_service_call(struct dispatcher *dispatcher, struct call *call);

/* A value of LARGE bytes for the key "LARGE", "value" for others, none for "NONE". */
int __wrap_service_call(struct dispatcher *dispatcher, struct call *call)
{
    (void)dispatcher;
    const char *path =
        json_string_value(json_array_get(json_object_get(call->parameters, "paths"), 0));
    assert_non_null(path);
    assert_int_equal(call->caller.uid, 0);
    call->reply = json_object();
    if (strstr(path, "NONE") != NULL) {
        call->error = "io.emsa.NotFound";
        return 0;
    }
    call->parts = calloc(1, sizeof *call->parts);
    assert_non_null(call->parts);
    call->part_count = 1;
    call->parts[0].plain = BYTES_INIT(VALUE_MAX);
    if (strstr(path, "LARGE") != NULL) {
        char *large = calloc(1, LARGE);
        assert_non_null(large);
        bytes_append(&call->parts[0].plain, large, LARGE);
        free(large);
    } else {
        bytes_append(&call->parts[0].plain, "value", 5);
    }
    return 0;
}

static void lent(void *arg, uint32_t id)
{
    const uint64_t one = 1;
    (void)arg;
    (void)id;
    assert_int_equal(write(answered, &one, sizeof one), sizeof one);
}

static struct lender *begin(int milliseconds)
{
    struct lender *lender;
    struct lender_options options = {.lent = lent, .milliseconds = milliseconds};
    answered = eventfd(0, EFD_SEMAPHORE);
    refused = eventfd(0, EFD_SEMAPHORE);
    assert_true(answered >= 0 && refused >= 0);
    assert_int_equal(lender_start(&lender, &options), 0);
    return lender;
}

static void end(struct lender *lender)
{
    lender_free(lender);
    close(answered);
    close(refused);
}

static void wait_for(int events, size_t count)
{
    uint64_t one;
    while (count-- > 0)
        assert_int_equal(read(events, &one, sizeof one), sizeof one);
}

/* Both ends of a connection, the asker's bound as systemd binds it. */
static int connected(const char *key, int *other)
{
    static unsigned number;
    struct sockaddr_un place = {.sun_family = AF_UNIX}, name = {.sun_family = AF_UNIX};
    int size = snprintf(place.sun_path + 1, 100, "emsa-lender-%d-%u", (int)getpid(), ++number) + 1;
    int named = snprintf(name.sun_path + 1, 100, "%x%x/unit/web@prod.service/%s",
                         (unsigned)getpid(), number, key) +
                1;
    socklen_t head = offsetof(struct sockaddr_un, sun_path);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0), ours = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&place, head + (socklen_t)size), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(bind(ours, (struct sockaddr *)&name, head + (socklen_t)named), 0);
    assert_int_equal(connect(ours, (struct sockaddr *)&place, head + (socklen_t)size), 0);
    *other = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    assert_true(*other >= 0);
    close(listener);
    (void)shutdown(ours, SHUT_WR);
    return ours;
}

/* How much comes until the end. */
static size_t read_all(int fd)
{
    static char buffer[65536];
    size_t size = 0;
    for (ssize_t count; (count = read(fd, buffer, sizeof buffer)) > 0;)
        size += (size_t)count;
    close(fd);
    return size;
}

static int theirs; /* the lender's end of the last one */

static int ask(struct lender *lender, const char *key, bool is_spoilt)
{
    int ours = connected(key, &theirs);
    assert_int_equal(lender_give(lender, 1, theirs, "", is_spoilt), 0);
    return ours;
}

static void gives(void **state)
{
    (void)state;
    struct lender *lender = begin(-1);
    assert_int_equal(read_all(ask(lender, "K", false)), 5);
    assert_int_equal(read_all(ask(lender, "LARGE", false)), LARGE);
    assert_int_equal(read_all(ask(lender, "NONE", false)), LENDER_SPOIL_SIZE);
    assert_true(LENDER_SPOIL_SIZE > SYSTEMD_MAX);
    assert_int_equal(read_all(ask(lender, "K", true)), LENDER_SPOIL_SIZE);
    wait_for(answered, 4);
    end(lender);
}

/* More than there may be values in memory, all at once, and none of them reads: each is spoilt when
 * its time is up, which the next one's turn comes by. */
static void nobody_reads(void **state)
{
    (void)state;
    struct lender *lender = begin(1);
    int askers[40];
    for (size_t i = 0; i < 40; i++)
        askers[i] = ask(lender, "LARGE", false);
    assert_int_equal(read_all(ask(lender, "K", false)), 5);
    for (size_t i = 0; i < 40; i++)
        assert_true(read_all(askers[i]) > SYSTEMD_MAX);
    wait_for(answered, 41);
    end(lender);
}

static void goes_away(void **state)
{
    (void)state;
    struct lender *lender = begin(-1);
    for (size_t i = 0; i < 40; i++)
        close(ask(lender, "LARGE", false));
    wait_for(answered, 40);
    assert_int_equal(read_all(ask(lender, "K", false)), 5);
    end(lender);
}

/* What is cut off by the end is never taken for a value. */
static void the_end(void **state)
{
    (void)state;
    struct lender *lender = begin(-1);
    int asker = ask(lender, "LARGE", false);
    char first;
    assert_int_equal(read(asker, &first, 1), 1); /* it is at it */
    pid_t reader = fork();
    if (reader == 0) { /* which goes on when it was told to be refused */
        close(theirs);
        wait_for(refused, 1);
        _exit(read_all(asker) > SYSTEMD_MAX ? 0 : 1);
    }
    close(asker);
    end(lender);
    int status;
    assert_int_equal(waitpid(reader, &status, 0), reader);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(gives), cmocka_unit_test(nobody_reads),
                                       cmocka_unit_test(goes_away), cmocka_unit_test(the_end)};
    return cmocka_run_group_tests_name("emsad lender", tests, NULL, NULL);
}
