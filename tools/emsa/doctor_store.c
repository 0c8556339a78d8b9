/* The store's folder and files: whose they are, who can read them, what they lie on. */
#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "tools/emsa/doctor.h"

#define CIFS 0xFF534D42u /* not in <linux/magic.h> of all versions */
#define SMB2 0xFE534D42u
#define CEPH 0x00C36400u
#define LITTLE (256ull * 1024 * 1024)
#define NOTHING (16ull * 1024 * 1024)

static const struct {
    unsigned long magic;
    const char *name;
} remote[] = {{NFS_SUPER_MAGIC, "NFS"},
              {SMB_SUPER_MAGIC, "SMB"},
              {CIFS, "CIFS"},
              {SMB2, "SMB2"},
              {V9FS_MAGIC, "9p"},
              {AFS_SUPER_MAGIC, "AFS"},
              {CODA_SUPER_MAGIC, "Coda"},
              {CEPH, "Ceph"},
              {FUSE_SUPER_MAGIC, "FUSE"}};

static void say_folder(struct doctor *doctor, const struct stat *folder)
{
    const char *path = doctor->place->store;
    if (folder->st_mode & (S_IWGRP | S_IWOTH))
        doctor_say(doctor, DOCTOR_BAD, "store", "take that right away: 'chmod go-w' on it",
                   "'%s' can be written to by others than uid %u", path, (unsigned)folder->st_uid);
    else
        doctor_say(doctor, DOCTOR_OK, "store", "", "'%s' is uid %u's, mode %04o", path,
                   (unsigned)folder->st_uid, (unsigned)folder->st_mode & 07777);
}

/* 1: it is there and well, or not there. */
static bool say_file(struct doctor *doctor, const struct stat *folder, const char *name,
                     bool *is_hidden)
{
    char path[PATH_MAX + 32];
    struct stat file;
    (void)snprintf(path, sizeof path, "%s/%s", doctor->place->store, name);
    if (lstat(path, &file) < 0) {
        *is_hidden |= errno == EACCES;
        return errno == ENOENT || errno == EACCES;
    }
    if (!S_ISREG(file.st_mode)) {
        doctor_say(doctor, DOCTOR_BAD, "store files", "find out who put it there",
                   "'%s' is not a file", path);
        return false;
    }
    if (file.st_uid != folder->st_uid) {
        doctor_say(doctor, DOCTOR_BAD, "store files", "give it to the folder's owner (chown)",
                   "'%s' is uid %u's, the folder uid %u's", path, (unsigned)file.st_uid,
                   (unsigned)folder->st_uid);
        return false;
    }
    if (file.st_mode & (S_IRWXG | S_IRWXO)) {
        doctor_say(doctor, DOCTOR_BAD, "store files", "'chmod 600' it",
                   "'%s' is open to others (mode %04o)", path, (unsigned)file.st_mode & 07777);
        return false;
    }
    return true;
}

static void say_files(struct doctor *doctor, const struct stat *folder)
{
    static const char *const names[] = {
        "data.mdb", "lock.mdb", "owner.lock", "audit/key", "audit/record.000001", "volumes.json"};
    bool is_well = true, is_hidden = false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        is_well = say_file(doctor, folder, names[i], &is_hidden) && is_well;
    if (is_hidden)
        doctor_hidden(doctor, "store files", "the store's files");
    else if (is_well)
        doctor_say(doctor, DOCTOR_OK, "store files", "", "are of the same owner, and only theirs");
}

static void say_file_system(struct doctor *doctor, const struct statfs *status)
{
    for (size_t i = 0; i < sizeof remote / sizeof remote[0]; i++)
        if ((unsigned long)(unsigned)status->f_type == remote[i].magic) {
            doctor_say(doctor, DOCTOR_BAD, "file system",
                       "move the store to a local one (ext4, xfs, btrfs)",
                       "the store lies on %s, where locks and memory maps are not to be relied on",
                       remote[i].name);
            return;
        }
    if (status->f_type == TMPFS_MAGIC || status->f_type == RAMFS_MAGIC)
        doctor_say(doctor, DOCTOR_WARN, "file system", "move it to a disk, if it is to be kept",
                   "the store lies in memory: it is gone when the machine restarts");
    else
        doctor_say(doctor, DOCTOR_OK, "file system", "", "is local");
}

static void say_room(struct doctor *doctor, const struct statfs *status)
{
    unsigned long long room =
        (unsigned long long)status->f_bavail * (unsigned long long)status->f_bsize;
    enum doctor_level level = room < NOTHING ? DOCTOR_BAD : room < LITTLE ? DOCTOR_WARN : DOCTOR_OK;
    doctor_say(doctor, level, "room",
               level == DOCTOR_OK ? ""
                                  : "make room: changes are refused on a full disk, reads go on",
               "%llu MiB are left for the store", room / (1024 * 1024));
}

void doctor_store(struct doctor *doctor)
{
    struct stat folder;
    struct statfs status;
    const char *path = doctor->place->store;
    if (stat(path, &folder) < 0) {
        if (errno == EACCES)
            doctor_hidden(doctor, "store", "the store's folder");
        else
            doctor_say(doctor, DOCTOR_BAD, "store",
                       "make one: 'emsa init'; or name it (--store, $EMSA_STORE)",
                       "cannot look at '%s': %s", path, strerror(errno));
        return;
    }
    say_folder(doctor, &folder);
    say_files(doctor, &folder);
    if (statfs(path, &status) < 0)
        return;
    say_file_system(doctor, &status);
    say_room(doctor, &status);
}
