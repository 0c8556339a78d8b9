/* The identity: where it is, who can read it, and what follows for a stolen disk. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

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
                   "put the identity that the store was made with in its place, and start again",
                   "the server has no identity that opens them: readers get ENOKEY");
}

static void say_theft(struct doctor *doctor)
{
    if (strncmp(doctor->place->identity, CREDENTIALS, strlen(CREDENTIALS)) == 0)
        doctor_say(doctor, DOCTOR_OK, "stolen disk", "",
                   "the identity is a credential of systemd's: what protects that protects it");
    else
        doctor_say(
            doctor, DOCTOR_WARN, "stolen disk",
            "keep the identity off the disk: a credential bound to a TPM (systemd-creds), or "
            "an encrypted disk",
            "the identity is a key file: a copied store shows no secret, a stolen disk that "
            "has this file shows all");
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
