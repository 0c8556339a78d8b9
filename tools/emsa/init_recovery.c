#include "tools/emsa/init_recovery.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/error.h"
#include "store/grant.h"
#include "store/identity_file.h"
#include "tools/common/descriptor.h"
#include "tools/emsa/output.h"

static int check_options(const struct options *options)
{
    const bool is_made = options->recovery != NULL || options->recovery_shares != NULL;
    if (options->no_recovery && (is_made || options->recovery_public != NULL))
        return error_set(ERR_INVALID, "--no-recovery makes none: without the other options of it");
    if (options->recovery_public != NULL && is_made)
        return error_set(ERR_INVALID, "with --recovery-public it is made already: without "
                                      "--recovery and --recovery-shares");
    if (options->json && options->recovery != NULL && strcmp(options->recovery, "-") == 0)
        return error_set(ERR_INVALID, "--recovery - prints what nobody else may see: without "
                                      "--json");
    return 0;
}

static int take_public(struct recovery *out, const char *text)
{
    unsigned char keys[2][32];
    const size_t size = strlen(text);
    const int error = identity_public_parse(keys[0], keys[1], text, size);
    if (error < 0)
        return error;
    out->kind = RECOVERY_PUBLIC;
    memcpy(out->public_text, text, size + 1);
    return 0;
}

/* One that is there already, of an earlier store or a run that failed; not one that somebody else
 * put there, who could open this store with it. */
static int take_file(struct recovery *out)
{
    int fd DESCRIPTOR_CLEANUP = -1;
    struct stat status;
    struct identity_file *file;
    int error = identity_open(&fd, out->path);
    if (error < 0)
        return error;
    if (fstat(fd, &status) < 0 || (status.st_uid != geteuid() && status.st_uid != 0))
        return error_set(ERR_REFUSED,
                         "'%s' is there already, and is somebody else's: take it away, or name "
                         "another file (--recovery FILE)",
                         out->path);
    error = identity_file_read(&file, fd, out->path);
    if (error < 0)
        return error;
    out->kind = RECOVERY_FOUND;
    identity_file_public(file, out->public_text);
    identity_file_free(file);
    return 0;
}

static int print(const struct identity *identity)
{
    SECRET_CLEANUP struct secret text = {0};
    const int error = identity_text_plain(&text, identity);
    return error < 0 ? error : output_bytes(text.data, text.size);
}

static int make(struct recovery *out, const struct identity *identity,
                const struct options *options, bool is_printed)
{
    int error;
    identity_public(identity, out->public_text);
    if (options->recovery_shares != NULL) {
        error = identity_shares_write(&out->shares, identity, options->recovery_shares,
                                      "recovery-shares", is_printed ? NULL : out->path);
        out->kind = error < 0 ? RECOVERY_NONE : RECOVERY_SHARES;
        return error;
    }
    error = is_printed ? print(identity) : identity_write(identity, out->path);
    out->kind = error < 0 ? RECOVERY_NONE : is_printed ? RECOVERY_PRINTED : RECOVERY_FILE;
    return error;
}

int recovery_make(struct recovery *out, const struct session *session)
{
    const struct options *options = &session->options;
    const bool is_printed = options->recovery != NULL && strcmp(options->recovery, "-") == 0;
    struct identity *identity = NULL;
    *out = (struct recovery){.kind = RECOVERY_NONE};
    int error = check_options(options);
    if (error < 0 || options->no_recovery)
        return error;
    if (options->recovery_public != NULL)
        return take_public(out, options->recovery_public);
    if (!is_printed && options->recovery == NULL)
        error = place_recovery(out->path, &session->place);
    else if (!is_printed && snprintf(out->path, sizeof out->path, "%s", options->recovery) >=
                                (int)sizeof out->path)
        error = error_set(ERR_INVALID, "the path '%.64s...' is too long", options->recovery);
    if (error == 0 && !is_printed && options->recovery_shares == NULL) {
        error = take_file(out);
        if (error != -ERR_NOT_FOUND)
            return error;
        error_clear();
        error = 0;
    }
    if (error == 0)
        error = identity_new_named(&identity, RECOVERY);
    if (error == 0)
        error = make(out, identity, options, is_printed);
    identity_free(identity);
    return error;
}

void recovery_unmake(const struct recovery *recovery)
{
    if (recovery->kind == RECOVERY_FILE)
        unlink(recovery->path);
    if (recovery->kind == RECOVERY_SHARES && recovery->path[0] != '\0')
        identity_shares_unlink(recovery->path, recovery->shares.count);
}

const char *recovery_public(const struct recovery *recovery)
{
    return recovery->kind == RECOVERY_NONE ? NULL : recovery->public_text;
}

static const char *where(char out[static PATH_MAX + 64], const struct recovery *recovery)
{
    const struct share_count shares = recovery->shares;
    switch (recovery->kind) {
    case RECOVERY_NONE:
        return "none: once the identity is lost, no secret of this store can be opened again";
    case RECOVERY_PUBLIC:
        return "made elsewhere";
    case RECOVERY_PRINTED:
        return "printed, and kept nowhere else";
    case RECOVERY_SHARES:
        if (recovery->path[0] == '\0')
            snprintf(out, PATH_MAX + 64, "%u shares were printed, of which any %u give it back",
                     shares.count, shares.needed);
        else
            snprintf(out, PATH_MAX + 64, "%s.1 to .%u, of which any %u give it back",
                     recovery->path, shares.count, shares.needed);
        return out;
    default:
        snprintf(out, PATH_MAX + 64, "%s (%s)", recovery->path,
                 recovery->kind == RECOVERY_FILE ? "new" : "was there already, and is used");
        return out;
    }
}

void recovery_tell(const struct recovery *recovery, const struct session *session, FILE *out)
{
    char text[PATH_MAX + 64];
    const struct place_of_store *place = &session->place;
    fprintf(out, "recovery   %s\n", where(text, recovery));
    if (recovery->kind == RECOVERY_NONE)
        return;
    fprintf(out,
            "           It opens everything when the identity is lost. %s off this\n"
            "           machine, and test it before it is needed: emsa%s%s identity test FILE\n",
            recovery->kind == RECOVERY_PUBLIC ? "Keep it" : "Take it",
            place->is_default ? "" : " --store ", place->is_default ? "" : place->store);
}

int recovery_tell_json(const struct recovery *recovery, json_t *object)
{
    const char *const words[] = {"none", "found", "file", "shares", "printed", "public"};
    int failed = json_object_set_new(object, "recovery", json_string(words[recovery->kind]));
    if (recovery->path[0] != '\0')
        failed |= json_object_set_new(object, "recovery_file", json_string(recovery->path));
    if (recovery->kind != RECOVERY_NONE)
        failed |=
            json_object_set_new(object, "recovery_public", json_string(recovery->public_text));
    return failed ? error_set(ERR_NOMEM, "no memory to tell of a store") : 0;
}
