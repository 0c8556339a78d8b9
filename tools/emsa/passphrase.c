#include "tools/emsa/passphrase.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/emsa/input.h"

#define CREDENTIAL_USUAL "emsa-identity-key"

/* Without what ends the line; more than one line is no passphrase that could be typed. */
static int first_line(struct secret *text)
{
    if (text->size > 0 && text->data[text->size - 1] == '\n')
        text->size--;
    if (text->size > 0 && text->data[text->size - 1] == '\r')
        text->size--;
    if (text->size > 0 && memchr(text->data, '\n', text->size) != NULL)
        return error_set(ERR_INVALID, "a passphrase is one line, and there are more");
    return 0;
}

int passphrase_read(struct secret *out, const char *path, const char *name, bool is_new)
{
    char question[160];
    if (path != NULL) {
        int error = read_whole(out, path, IDENTITY_PASSPHRASE_MAX + 2);
        return error == 0 ? first_line(out) : error;
    }
    snprintf(question, sizeof question, "%spassphrase for identity '%s'", is_new ? "new " : "",
             name);
    return input_ask(out, question, is_new ? "once more" : NULL,
                     "there is no terminal to ask for the passphrase: give it with "
                     "--passphrase-file FILE, or '-' for stdin");
}

int passphrase_key(struct secret *out, const char *path)
{
    struct stat status;
    if (strcmp(path, "-") != 0 && stat(path, &status) == 0 && S_ISREG(status.st_mode) &&
        (status.st_mode & 077) != 0)
        return error_set(ERR_REFUSED,
                         "key file '%s' can be read by others, and then locks nothing: chmod 600 "
                         "it, or make another one",
                         path);
    return read_whole(out, path, IDENTITY_KEY_MAX);
}

int passphrase_credential(char out[static PATH_MAX], const char *name)
{
    name = name[0] != '\0' ? name : CREDENTIAL_USUAL;
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    if (name[0] == '\0' || strchr(name, '/') != NULL || strcmp(name, "..") == 0)
        return error_set(ERR_INVALID, "'%s' is no name of a credential", name);
    int length = folder == NULL ? 0 : snprintf(out, PATH_MAX, "%s/%s", folder, name);
    if (length > 0 && length < PATH_MAX && access(out, F_OK) == 0)
        return 0;
    error_set(ERR_NOT_FOUND, "there is no credential '%s' here: systemd passes it to a unit", name);
    error_add(ERR_NOT_FOUND,
              "make it: head -c 32 /dev/urandom | systemd-creds encrypt --name=%s - "
              "/etc/credstore.encrypted/%s",
              name, name);
    return error_add(ERR_NOT_FOUND,
                     "run this with it: systemd-run --pty -p LoadCredentialEncrypted=%s emsa ...",
                     name);
}

/* Where the key file is, NULL: none was named. */
static const char *find_key(char credential[static PATH_MAX], const char *named)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    if (named != NULL)
        return named;
    named = getenv("EMSA_IDENTITY_KEY");
    if (named != NULL && named[0] != '\0')
        return named;
    if (folder == NULL ||
        snprintf(credential, PATH_MAX, "%s/" CREDENTIAL_USUAL, folder) >= PATH_MAX ||
        access(credential, F_OK) < 0)
        return NULL;
    return credential;
}

static int open_by_passphrase(struct identity **out, const struct identity_file *file,
                              const struct passphrase_ways *ways)
{
    SECRET_CLEANUP struct secret passphrase = {0};
    struct identity_opener opener = {.passphrase = &passphrase};
    int error =
        passphrase_read(&passphrase, ways->passphrase_path, identity_file_name(file), false);
    return error == 0 ? identity_file_open(out, file, &opener) : error;
}

int passphrase_open(struct identity **out, const struct identity_file *file,
                    const struct passphrase_ways *ways)
{
    SECRET_CLEANUP struct secret key = {0};
    struct identity_opener opener = {.key = &key};
    char credential[PATH_MAX];
    const char *path =
        identity_file_has(file, IDENTITY_PLAIN) || !identity_file_has(file, IDENTITY_KEY_FILE)
            ? NULL
            : find_key(credential, ways->key_path);
    int error = path != NULL ? passphrase_key(&key, path) : 0;
    if (error == 0)
        error = identity_file_open(out, file, &opener);
    const bool may_try = ways->passphrase_path != NULL || ways->ask;
    if (error != -ERR_NO_KEY || !may_try || !identity_file_has(file, IDENTITY_PASSPHRASE))
        return error;
    return open_by_passphrase(out, file, ways);
}

int passphrase_load(struct identity **out, const char *path, const struct passphrase_ways *ways)
{
    struct identity_file *file;
    int error = identity_file_load(&file, path);
    if (error < 0)
        return error;
    error = passphrase_open(out, file, ways);
    identity_file_free(file);
    return error;
}
