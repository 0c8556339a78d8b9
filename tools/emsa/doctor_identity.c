/* The identity: where it is, who can read it, and what follows for a stolen disk. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "store/error.h"
#include "store/identity_file.h"
#include "tools/emsa/doctor.h"

#define CREDENTIALS "/run/credentials/"

static void say_unlocked(struct doctor *doctor)
{
    if (doctor->status == NULL)
        return;
    if (json_is_true(json_object_get(doctor->status, "unlocked")))
        doctor_say(doctor, DOCTOR_OK, "secrets", "", "the server can open them");
    else
        doctor_say(doctor, DOCTOR_BAD, "secrets",
                   "'emsa identity unlock' where it is locked; else put the identity that the "
                   "store was made with in its place, and start again",
                   "the server has no identity that opens them: readers get ENOKEY");
}

/* What a stolen disk shows follows from the slots: one that takes nothing opens for everybody. */
static void say_slots(struct doctor *doctor, const struct identity_file *file)
{
    if (identity_file_has(file, IDENTITY_PLAIN))
        doctor_say(
            doctor, DOCTOR_WARN, "stolen disk",
            "lock it (emsa identity passphrase), or keep it off the disk: a credential bound to a "
            "TPM (systemd-creds), or an encrypted disk",
            "the identity is a key file: a copied store shows no secret, a stolen disk that "
            "has this file shows all");
    else if (identity_file_has(file, IDENTITY_KEY_FILE))
        doctor_say(doctor, DOCTOR_OK, "stolen disk", "",
                   "the identity is locked: it shows nothing without %s",
                   identity_file_has(file, IDENTITY_PASSPHRASE)
                       ? "the passphrase or the key file, which is to be on another disk"
                       : "the key file, which is to be on another disk");
    else
        doctor_say(doctor, DOCTOR_OK, "stolen disk", "",
                   "the identity is locked: it shows nothing without the passphrase");
}

static void say_theft(struct doctor *doctor)
{
    const char *path = doctor->place->identity;
    struct identity_file *file;
    if (strncmp(path, CREDENTIALS, strlen(CREDENTIALS)) == 0) {
        doctor_say(doctor, DOCTOR_OK, "stolen disk", "",
                   "the identity is a credential of systemd's: what protects that protects it");
        return;
    }
    const int error = identity_file_load(&file, path);
    if (error == 0) {
        say_slots(doctor, file);
        identity_file_free(file);
    } else if (error == -ERR_DENIED) {
        doctor_hidden(doctor, "stolen disk", "the identity's file");
    } else if (error != -ERR_REFUSED) { /* that others can read it was said */
        doctor_say(doctor, DOCTOR_BAD, "identity", "bring back the copy that was kept of it", "%s",
                   error_text());
    }
}

void doctor_identity(struct doctor *doctor)
{
    struct stat status;
    const char *path = doctor->place->identity;
    say_unlocked(doctor);
    if (lstat(path, &status) < 0) {
        if (errno == EACCES)
            doctor_hidden(doctor, "identity", "the identity's file");
        else
            doctor_say(doctor, DOCTOR_WARN, "identity",
                       "name it in $EMSA_IDENTITY, or as the daemon was given it",
                       "there is none at '%s': %s", path, strerror(errno));
        return;
    }
    if (S_ISREG(status.st_mode) && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        doctor_say(doctor, DOCTOR_BAD, "identity",
                   "'chmod 600' it, and change every secret if others were on this machine",
                   "others can read '%s' (mode %04o)", path, (unsigned)status.st_mode & 07777);
    else
        doctor_say(doctor, DOCTOR_OK, "identity", "", "'%s', uid %u's, mode %04o", path,
                   (unsigned)status.st_uid, (unsigned)status.st_mode & 07777);
    say_theft(doctor);
}
