/* Identities: the file, its rights, and what is no identity. */
#include "tests/unit/store/crypto_support.h"

#include <dirent.h>

struct folder {
    char path[64], file[96];
};

static int make_folder(void **state)
{
    struct folder *folder = calloc(1, sizeof(*folder));
    snprintf(folder->path, sizeof(folder->path), "/tmp/emsa-test-XXXXXX");
    if (!mkdtemp(folder->path))
        return -1;
    snprintf(folder->file, sizeof(folder->file), "%s/identity", folder->path);
    *state = folder;
    return 0;
}

static int remove_folder(void **state)
{
    struct folder *folder = *state;
    unlink(folder->file);
    rmdir(folder->path);
    free(folder);
    return 0;
}

static void write_file(const char *path, const char *text)
{
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static int load(const char *path)
{
    struct identity *identity = NULL;
    int error = identity_load(&identity, path);
    identity_free(identity);
    return error;
}

static void written_is_read(void **state)
{
    struct folder *folder = *state;
    struct identity *made = NULL, *read = NULL;
    char a[IDENTITY_TEXT_MAX], b[IDENTITY_TEXT_MAX];
    struct stat info;
    assert_int_equal(identity_new(&made), 0);
    mode_t mask = umask(0);
    assert_int_equal(identity_write(made, folder->file), 0);
    umask(mask);
    assert_int_equal(stat(folder->file, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(identity_load(&read, folder->file), 0);
    identity_public(made, a);
    identity_public(read, b);
    assert_string_equal(a, b);
    assert_int_equal(strlen(a), 5 + 128);
    assert_int_equal(strncmp(a, "emsa1", 5), 0);
    assert_int_equal(identity_write(read, folder->file), ERR(ERR_REFUSED)); /* never overwritten */
    identity_free(read);
    identity_free(made);
}

static void a_descriptor_is_read_from_its_start_each_time(void **state)
{
    struct folder *folder = *state;
    struct identity *identity = NULL;
    assert_int_equal(identity_new(&identity), 0);
    assert_int_equal(identity_write(identity, folder->file), 0);
    identity_free(identity);
    int fd = open(folder->file, O_RDONLY | O_CLOEXEC);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(identity_read(&identity, fd, folder->file), 0);
        identity_free(identity);
    }
    close(fd);
}

/* A seed known here: both pairs as an independent implementation (hashlib, PyNaCl) derives them. */
static void known_seed_gives_known_keys(void **state)
{
    struct folder *folder = *state;
    struct identity *identity = NULL;
    char text[IDENTITY_TEXT_MAX];
    write_file(folder->file,
               "# a remark\r\n\n"
               "emsa-identity-2 alice\n"
               "public "
               "emsa1af312bb3e66f192eb5eb3a6b113485ab426388f8f9cb644005cc15f784d56d0e0c451ec63c0027"
               "8c91ecec21eaf40127262ca190d0167b1c28f698569985e998 \r\n"
               "plain 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
               "check 4fdd5e35af1c6ef6830b3b06e3980b60 "
               "2c9da329c26af429233993dab613b8dbffae8104ff2512884526d8bbee5ed4b1 \r\n");
    assert_int_equal(identity_load(&identity, folder->file), 0);
    identity_public(identity, text);
    assert_string_equal(text, "emsa1"
                              "af312bb3e66f192eb5eb3a6b113485ab426388f8f9cb644005cc15f784d56d0e"
                              "0c451ec63c00278c91ecec21eaf40127262ca190d0167b1c28f698569985e998");
    assert_string_equal(identity_name(identity), "alice");
    identity_free(identity);
}

static void what_is_none_is_refused(void **state)
{
    struct folder *folder = *state;
    static const struct {
        const char *text;
        enum error_code code;
    } rows[] = {
        {"", ERR_NO_KEY},
        {"# only a remark", ERR_NO_KEY},
        {"something else\n", ERR_NO_KEY},
        {"emsa-identity-1 00", ERR_FORMAT},
        {"emsa-identity-3 alice\n", ERR_FORMAT},
        {"emsa-identity-2 alice\n", ERR_CORRUPT},
        {"emsa-identity-2 alice\ncheck 00 00\n", ERR_CORRUPT},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        write_file(folder->file, rows[i].text);
        assert_int_equal(load(folder->file), ERR(rows[i].code));
    }
    char large[5001];
    memset(large, '#', sizeof(large) - 1);
    large[sizeof(large) - 1] = '\0';
    write_file(folder->file, large);
    assert_int_equal(load(folder->file), ERR(ERR_NO_KEY));
}

static void open_files_are_refused(void **state)
{
    struct folder *folder = *state;
    struct identity *identity = NULL;
    assert_int_equal(load(folder->file), ERR(ERR_NOT_FOUND));
    assert_int_equal(identity_new(&identity), 0);
    assert_int_equal(identity_write(identity, "/nonexistent/identity"), ERR(ERR_NOT_FOUND));
    assert_int_equal(identity_write(identity, folder->file), 0);
    identity_free(identity);
    assert_int_equal(chmod(folder->file, 0640), 0);
    assert_int_equal(load(folder->file), ERR(ERR_REFUSED));
    assert_non_null(strstr(error_text(), "chmod 600"));
    assert_int_equal(chmod(folder->file, 0400), 0);
    assert_int_equal(load(folder->file), 0);
}

/* A pipe that nobody writes to is not waited for. */
static void what_is_no_file_is_refused(void **state)
{
    struct folder *folder = *state;
    assert_int_equal(mkfifo(folder->file, 0600), 0);
    assert_int_equal(load(folder->file), ERR(ERR_REFUSED));
    assert_int_equal(unlink(folder->file), 0);
    assert_int_equal(load("/dev/null"), ERR(ERR_REFUSED));
    assert_int_equal(load("/"), ERR(ERR_REFUSED));
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(written_is_read),
        WITH(a_descriptor_is_read_from_its_start_each_time),
        WITH(known_seed_gives_known_keys),
        WITH(what_is_none_is_refused),
        WITH(open_files_are_refused),
        WITH(what_is_no_file_is_refused),
    };
    return cmocka_run_group_tests(tests, start_secrets, end_secrets);
}
