/* init: a store and its identity, or nothing at all. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/audit_record.h"
#include "store/change.h"
#include "store/error.h"
#include "store/identity.h"
#include "tools/common/descriptor.h"
#include "tools/emsa/command.h"
#include "tools/emsa/init_recovery.h"
#include "tools/emsa/local.h"
#include "tools/emsa/output.h"
#include "tools/emsa/passphrase.h"
#include "tools/service/rights.h"

#define STORE_USER "emsa"
#define FOLDERS_MAX 32

struct made { /* what is taken away again when the rest fails */
    char folders[FOLDERS_MAX][PATH_MAX];
    size_t folder_count;
    bool store_folder;
    bool identity;
    struct recovery recovery;
};

static void unmake(const struct made *made, const struct place_of_store *place)
{
    if (made->store_folder)
        rmdir(place->store);
    if (made->identity)
        unlink(place->identity);
    recovery_unmake(&made->recovery);
    for (size_t i = made->folder_count; i > 0; i--)
        rmdir(made->folders[i - 1]);
}

static int make_folder(struct made *made, const char *path, mode_t mode)
{
    if (mkdir(path, mode) == 0) {
        if (made->folder_count == FOLDERS_MAX)
            return error_set(ERR_INVALID, "'%s' has too many folders that are not there", path);
        memcpy(made->folders[made->folder_count++], path, strlen(path) + 1);
        return 0;
    }
    return errno == EEXIST ? 0 : error_system(errno, "cannot make the folder '%s'", path);
}

/* The folders that path lies in, each made where it is not there. */
static int make_parents(struct made *made, const char *path)
{
    char folder[PATH_MAX];
    for (const char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        size_t length = (size_t)(slash - path);
        memcpy(folder, path, length);
        folder[length] = '\0';
        int error = make_folder(made, folder, 0755);
        if (error < 0)
            return error;
    }
    return 0;
}

/* One that is there already: of whom this store is to be, not one that somebody else put there to
 * open it with. */
static int take_identity(struct identity **out, const char *path)
{
    int fd DESCRIPTOR_CLEANUP = -1;
    struct stat status;
    int error = identity_open(&fd, path);
    if (error < 0)
        return error;
    if (fstat(fd, &status) < 0)
        return error_system(errno, "cannot look at identity '%s'", path);
    if (status.st_uid != geteuid() && status.st_uid != 0)
        return error_set(
            ERR_REFUSED,
            "identity '%s' is there already, and is user %u's: take it away, or make it "
            "yours (chown) if it is to open this store",
            path, (unsigned)status.st_uid);
    struct identity_file *file;
    const struct passphrase_ways ways = {.ask = true};
    error = identity_file_read(&file, fd, path);
    if (error < 0)
        return error;
    error = passphrase_open(out, file, &ways);
    identity_file_free(file);
    return error;
}

/* The identity that is there already, or a new one. */
static int have_identity(struct identity **out, struct made *made, const char *path)
{
    int error = take_identity(out, path);
    if (error != -ERR_NOT_FOUND)
        return error;
    error = make_parents(made, path);
    if (error == 0)
        error = identity_new(out);
    if (error < 0)
        return error;
    error = identity_write(*out, path);
    made->identity = error == 0;
    return error;
}

/* Makes the store's folder, so that it can be given to its owner before anything is in it. An empty
 * one that is there is taken. */
static int have_folder(struct made *made, const char *path)
{
    int error = make_parents(made, path);
    if (error < 0)
        return error;
    if (mkdir(path, 0700) == 0) {
        made->store_folder = true;
        return 0;
    }
    return errno == EEXIST ? 0 : error_system(errno, "cannot make the folder '%s'", path);
}

/* Gives the folder that stands at path to somebody; not what a link put there meanwhile leads to.
 */
static bool give_folder(const char *path, uid_t uid, gid_t gid)
{
    int fd DESCRIPTOR_CLEANUP = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd >= 0 && fchown(fd, uid, gid) == 0;
}

/* As root: the user that the server runs as, where there is one who can reach the folder. */
static void choose_owner(const char *path, uid_t *uid, gid_t *gid)
{
    struct self self;
    *uid = geteuid();
    *gid = getegid();
    if (geteuid() != 0)
        return;
    const struct passwd *user = getpwnam(STORE_USER);
    if (user == NULL || !give_folder(path, user->pw_uid, user->pw_gid))
        return;
    if (self_become(&self, user->pw_uid, user->pw_gid) < 0)
        return;
    bool reached = faccessat(AT_FDCWD, path, R_OK | W_OK | X_OK, AT_EACCESS) == 0;
    self_restore(&self);
    if (reached) {
        *uid = user->pw_uid;
        *gid = user->pw_gid;
        return;
    }
    if (give_folder(path, 0, 0))
        output_note("the user '%s' cannot reach '%s': the store is root's", STORE_USER, path);
}

/* A folder with something in it is not ours to give away. */
static int is_empty_or_ours(const char *path, const struct made *made)
{
    if (made->store_folder)
        return 0;
    if (rmdir(path) < 0)
        return errno == ENOTEMPTY || errno == EEXIST
                   ? error_set(ERR_REFUSED, "'%s' is not empty: a store has a folder of its own",
                               path)
                   : error_system(errno, "cannot use the folder '%s'", path);
    return mkdir(path, 0700) == 0 ? 0 : error_system(errno, "cannot make the folder '%s'", path);
}

/* What is new in the folder, taken away again. */
static void undo_store(const char *store)
{
    static const char *const names[] = {"audit/record.000001", "audit/key", "audit",
                                        "owner.lock",          "lock.mdb",  "data.mdb"};
    int folder DESCRIPTOR_CLEANUP = open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; folder >= 0 && i < sizeof names / sizeof names[0]; i++)
        (void)unlinkat(folder, names[i], strcmp(names[i], "audit") == 0 ? AT_REMOVEDIR : 0);
}

/* From its first line on the record is sealed for that identity, and never for the store's own. */
static int begin_record(const char *store, const char *auditor)
{
    struct audit_record *record;
    int error = audit_record_open(&record, store, auditor);
    if (error == 0)
        audit_record_close(record);
    else
        undo_store(store);
    return error;
}

/* auditor: NULL, or for whom the audit record begins. */
static int create(const struct place_of_store *place, const struct identity *identity,
                  const char *recovery, const char *auditor)
{
    struct self self;
    struct author author = {0};
    struct caller caller = {.uid = getuid(), .gid = getgid(), .pid = getpid()};
    uid_t uid;
    gid_t gid;
    caller_text(&caller, author.name, sizeof author.name);
    choose_owner(place->store, &uid, &gid);
    int error = self_become(&self, uid, gid);
    if (error < 0)
        return error;
    error = store_create_recoverable(place->store, identity, recovery, &author);
    if (error == 0 && auditor != NULL)
        error = begin_record(place->store, auditor);
    self_restore(&self);
    return error;
}

/* What was pinned of a store that stood here before is none of the new one's. */
static int begin_pin(const struct place_of_store *place)
{
    char path[PATH_MAX];
    int error = place_pin(path, place->store);
    if (error == 0 && unlink(path) < 0 && errno != ENOENT)
        error = error_system(errno, "cannot take away the pin '%s' of a store that was here", path);
    return error;
}

/* From its first commit on, and not from whatever stands there when it is opened next. Who may
 * write none beside the store goes without, as ever (local.c). */
static void pin_first(const struct place_of_store *place)
{
    struct local *local;
    if (local_open(&local, place) == 0)
        local_close(local);
    error_clear();
}

static int check_auditor(const char *text)
{
    unsigned char x25519[32], ed25519[32];
    if (text == NULL || identity_public_parse(x25519, ed25519, text, strlen(text)) == 0)
        return 0;
    return error_set(ERR_INVALID,
                     "'%s' is no public identity: 'emsa identity export --public' prints one",
                     text);
}

static int make(const struct session *session, struct made *made)
{
    const struct place_of_store *place = &session->place;
    char mark[PATH_MAX + sizeof "/data.mdb"];
    struct identity *identity = NULL;
    snprintf(mark, sizeof mark, "%s/data.mdb", place->store);
    if (access(mark, F_OK) == 0)
        return error_set(ERR_REFUSED, "there is a store in '%s' already: 'emsa status' shows it",
                         place->store);
    int error = have_folder(made, place->store);
    if (error == 0)
        error = is_empty_or_ours(place->store, made);
    if (error == 0)
        error = have_identity(&identity, made, place->identity);
    if (error == 0)
        error = recovery_make(&made->recovery, session);
    if (error == 0)
        error = begin_pin(place);
    if (error == 0)
        error = create(place, identity, recovery_public(&made->recovery), session->options.auditor);
    identity_free(identity);
    if (error == 0)
        pin_first(place);
    return error;
}

static int tell_json(const struct session *session, const struct made *made)
{
    const struct place_of_store *place = &session->place;
    json_t *object = json_pack("{s:s, s:s, s:b, s:s, s:s?}", "store", place->store, "identity",
                               place->identity, "identity_made", (int)made->identity, "protection",
                               "key-file", "auditor", session->options.auditor);
    const int error = object == NULL ? error_set(ERR_NOMEM, "no memory to tell of a store")
                                     : recovery_tell_json(&made->recovery, object);
    if (error < 0) {
        json_decref(object);
        return error;
    }
    return output_json(object);
}

static int tell(struct session *session, const struct made *made)
{
    const struct place_of_store *place = &session->place;
    const char *recovery = session->options.recovery, *auditor = session->options.auditor;
    if (session->options.json)
        return tell_json(session, made);
    /* What was printed of an identity stands alone, for a file or a printer. */
    FILE *out = recovery != NULL && strcmp(recovery, "-") == 0 ? stderr : stdout;
    const char *option = place->is_default ? "" : " --store ";
    const char *store = place->is_default ? "" : place->store;
    fprintf(out, "store      %s (revision 1)\n", place->store);
    fprintf(out, "identity   %s (%s)\n", place->identity,
            made->identity ? "new, readable by its owner only" : "was there already, and is used");
    if (auditor != NULL)
        fprintf(
            out,
            "auditor    %.21s... checks the audit record; this machine cannot forge what it has\n"
            "           written there\n",
            auditor);
    fprintf(out,
            "protection a key file: a stolen store or backup shows no secret; a stolen disk shows "
            "all of\n"
            "           them, for the key is on it.\n");
    recovery_tell(&made->recovery, session, out);
    fprintf(out, "next       emsa%s%s env add dev prod\n", option, store);
    fprintf(out, "           emsa%s%s set dev/hello GREETING=hi -m \"first value\"\n", option,
            store);
    return 0;
}

int run_init(struct session *session)
{
    const struct place_of_store *place = &session->place;
    if (!place->is_named && geteuid() != 0) {
        error_set(ERR_DENIED, "the system's store '%s' is made by root", place->store);
        return error_add(ERR_DENIED, "a store of your own: emsa --store ~/.local/share/emsa init");
    }
    struct made *made = calloc(1, sizeof *made);
    if (made == NULL)
        return error_set(ERR_NOMEM, "no memory to make a store");
    int error = check_auditor(session->options.auditor);
    if (error == 0)
        error = make(session, made);
    if (error < 0)
        unmake(made, place);
    else
        error = tell(session, made);
    free(made);
    return error;
}
