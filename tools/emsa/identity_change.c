/* identity passphrase: what opens an identity, changed. The old file stands until the new one is
 * durable. */
#include <stdio.h>

#include "store/error.h"
#include "tools/emsa/command.h"
#include "tools/emsa/identity.h"
#include "tools/emsa/output.h"
#include "tools/emsa/passphrase.h"

static int add(struct identity_file *file, const struct identity *identity,
               enum identity_slot_kind kind, const struct options *options)
{
    SECRET_CLEANUP struct secret key = {0};
    int error = kind == IDENTITY_KEY_FILE
                    ? passphrase_key(&key, options->add_key_file)
                    : passphrase_read(&key, options->new_passphrase, identity_name(identity), true);
    return error < 0 ? error : identity_file_add(file, identity, kind, &key, IDENTITY_COST_USUAL);
}

/* Those of a kind among the first count. */
static int remove_kind(struct identity_file *file, enum identity_slot_kind kind, size_t count)
{
    int error = 0;
    for (size_t i = count; i > 0 && error == 0; i--)
        if (identity_file_slot(file, i - 1).kind == kind)
            error = identity_file_remove(file, i - 1);
    return error;
}

/* Whoever locks an identity wants it locked: a way in that takes nothing goes, and a passphrase
 * takes the place of the one before. */
static int change(struct identity_file *file, const struct identity *identity,
                  const struct options *options)
{
    const size_t before = identity_file_slot_count(file);
    if (options->rm_slot > before)
        return error_set(ERR_NOT_FOUND, "there is no slot %llu: 'emsa identity show' lists them",
                         (unsigned long long)options->rm_slot);
    if (options->rm_slot > 0)
        return identity_file_remove(file, (size_t)options->rm_slot - 1);
    const enum identity_slot_kind kind =
        options->add_key_file != NULL ? IDENTITY_KEY_FILE : IDENTITY_PASSPHRASE;
    int error = add(file, identity, kind, options);
    if (error == 0 && kind == IDENTITY_PASSPHRASE)
        error = remove_kind(file, IDENTITY_PASSPHRASE, before);
    if (error == 0)
        error = remove_kind(file, IDENTITY_PLAIN, identity_file_slot_count(file));
    return error;
}

static int check_options(const struct options *options)
{
    const int wishes = (options->rm_slot > 0) + (options->add_key_file != NULL) +
                       (options->new_passphrase != NULL);
    return wishes <= 1 ? 0
                       : error_set(ERR_INVALID, "one change at a time: --new-passphrase-file, "
                                                "--add-key-file or --rm-slot");
}

int run_identity_passphrase(struct session *session)
{
    const struct options *options = &session->options;
    const struct passphrase_ways ways = {
        .key_path = options->key_file, .passphrase_path = options->passphrase_file, .ask = true};
    struct identity_file *file = NULL;
    struct identity *identity = NULL;
    const char *path = identity_path(session);
    int error = check_options(options);
    if (error == 0)
        error = identity_file_edit(&file, path);
    if (error == 0)
        error = passphrase_open(&identity, file, &ways);
    if (error == 0)
        error = change(file, identity, options);
    if (error == 0)
        error = identity_file_replace(file, identity);
    identity_file_free(file);
    identity_free(identity);
    if (error < 0)
        return error;
    if (!session->options.json)
        output_note("copies of '%s' that were made before open as they did: change them, too",
                    path);
    return run_identity_show(session);
}
