/* Files of identities: their slots, what opens them, and what was done to them. */
#include "tests/unit/store/crypto_support.h"

#include <sys/file.h>

#include "store/identity_file.h"
#include "store/secret.h"

/* Made by PyNaCl from store/FORMAT.md, with the seed 00 01 .. 1f. */
static const char known[] = "emsa-identity-2 alice\n"
                            "public "
                            "emsa1af312bb3e66f192eb5eb3a6b113485ab426388f8f9cb644005cc15f784d56d0e0"
                            "c451ec63c00278c91ecec21eaf40127262ca190d0167b1c28f698569985e998\n"
                            "passphrase 2 65536 000102030405060708090a0b0c0d0e0f "
                            "7a52748f441a66d2f83ac77d8207bd793ddcaa2b045925bfe459d1af43688f7d0713b9"
                            "e6db10820a55704819a1945491\n"
                            "key-file 101112131415161718191a1b1c1d1e1f "
                            "678b9e337a6886cb2cb349a42f530f81c099ac951cf59da881c047371908f55f2c29e9"
                            "b896687f3554db365c4a148d90\n"
                            "check 6eb52b31569ee0e3c9b6f6b1ac51fd6f "
                            "ed3d6af57c8cb0bb0debf972e05f32d6083ebd0b7a2915c77947ebc54c85c724\n";
static const char known_public[] =
    "emsa1af312bb3e66f192eb5eb3a6b113485ab426388f8f9cb644005cc15f784d56d0e"
    "0c451ec63c00278c91ecec21eaf40127262ca190d0167b1c28f698569985e998";

#define CHEAP ((struct identity_cost){IDENTITY_PASSES_FLOOR, IDENTITY_MEMORY_FLOOR})

struct folder {
    char path[64], file[96], beside[112];
};

static int make_folder(void **state)
{
    struct folder *folder = calloc(1, sizeof(*folder));
    snprintf(folder->path, sizeof(folder->path), "/tmp/emsa-test-XXXXXX");
    if (!mkdtemp(folder->path))
        return -1;
    snprintf(folder->file, sizeof(folder->file), "%s/identity", folder->path);
    snprintf(folder->beside, sizeof(folder->beside), "%s.new", folder->file);
    *state = folder;
    return 0;
}

static int remove_folder(void **state)
{
    struct folder *folder = *state;
    unlink(folder->file);
    unlink(folder->beside);
    rmdir(folder->path);
    free(folder);
    return 0;
}

static void write_file(const char *path, const char *text, size_t size)
{
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, text, size), size);
    close(fd);
}

static struct secret secret_of(const char *text)
{
    struct secret secret = {0};
    assert_int_equal(secret_copy(&secret, text, strlen(text)), 0);
    return secret;
}

static struct secret known_key(void)
{
    struct secret secret = {0};
    uint8_t bytes[32];
    for (uint8_t i = 0; i < 32; i++)
        bytes[i] = (uint8_t)(100 + i);
    assert_int_equal(secret_copy(&secret, bytes, sizeof(bytes)), 0);
    return secret;
}

/* Opens the file at path with what is given. */
static int open_with(const char *path, const struct secret *passphrase, const struct secret *key)
{
    struct identity_file *file = NULL;
    struct identity *identity = NULL;
    struct identity_opener opener = {.passphrase = passphrase, .key = key};
    char shown[IDENTITY_TEXT_MAX], text[IDENTITY_TEXT_MAX];
    int error = identity_file_load(&file, path);
    if (error)
        return error;
    error = identity_file_open(&identity, file, &opener);
    if (!error) {
        identity_file_public(file, shown);
        identity_public(identity, text);
        assert_string_equal(shown, text);
        assert_string_equal(identity_file_name(file), identity_name(identity));
    }
    identity_free(identity);
    identity_file_free(file);
    return error;
}

static void known_file_opens_either_way(void **state)
{
    struct folder *folder = *state;
    SECRET_CLEANUP struct secret passphrase = secret_of("correct horse");
    SECRET_CLEANUP struct secret wrong = secret_of("correct hors ");
    SECRET_CLEANUP struct secret key = known_key();
    struct identity_file *file = NULL;
    struct identity *identity = NULL;
    char text[IDENTITY_TEXT_MAX];
    write_file(folder->file, known, strlen(known));
    assert_int_equal(identity_file_load(&file, folder->file), 0);
    identity_file_public(file, text);
    assert_string_equal(text, known_public);
    assert_string_equal(identity_file_name(file), "alice");
    assert_int_equal(identity_file_slot_count(file), 2);
    assert_int_equal(identity_file_slot(file, 0).kind, IDENTITY_PASSPHRASE);
    assert_int_equal(identity_file_slot(file, 0).cost.memory, 65536);
    assert_false(identity_file_has(file, IDENTITY_PLAIN));
    identity_file_free(file);
    assert_int_equal(open_with(folder->file, &passphrase, NULL), 0);
    assert_int_equal(open_with(folder->file, NULL, &key), 0);
    assert_int_equal(open_with(folder->file, &wrong, &key), 0);
    assert_int_equal(open_with(folder->file, &wrong, NULL), ERR(ERR_NO_KEY));
    assert_non_null(strstr(error_text(), "passphrase is wrong"));
    assert_int_equal(open_with(folder->file, NULL, &passphrase), ERR(ERR_NO_KEY));
    assert_non_null(strstr(error_text(), "another one's"));
    assert_int_equal(identity_load(&identity, folder->file), ERR(ERR_NO_KEY));
    assert_non_null(strstr(error_text(), "is locked"));
}

/* Every bit of every byte: it does not open as if nothing was, and nobody who is told is told of a
 * wrong passphrase. */
static void every_bit_is_told_as_damage(void **state)
{
    struct folder *folder = *state;
    char damaged[sizeof(known)];
    struct identity_file *file = NULL;
    for (size_t i = 0; i < strlen(known); i++)
        for (int bit = 0; bit < 8; bit++) {
            memcpy(damaged, known, sizeof(known));
            damaged[i] = (char)(damaged[i] ^ (1 << bit));
            write_file(folder->file, damaged, strlen(known));
            int error = identity_file_load(&file, folder->file);
            if (error == 0) { /* the last bytes bind it to the seed, without which none can tell */
                SECRET_CLEANUP struct secret key = known_key();
                struct identity *identity = NULL;
                struct identity_opener opener = {.key = &key};
                error = identity_file_open(&identity, file, &opener);
                identity_file_free(file);
            }
            if (i < strlen("emsa-identity-2 "))
                assert_true(error == ERR(ERR_NO_KEY) || error == ERR(ERR_FORMAT));
            else
                assert_int_equal(error, ERR(ERR_CORRUPT));
        }
    for (size_t size = 0; size < strlen(known) - 1; size++) {
        write_file(folder->file, known, size);
        assert_true(identity_file_load(&file, folder->file) < 0);
    }
}

static void costs_have_a_floor_and_a_ceiling(void **state)
{
    struct folder *folder = *state;
    static const struct identity_cost costs[] = {
        {1, 65536}, {2, 65535}, {17, 65536}, {2, 1048577}, {0, 0}, {UINT32_MAX, UINT32_MAX}};
    static const char *const files[] = {
        "emsa-identity-2 alice\n"
        "public "
        "emsa1af312bb3e66f192eb5eb3a6b113485ab426388f8f9cb644005cc15f784d56d0e0c451ec63c00278c91ece"
        "c21eaf40127262ca190d0167b1c28f698569985e998\n"
        "passphrase 1 65536 000102030405060708090a0b0c0d0e0f "
        "7a52748f441a66d2f83ac77d8207bd793ddcaa2b045925bfe459d1af43688f7d0713b9e6db10820a55704819a1"
        "945491\n"
        "key-file 101112131415161718191a1b1c1d1e1f "
        "678b9e337a6886cb2cb349a42f530f81c099ac951cf59da881c047371908f55f2c29e9b896687f3554db365c4a"
        "148d90\n"
        "check 60f0b173ea8f95370acaebc0f4c696ac "
        "ed3d6af57c8cb0bb0debf972e05f32d6083ebd0b7a2915c77947ebc54c85c724\n",
        "emsa-identity-2 alice\n"
        "public "
        "emsa1af312bb3e66f192eb5eb3a6b113485ab426388f8f9cb644005cc15f784d56d0e0c451ec63c00278c91ece"
        "c21eaf40127262ca190d0167b1c28f698569985e998\n"
        "passphrase 2 65535 000102030405060708090a0b0c0d0e0f "
        "7a52748f441a66d2f83ac77d8207bd793ddcaa2b045925bfe459d1af43688f7d0713b9e6db10820a55704819a1"
        "945491\n"
        "key-file 101112131415161718191a1b1c1d1e1f "
        "678b9e337a6886cb2cb349a42f530f81c099ac951cf59da881c047371908f55f2c29e9b896687f3554db365c4a"
        "148d90\n"
        "check ba838a4521f48ef0e01651512896a143 "
        "ed3d6af57c8cb0bb0debf972e05f32d6083ebd0b7a2915c77947ebc54c85c724\n",
        "emsa-identity-2 alice\n"
        "public "
        "emsa1af312bb3e66f192eb5eb3a6b113485ab426388f8f9cb644005cc15f784d56d0e0c451ec63c00278c91ece"
        "c21eaf40127262ca190d0167b1c28f698569985e998\n"
        "passphrase 17 65536 000102030405060708090a0b0c0d0e0f "
        "7a52748f441a66d2f83ac77d8207bd793ddcaa2b045925bfe459d1af43688f7d0713b9e6db10820a55704819a1"
        "945491\n"
        "key-file 101112131415161718191a1b1c1d1e1f "
        "678b9e337a6886cb2cb349a42f530f81c099ac951cf59da881c047371908f55f2c29e9b896687f3554db365c4a"
        "148d90\n"
        "check de2a192d33d6ae16e4173c6244905803 "
        "ed3d6af57c8cb0bb0debf972e05f32d6083ebd0b7a2915c77947ebc54c85c724\n",
        "emsa-identity-2 alice\n"
        "public "
        "emsa1af312bb3e66f192eb5eb3a6b113485ab426388f8f9cb644005cc15f784d56d0e0c451ec63c00278c91ece"
        "c21eaf40127262ca190d0167b1c28f698569985e998\n"
        "passphrase 2 1048577 000102030405060708090a0b0c0d0e0f "
        "7a52748f441a66d2f83ac77d8207bd793ddcaa2b045925bfe459d1af43688f7d0713b9e6db10820a55704819a1"
        "945491\n"
        "key-file 101112131415161718191a1b1c1d1e1f "
        "678b9e337a6886cb2cb349a42f530f81c099ac951cf59da881c047371908f55f2c29e9b896687f3554db365c4a"
        "148d90\n"
        "check f333e5f6009b4f0423e5d1f2e5c0f1f0 "
        "ed3d6af57c8cb0bb0debf972e05f32d6083ebd0b7a2915c77947ebc54c85c724\n",
        "emsa-identity-2 alice\n"
        "public "
        "emsa1af312bb3e66f192eb5eb3a6b113485ab426388f8f9cb644005cc15f784d56d0e0c451ec63c00278c91ece"
        "c21eaf40127262ca190d0167b1c28f698569985e998\n"
        "passphrase 0 0 000102030405060708090a0b0c0d0e0f "
        "7a52748f441a66d2f83ac77d8207bd793ddcaa2b045925bfe459d1af43688f7d0713b9e6db10820a55704819a1"
        "945491\n"
        "key-file 101112131415161718191a1b1c1d1e1f "
        "678b9e337a6886cb2cb349a42f530f81c099ac951cf59da881c047371908f55f2c29e9b896687f3554db365c4a"
        "148d90\n"
        "check 799a080d03cb1f7cf7c1d39be3a633de "
        "ed3d6af57c8cb0bb0debf972e05f32d6083ebd0b7a2915c77947ebc54c85c724\n",
        "emsa-identity-2 alice\n"
        "public "
        "emsa1af312bb3e66f192eb5eb3a6b113485ab426388f8f9cb644005cc15f784d56d0e0c451ec63c00278c91ece"
        "c21eaf40127262ca190d0167b1c28f698569985e998\n"
        "passphrase 4294967295 4294967295 000102030405060708090a0b0c0d0e0f "
        "7a52748f441a66d2f83ac77d8207bd793ddcaa2b045925bfe459d1af43688f7d0713b9e6db10820a55704819a1"
        "945491\n"
        "key-file 101112131415161718191a1b1c1d1e1f "
        "678b9e337a6886cb2cb349a42f530f81c099ac951cf59da881c047371908f55f2c29e9b896687f3554db365c4a"
        "148d90\n"
        "check c25ce923602d89ad5b817d22775f9f4f "
        "ed3d6af57c8cb0bb0debf972e05f32d6083ebd0b7a2915c77947ebc54c85c724\n"};
    SECRET_CLEANUP struct secret passphrase = secret_of("correct horse");
    struct identity *identity;
    struct identity_file *file;
    assert_int_equal(identity_new(&identity), 0);
    assert_int_equal(identity_file_new(&file, identity), 0);
    for (size_t i = 0; i < sizeof(costs) / sizeof(costs[0]); i++)
        assert_int_equal(
            identity_file_add(file, identity, IDENTITY_PASSPHRASE, &passphrase, costs[i]),
            ERR(ERR_INVALID));
    assert_int_equal(identity_file_slot_count(file), 0);
    identity_file_free(file);
    identity_free(identity);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        write_file(folder->file, files[i], strlen(files[i]));
        assert_int_equal(open_with(folder->file, &passphrase, NULL), ERR(ERR_REFUSED));
        assert_non_null(strstr(error_text(), "passes over"));
    }
}

/* Each of a valid check, as somebody can make who has no key: told when it is opened. */
static void what_was_changed_without_the_key_is_refused(void **state)
{
    struct folder *folder = *state;
    static const char *const files[] = {
        "emsa-identity-2 mallory\n"
        "public "
        "emsa1af312bb3e66f192eb5eb3a6b113485ab426388f8f9cb644005cc15f784d56d0e0c451ec63c00278c91ece"
        "c21eaf40127262ca190d0167b1c28f698569985e998\n"
        "passphrase 2 65536 000102030405060708090a0b0c0d0e0f "
        "7a52748f441a66d2f83ac77d8207bd793ddcaa2b045925bfe459d1af43688f7d0713b9e6db10820a55704819a1"
        "945491\n"
        "key-file 101112131415161718191a1b1c1d1e1f "
        "678b9e337a6886cb2cb349a42f530f81c099ac951cf59da881c047371908f55f2c29e9b896687f3554db365c4a"
        "148d90\n"
        "check 4d9a2d9acc918f169002662851831031 "
        "ed3d6af57c8cb0bb0debf972e05f32d6083ebd0b7a2915c77947ebc54c85c724\n",
        "emsa-identity-2 alice\n"
        "public "
        "emsa1128fa4484c131b9e8b0f7e6a1e13789ef22e8b8afc8aeac440795ef38cf559329036877889561e6d32ad9"
        "3ee5128afbbf2b9a1ba61705d12ac550443fc7bbdfe\n"
        "passphrase 2 65536 000102030405060708090a0b0c0d0e0f "
        "7a52748f441a66d2f83ac77d8207bd793ddcaa2b045925bfe459d1af43688f7d0713b9e6db10820a55704819a1"
        "945491\n"
        "key-file 101112131415161718191a1b1c1d1e1f "
        "678b9e337a6886cb2cb349a42f530f81c099ac951cf59da881c047371908f55f2c29e9b896687f3554db365c4a"
        "148d90\n"
        "check f076152d2a81eef3dbeda8b3ecc84473 "
        "ed3d6af57c8cb0bb0debf972e05f32d6083ebd0b7a2915c77947ebc54c85c724\n",
        "emsa-identity-2 alice\n"
        "public "
        "emsa1af312bb3e66f192eb5eb3a6b113485ab426388f8f9cb644005cc15f784d56d0e0c451ec63c00278c91ece"
        "c21eaf40127262ca190d0167b1c28f698569985e998\n"
        "key-file 101112131415161718191a1b1c1d1e1f "
        "678b9e337a6886cb2cb349a42f530f81c099ac951cf59da881c047371908f55f2c29e9b896687f3554db365c4a"
        "148d90\n"
        "check 7d27a2ae57d962d3f40a5df6c14405c2 "
        "ed3d6af57c8cb0bb0debf972e05f32d6083ebd0b7a2915c77947ebc54c85c724\n",
        "emsa-identity-2 alice\n"
        "public "
        "emsa1af312bb3e66f192eb5eb3a6b113485ab426388f8f9cb644005cc15f784d56d0e0c451ec63c00278c91ece"
        "c21eaf40127262ca190d0167b1c28f698569985e998\n"
        "passphrase 3 65536 000102030405060708090a0b0c0d0e0f "
        "7a52748f441a66d2f83ac77d8207bd793ddcaa2b045925bfe459d1af43688f7d0713b9e6db10820a55704819a1"
        "945491\n"
        "key-file 101112131415161718191a1b1c1d1e1f "
        "678b9e337a6886cb2cb349a42f530f81c099ac951cf59da881c047371908f55f2c29e9b896687f3554db365c4a"
        "148d90\n"
        "check 9b0f4edb64c3eccbc06ffe9ba4e72295 "
        "ed3d6af57c8cb0bb0debf972e05f32d6083ebd0b7a2915c77947ebc54c85c724\n",
        "emsa-identity-2 alice\n"
        "public "
        "emsa1af312bb3e66f192eb5eb3a6b113485ab426388f8f9cb644005cc15f784d56d0e0c451ec63c00278c91ece"
        "c21eaf40127262ca190d0167b1c28f698569985e998\n"
        "plain 0000000000000000000000000000000000000000000000000000000000000000\n"
        "passphrase 2 65536 000102030405060708090a0b0c0d0e0f "
        "7a52748f441a66d2f83ac77d8207bd793ddcaa2b045925bfe459d1af43688f7d0713b9e6db10820a55704819a1"
        "945491\n"
        "key-file 101112131415161718191a1b1c1d1e1f "
        "678b9e337a6886cb2cb349a42f530f81c099ac951cf59da881c047371908f55f2c29e9b896687f3554db365c4a"
        "148d90\n"
        "check 50a108e554e3a6a4a9756dac0a0694b7 "
        "ed3d6af57c8cb0bb0debf972e05f32d6083ebd0b7a2915c77947ebc54c85c724\n",
        "emsa-identity-2 alice\n"
        "public "
        "emsa1af312bb3e66f192eb5eb3a6b113485ab426388f8f9cb644005cc15f784d56d0e0c451ec63c00278c91ece"
        "c21eaf40127262ca190d0167b1c28f698569985e998\n"
        "key-file 101112131415161718191a1b1c1d1e1f "
        "678b9e337a6886cb2cb349a42f530f81c099ac951cf59da881c047371908f55f2c29e9b896687f3554db365c4a"
        "148d90\n"
        "passphrase 2 65536 000102030405060708090a0b0c0d0e0f "
        "7a52748f441a66d2f83ac77d8207bd793ddcaa2b045925bfe459d1af43688f7d0713b9e6db10820a55704819a1"
        "945491\n"
        "check 18d8187c0b678856a217294888fd5907 "
        "ed3d6af57c8cb0bb0debf972e05f32d6083ebd0b7a2915c77947ebc54c85c724\n"};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        SECRET_CLEANUP struct secret key = known_key();
        write_file(folder->file, files[i], strlen(files[i]));
        int error = open_with(folder->file, NULL, &key);
        assert_true(error == ERR(ERR_CORRUPT) || error == ERR(ERR_NO_KEY));
    }
}

static void make(const char *path, enum identity_slot_kind kind, const struct secret *key)
{
    struct identity *identity;
    struct identity_file *file;
    assert_int_equal(identity_new_named(&identity, "bob"), 0);
    assert_int_equal(identity_file_new(&file, identity), 0);
    assert_int_equal(identity_file_add(file, identity, kind, key, CHEAP), 0);
    assert_int_equal(identity_file_create(file, identity, path), 0);
    assert_int_equal(identity_file_create(file, identity, path), ERR(ERR_REFUSED));
    identity_file_free(file);
    identity_free(identity);
}

static void slots_come_and_go(void **state)
{
    struct folder *folder = *state;
    SECRET_CLEANUP struct secret passphrase = secret_of("correct horse");
    SECRET_CLEANUP struct secret key = known_key();
    SECRET_CLEANUP struct secret brief = secret_of("seven77");
    struct identity_opener opener = {.passphrase = &passphrase};
    struct identity *identity;
    struct identity_file *file, *other;
    struct stat info;
    make(folder->file, IDENTITY_PASSPHRASE, &passphrase);
    write_file(folder->beside, "left by one that was killed", 10);
    assert_int_equal(identity_file_edit(&file, folder->file), 0);
    assert_int_equal(identity_file_edit(&other, folder->file), ERR(ERR_BUSY));
    assert_int_equal(identity_file_open(&identity, file, &opener), 0);
    assert_int_equal(identity_file_remove(file, 0), ERR(ERR_REFUSED)); /* the only one */
    assert_int_equal(identity_file_add(file, identity, IDENTITY_PASSPHRASE, &brief, CHEAP),
                     ERR(ERR_INVALID));
    assert_int_equal(identity_file_add(file, identity, IDENTITY_KEY_FILE, &brief, CHEAP),
                     ERR(ERR_INVALID));
    assert_int_equal(identity_file_add(file, identity, IDENTITY_KEY_FILE, &key, CHEAP), 0);
    assert_int_equal(identity_file_remove(file, 0), 0);
    assert_int_equal(open_with(folder->file, NULL, &key), ERR(ERR_NO_KEY)); /* not written yet */
    assert_int_equal(identity_file_replace(file, identity), 0);
    identity_file_free(file);
    identity_free(identity);
    assert_int_equal(open_with(folder->file, NULL, &key), 0);
    assert_int_equal(open_with(folder->file, &passphrase, NULL), ERR(ERR_NO_KEY));
    assert_int_equal(access(folder->beside, F_OK), -1);
    assert_int_equal(stat(folder->file, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
}

static void there_are_only_so_many(void **state)
{
    (void)state;
    SECRET_CLEANUP struct secret key = known_key();
    struct identity *identity;
    struct identity_file *file;
    assert_int_equal(identity_new(&identity), 0);
    assert_int_equal(identity_file_new(&file, identity), 0);
    assert_int_equal(identity_file_add(file, identity, IDENTITY_PLAIN, NULL, CHEAP), 0);
    assert_int_equal(identity_file_add(file, identity, IDENTITY_PLAIN, NULL, CHEAP),
                     ERR(ERR_REFUSED));
    for (int i = 1; i < IDENTITY_SLOTS_MAX; i++)
        assert_int_equal(identity_file_add(file, identity, IDENTITY_KEY_FILE, &key, CHEAP), 0);
    assert_int_equal(identity_file_add(file, identity, IDENTITY_KEY_FILE, &key, CHEAP),
                     ERR(ERR_REFUSED));
    identity_file_free(file);
    identity_free(identity);
}

static void names_are_a_users(void **state)
{
    (void)state;
    struct identity *identity = NULL;
    static const char *const bad[] = {"", "-a", "12", "a b", "a/b", "a\nb"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(identity_new_named(&identity, bad[i]), ERR(ERR_INVALID));
    assert_null(identity);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(known_file_opens_either_way),
        WITH(every_bit_is_told_as_damage),
        WITH(costs_have_a_floor_and_a_ceiling),
        WITH(what_was_changed_without_the_key_is_refused),
        WITH(slots_come_and_go),
        cmocka_unit_test(there_are_only_so_many),
        cmocka_unit_test(names_are_a_users),
    };
    return cmocka_run_group_tests(tests, start_secrets, end_secrets);
}
