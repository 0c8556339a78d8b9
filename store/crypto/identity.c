/*
 * The file: lines that start with '#' are for people; then one line
 *     emsa-identity-1 SEED CHECK
 * without the second space: 64 hex digits of the seed, 8 of the first four bytes of
 * hash_parts("emsa-identity-1", one part: the seed), so that a slip of the hand is told from a
 * wrong key. From the seed: X25519 private key = derive(seed, "emsa-identity-x25519-1", ""),
 * Ed25519 seed = derive(seed, "emsa-identity-ed25519-1", "").
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/crypto/keyring.h"
#include "store/crypto/private.h"
#include "store/crypto/seal.h"
#include "store/error.h"

#define MAGIC "emsa-identity-"
#define VERSION_1 "emsa-identity-1 "
#define CHECK_SIZE 4
#define FILE_MAX 4096u

_Static_assert(SEED_SIZE == CRYPTO_KEY_SIZE, "a seed is a key to derive from");
_Static_assert(sizeof(((struct identity_secrets *)0)->ed25519) == crypto_sign_SECRETKEYBYTES, "");
_Static_assert(crypto_sign_SEEDBYTES == CRYPTO_KEY_SIZE, "");

static void check_of(uint8_t out[static CHECK_SIZE], const uint8_t seed[static SEED_SIZE])
{
    uint8_t hash[BLAKE_SIZE];
    struct hash_part part = {.data = seed, .size = SEED_SIZE};
    hash_parts(hash, "emsa-identity-1", &part, 1);
    memcpy(out, hash, CHECK_SIZE);
    wipe(hash, sizeof(hash));
}

static int identity_alloc(struct identity **out)
{
    int error = crypto_setup();
    if (error)
        return error;
    struct identity *identity = calloc(1, sizeof(*identity));
    if (!identity)
        return error_set(ERR_NOMEM, "cannot get memory for an identity");
    error = secret_alloc(&identity->memory, sizeof(struct identity_secrets));
    if (error) {
        free(identity);
        return error;
    }
    identity->memory.size = sizeof(struct identity_secrets);
    *out = identity;
    return 0;
}

/* Makes both pairs from the seed. */
static void fill(struct identity *identity)
{
    struct identity_secrets *secrets = identity_secrets(identity);
    uint8_t sign_seed[CRYPTO_KEY_SIZE];
    derive_key(secrets->x25519, secrets->seed, "emsa-identity-x25519-1", NULL, 0);
    public_of(identity->x25519, secrets->x25519);
    derive_key(sign_seed, secrets->seed, "emsa-identity-ed25519-1", NULL, 0);
    crypto_sign_seed_keypair(identity->ed25519, secrets->ed25519, sign_seed);
    wipe(sign_seed, sizeof(sign_seed));
}

int identity_new(struct identity **out)
{
    int error = identity_alloc(out);
    if (error)
        return error;
    random_bytes(identity_secrets(*out)->seed, SEED_SIZE);
    fill(*out);
    return 0;
}

void identity_free(struct identity *identity)
{
    if (!identity)
        return;
    secret_release(&identity->memory);
    free(identity);
}

void identity_keys(const struct identity *identity, uint8_t x25519[static 32],
                   uint8_t ed25519[static 32])
{
    memcpy(x25519, identity->x25519, 32);
    memcpy(ed25519, identity->ed25519, 32);
}

void identity_public(const struct identity *identity, char text[static IDENTITY_TEXT_MAX])
{
    memcpy(text, "emsa1", 5);
    sodium_bin2hex(text + 5, 65, identity->x25519, 32);
    sodium_bin2hex(text + 69, 65, identity->ed25519, 32);
}

static int write_text(const struct identity *identity, struct secret *out)
{
    char public_text[IDENTITY_TEXT_MAX];
    uint8_t check[CHECK_SIZE];
    const struct identity_secrets *secrets = identity_secrets(identity);
    int error = secret_alloc(out, 1024);
    if (error)
        return error;
    identity_public(identity, public_text);
    int length =
        snprintf((char *)out->data, out->capacity,
                 "# An identity of emsa: whoever has this file can read what it may open.\n"
                 "# Keep it apart from the store and from its backups.\n"
                 "# public: %s\n" VERSION_1,
                 public_text);
    char *at = (char *)out->data + length;
    check_of(check, secrets->seed);
    sodium_bin2hex(at, 2 * SEED_SIZE + 1, secrets->seed, SEED_SIZE);
    sodium_bin2hex(at + 2 * SEED_SIZE, 2 * CHECK_SIZE + 1, check, CHECK_SIZE);
    at += 2 * (SEED_SIZE + CHECK_SIZE);
    *at++ = '\n';
    out->size = (size_t)(at - (char *)out->data);
    return 0;
}

static int write_out(int fd, const struct secret *text)
{
    for (size_t at = 0; at < text->size;) {
        ssize_t done = write(fd, text->data + at, text->size - at);
        if (done < 0 && errno != EINTR)
            return errno;
        at += done > 0 ? (size_t)done : 0;
    }
    return fsync(fd) ? errno : 0;
}

static int sync_folder_of(const char *path)
{
    char copy[PATH_MAX];
    if (snprintf(copy, sizeof(copy), "%s", path) >= (int)sizeof(copy))
        return ENAMETOOLONG;
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    int failed = fsync(fd) ? errno : 0;
    close(fd);
    return failed;
}

int identity_write(const struct identity *identity, const char *path)
{
    SECRET_CLEANUP struct secret text = {0};
    int error = write_text(identity, &text);
    if (error)
        return error;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 && errno == EEXIST)
        return error_set(ERR_REFUSED, "identity '%s' exists, and is never overwritten", path);
    if (fd < 0)
        return error_system(errno, "cannot make identity '%s'", path);
    int failed = fchmod(fd, 0600) ? errno : write_out(fd, &text); /* whatever the umask was */
    if (close(fd) && !failed)
        failed = errno;
    if (!failed)
        failed = sync_folder_of(path);
    if (!failed)
        return 0;
    unlink(path);
    return error_system(failed, "cannot write identity '%s'", path);
}

/* The line that counts: the first that is neither empty nor a remark. Its length is *size; 0 if
 * none. */
static const char *find_line(const struct secret *text, size_t *size)
{
    const char *at = (const char *)text->data, *end = at + text->size;
    while (at < end) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        if (!line_end)
            line_end = end;
        size_t length = (size_t)(line_end - at);
        while (length > 0 && (at[length - 1] == '\r' || at[length - 1] == ' '))
            length--;
        if (length > 0 && at[0] != '#') {
            *size = length;
            return at;
        }
        at = line_end < end ? line_end + 1 : end;
    }
    *size = 0;
    return NULL;
}

static int parse_line(struct identity *identity, const char *line, size_t size, const char *path)
{
    struct identity_secrets *secrets = identity_secrets(identity);
    uint8_t check[CHECK_SIZE], expected[CHECK_SIZE];
    size_t magic = strlen(VERSION_1), got = 0, got_check = 0;
    if (size < magic || memcmp(line, VERSION_1, magic) != 0) {
        if (size > strlen(MAGIC) && memcmp(line, MAGIC, strlen(MAGIC)) == 0)
            return error_set(ERR_FORMAT,
                             "identity '%s' is of a form that this version does not know", path);
        return error_set(ERR_NO_KEY, "'%s' is no identity", path);
    }
    line += magic;
    size -= magic;
    if (size != 2 * (SEED_SIZE + CHECK_SIZE) ||
        sodium_hex2bin(secrets->seed, SEED_SIZE, line, 2 * SEED_SIZE, NULL, &got, NULL) ||
        sodium_hex2bin(check, CHECK_SIZE, line + 2 * SEED_SIZE, 2 * CHECK_SIZE, NULL, &got_check,
                       NULL) ||
        got != SEED_SIZE || got_check != CHECK_SIZE)
        return error_set(ERR_NO_KEY, "identity '%s' is damaged: its key has the wrong form", path);
    check_of(expected, secrets->seed);
    if (memcmp(check, expected, CHECK_SIZE) != 0)
        return error_set(ERR_NO_KEY, "identity '%s' is damaged: its key does not match its check",
                         path);
    return 0;
}

static int parse_text(struct identity **out, const struct secret *text, const char *path)
{
    size_t size;
    const char *line = find_line(text, &size);
    if (!line)
        return error_set(ERR_NO_KEY, "'%s' is no identity: it has no key in it", path);
    struct identity *identity;
    int error = identity_alloc(&identity);
    if (error)
        return error;
    error = parse_line(identity, line, size, path);
    if (error) {
        identity_free(identity);
        return error;
    }
    fill(identity);
    *out = identity;
    return 0;
}

int identity_read(struct identity **out, int fd, const char *path)
{
    SECRET_CLEANUP struct secret text = {0};
    /* The descriptor may have been read before: a server that is started anew gets the same one. */
    if (lseek(fd, 0, SEEK_SET) < 0 && errno != ESPIPE)
        return error_system(errno, "cannot read identity '%s'", path);
    int error = secret_read(&text, fd, FILE_MAX);
    if (error == -ERR_INVALID)
        return error_set(ERR_NO_KEY, "'%s' is no identity: it is too large", path);
    if (error == -ERR_IO)
        return error_set(ERR_IO, "cannot read identity '%s'", path);
    return error ? error : parse_text(out, &text, path);
}

int identity_open(int *out, const char *path)
{
    /* Whoever the folder belongs to could have put a pipe there, and have this wait for ever. */
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return error_system(errno, "cannot open identity '%s'", path);
    struct stat info;
    int error = 0;
    if (fstat(fd, &info))
        error = error_system(errno, "cannot look at identity '%s'", path);
    else if (!S_ISREG(info.st_mode))
        error = error_set(ERR_REFUSED, "identity '%s' is no file", path);
    else if (info.st_mode & 077)
        error = error_set(ERR_REFUSED,
                          "identity '%s' can be read by others: chmod 600 it, and think of who has "
                          "read it",
                          path);
    if (error)
        close(fd);
    else
        *out = fd;
    return error;
}

int identity_load(struct identity **out, const char *path)
{
    int fd;
    int error = identity_open(&fd, path);
    if (error)
        return error;
    error = identity_read(out, fd, path);
    close(fd);
    return error;
}
