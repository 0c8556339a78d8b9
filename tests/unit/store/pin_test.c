/* The head's pin: the file, and what it says of copies of the store. */
#include "tests/unit/store/model_support.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/pin.h"

static const char *folder(void)
{
    static const char *one;
    if (!one)
        one = trial_folder();
    return one;
}

static struct pin sample_pin(uint64_t rev)
{
    struct pin pin = {.rev = rev};
    memset(pin.store_id, 7, sizeof pin.store_id);
    memset(pin.hash, (int)rev, sizeof pin.hash);
    return pin;
}

static const struct secret *sample_key(void)
{
    static unsigned char bytes[PIN_KEY_SIZE] = "a key of thirty-two bytes, or so";
    static const struct secret key = {
        .data = bytes, .size = sizeof bytes, .capacity = sizeof bytes};
    return &key;
}

static int new_file(char path[static TRIAL_PATH_MAX], const char *name)
{
    trial_path(path, folder(), name);
    unlink(path);
    const int fd = pin_open(path);
    assert_true(fd > 0);
    return fd;
}

static void spoil(int fd, off_t at)
{
    unsigned char byte;
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 0x10;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
}

static void test_the_file(void **state)
{
    char path[TRIAL_PATH_MAX];
    struct pin pin, found;
    struct stat info;
    (void)state;
    const int fd = new_file(path, "a.pin");
    assert_int_equal(fstat(fd, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(pin_read(&found, NULL, fd), NOT_THERE);
    for (uint64_t rev = 41; rev < 45; rev++) {
        pin = sample_pin(rev);
        assert_int_equal(pin_write(fd, &pin, sample_key()), 0);
        assert_int_equal(pin_read(&found, NULL, fd), 0);
        assert_memory_equal(&found, &pin, sizeof pin);
    }
    /* Half of a write: the one before stands. */
    spoil(fd, 20);
    assert_int_equal(pin_read(&found, NULL, fd), 0);
    assert_int_equal(found.rev, 43);
    spoil(fd, 128 + 60);
    assert_int_equal(pin_read(&found, NULL, fd), ERR(ERR_CORRUPT));
    /* What is accepted replaces a greater one, too. */
    pin = sample_pin(3);
    assert_int_equal(pin_replace(fd, &pin, sample_key()), 0);
    spoil(fd, 0);
    assert_int_equal(pin_read(&found, NULL, fd), 0);
    assert_int_equal(found.rev, 3);
    close(fd);
}

static void test_no_file(void **state)
{
    char path[TRIAL_PATH_MAX];
    (void)state;
    trial_path(path, folder(), "folder.pin");
    assert_int_equal(mkdir(path, 0700), 0);
    assert_true(pin_open(path) < 0);
    trial_path(path, folder(), "fifo.pin");
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(pin_open(path), ERR(ERR_REFUSED));
    trial_path(path, folder(), "link.pin");
    assert_int_equal(symlink("/dev/null", path), 0);
    assert_true(pin_open(path) < 0);
}

/* --- a store and its copies --- */

static int open_pinned(struct store **out, const char *path, const char *pin, bool accepts)
{
    const struct store_options options = {
        .path = path, .lock_fd = -1, .pin_fd = pin_open(pin), .accepts_head = accepts};
    return store_open(out, &options);
}

static uint64_t pinned_rev(const char *path)
{
    struct pin pin;
    const int fd = pin_open(path);
    assert_int_equal(pin_read(&pin, NULL, fd), 0);
    close(fd);
    return pin.rev;
}

static void commit(const char *path, const char *pin, uint64_t value)
{
    struct store *store;
    struct change_result result = {0};
    assert_int_equal(open_pinned(&store, path, pin, false), 0);
    assert_int_equal(SAMPLE_COMMIT(store, &result, "a change", 0, {ADD, "prod/web", 0},
                                   {SET, "prod/web/A", value}),
                     0);
    assert_int_equal(pinned_rev(pin), result.rev);
    change_result_release(&result);
    store_close(store);
}

static void expect_refused(const char *path, const char *pin, const char *words)
{
    struct store *store;
    struct pin_report report;
    const uint64_t before = pinned_rev(pin);
    assert_int_equal(open_pinned(&store, path, pin, false), ERR(ERR_CORRUPT));
    assert_non_null(strstr(error_text(), words));
    assert_non_null(strstr(error_text(), "--accept-head"));
    assert_int_equal(pinned_rev(pin), before);
    /* Who asks for it gets it open, the pin as it was, and says yes. */
    assert_int_equal(open_pinned(&store, path, pin, true), 0);
    assert_int_equal(store_pinned(store, &report), 0);
    assert_int_equal(report.verdict, ERR(ERR_CORRUPT));
    assert_non_null(strstr(report.difference, words));
    assert_int_equal(pinned_rev(pin), before);
    assert_int_equal(store_pin_head(store), 0);
    store_close(store);
    assert_int_equal(open_pinned(&store, path, pin, false), 0);
    store_close(store);
}

static void test_copies(void **state)
{
    char path[TRIAL_PATH_MAX], old[TRIAL_PATH_MAX], pin[TRIAL_PATH_MAX];
    struct store *store;
    (void)state;
    trial_path(path, folder(), "pinned");
    trial_path(old, folder(), "old");
    trial_path(pin, folder(), "pinned.pin");
    sample_create(path);
    assert_int_equal(open_pinned(&store, path, pin, false), 0);
    struct change_result result = {0};
    assert_int_equal(SAMPLE_COMMIT(store, &result, "first", 0, {ADD, "prod", 0}), 0);
    change_result_release(&result);
    store_close(store);
    assert_int_equal(pinned_rev(pin), 2);
    commit(path, pin, 1);
    trial_copy_folder(old, path);
    commit(path, pin, 2);
    commit(path, pin, 3);
    assert_int_equal(pinned_rev(pin), 5);
    /* An older copy is one; what was committed to it since, as many commits as there were and one
     * more, is another history. */
    trial_copy_folder(path, old);
    expect_refused(path, pin, "an older head");
    commit(path, pin, 4);
    commit(path, pin, 5);
    commit(path, pin, 6);
    const uint64_t fork = pinned_rev(pin);
    assert_int_equal(fork, 6);
    trial_copy_folder(path, old);
    for (uint64_t value = 7; value < 11; value++) {
        char other[TRIAL_PATH_MAX];
        commit(path, trial_path(other, folder(), "other.pin"), value);
    }
    expect_refused(path, pin, "a second head");
    /* A pin that lags says nothing against what followed. */
    char lagging[TRIAL_PATH_MAX];
    trial_copy_folder(path, old);
    commit(path, trial_path(lagging, folder(), "lagging.pin"), 1);
    trial_path(pin, folder(), "elsewhere.pin");
    commit(path, pin, 2);
    assert_int_equal(open_pinned(&store, path, lagging, false), 0);
    store_close(store);
    assert_int_equal(pinned_rev(lagging), pinned_rev(pin));
    /* Another store in its place. */
    trial_remove(path);
    char identity[TRIAL_PATH_MAX];
    trial_remove(trial_path(identity, folder(), "pinned.identity"));
    sample_create(path);
    expect_refused(path, pin, "another store");
}

/* --- what an opening leaves --- */

#define LARGE 12 /* values of a MiB: more than is read at once */

static void set_large(const char *path, const char *pin)
{
    static char text[VALUE_MAX];
    struct store *store;
    struct change_result result = {0};
    sample_create(path);
    assert_int_equal(open_pinned(&store, path, pin, false), 0);
    memset(text, 'v', sizeof text - 1);
    for (unsigned i = 0; i < LARGE; i++) {
        char key[32];
        memcpy(text, "the value of ", 13);
        text[13] = (char)('A' + i);
        snprintf(key, sizeof key, "prod/web/%c", 'A' + (char)i);
        assert_int_equal(SAMPLE_COMMIT(store, &result, "large", 0, {ADD, "prod", 0},
                                       {ADD, "prod/web", 0}, {SET_TEXT, key, 0, text}),
                         0);
        change_result_release(&result);
    }
    store_close(store);
}

/* In the newest values, of which there is one copy. */
static void spoil_value(const char *path, const char *text)
{
    char file[TRIAL_PATH_MAX];
    static unsigned char data[64 << 20];
    const int fd = open(trial_path(file, path, "data.mdb"), O_RDWR | O_CLOEXEC);
    const ssize_t size = pread(fd, data, sizeof data, 0);
    const unsigned char *found = memmem(data, (size_t)size, text, strlen(text));
    assert_non_null(found);
    assert_int_equal(pwrite(fd, "!", 1, found - data + 400000), 1);
    close(fd);
}

static void count_alarm(void *arg, const char *text)
{
    assert_non_null(strstr(text, "does not match its hash"));
    (*(unsigned *)arg)++;
}

static void test_what_is_left(void **state)
{
    char path[TRIAL_PATH_MAX], pin[TRIAL_PATH_MAX];
    struct store *store;
    unsigned alarms = 0;
    atomic_bool stops = false;
    (void)state;
    trial_path(path, folder(), "large");
    trial_path(pin, folder(), "large.pin");
    set_large(path, pin);
    spoil_value(path, "the value of C");
    spoil_value(path, "the value of K");
    for (int i = 0; i < 2; i++) {
        struct store_options options = {.path = path,
                                        .lock_fd = -1,
                                        .pin_fd = pin_open(pin),
                                        .alarm = count_alarm,
                                        .alarm_arg = &alarms,
                                        .is_continued = i == 1};
        assert_int_equal(store_open(&store, &options), 0);
        assert_int_equal(alarms, 0);
        /* At once ended; and what was opened by its seal alone leaves nothing. */
        atomic_store(&stops, i == 0);
        assert_int_equal(store_read_on(store, &stops), 0);
        assert_int_equal(alarms, 0);
        atomic_store(&stops, false);
        if (i == 0)
            assert_int_equal(store_read_on(store, &stops), 0);
        assert_int_equal(alarms, i == 0 ? 2 : 0);
        alarms = 0;
        store_close(store);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_file),
        cmocka_unit_test(test_no_file),
        cmocka_unit_test(test_copies),
        cmocka_unit_test(test_what_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
