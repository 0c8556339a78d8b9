/* Where memory may get to: swap, core dumps, and how much of it can be locked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "tools/emsa/doctor.h"

#define MEBIBYTE (1024ull * 1024)
#define LARGEST (320 * MEBIBYTE) /* the largest commit, and readers beside it (emsad/server.c) */

static bool first_line(char *out, int size, const char *path)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    bool is_read = fgets(out, size, file) != NULL;
    (void)fclose(file);
    if (is_read)
        out[strcspn(out, "\n")] = '\0';
    return is_read;
}

/* dm-crypt's devices say so; zram is no disk. */
static bool is_safe_swap(const char *device)
{
    struct stat status;
    char path[64], uuid[64];
    if (strncmp(device, "/dev/zram", 9) == 0)
        return true;
    if (stat(device, &status) < 0 || !S_ISBLK(status.st_mode))
        return false;
    (void)snprintf(path, sizeof path, "/sys/dev/block/%u:%u/dm/uuid", major(status.st_rdev),
                   minor(status.st_rdev));
    return first_line(uuid, sizeof uuid, path) && strncmp(uuid, "CRYPT-", 6) == 0;
}

static void say_swap(struct doctor *doctor)
{
    char line[512], device[256];
    unsigned count = 0, plain = 0;
    FILE *file = fopen("/proc/swaps", "re");
    bool is_heading = true;
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (!is_heading && sscanf(line, "%255s", device) == 1) {
            count++;
            plain += !is_safe_swap(device);
        }
        is_heading = false;
    }
    if (file != NULL)
        (void)fclose(file);
    if (plain > 0)
        doctor_say(
            doctor, DOCTOR_WARN, "swap", "encrypt it (dm-crypt), or switch it off",
            "%u of %u places are not encrypted: keys and secrets are locked out of them, but "
            "a hibernated machine writes all of its memory",
            plain, count);
    else
        doctor_say(doctor, DOCTOR_OK, "swap", "", "%s",
                   count > 0 ? "all of it is encrypted, or in memory" : "there is none");
}

static void say_cores(struct doctor *doctor)
{
    char pattern[256], dumpable[16];
    if (!first_line(pattern, sizeof pattern, "/proc/sys/kernel/core_pattern"))
        return;
    bool is_open = first_line(dumpable, sizeof dumpable, "/proc/sys/fs/suid_dumpable") &&
                   strcmp(dumpable, "1") == 0;
    doctor_say(doctor, is_open ? DOCTOR_WARN : DOCTOR_OK, "core_pattern",
               is_open ? "set fs.suid_dumpable to 0" : "",
               "'%s'; emsa's processes that hold keys are not dumped, whatever it says%s", pattern,
               is_open ? "; programs that change their user are" : "");
}

/* Of the server where there is one, else of whom this is. */
static void say_limit(struct doctor *doctor)
{
    struct rlimit limit;
    json_t *processes = json_object_get(doctor->status, "processes");
    long long pid = (long long)json_integer_value(json_object_get(processes, "server"));
    if (prlimit((pid_t)(pid > 0 ? pid : 0), RLIMIT_MEMLOCK, NULL, &limit) < 0) {
        doctor_hidden(doctor, "locked memory", "the limit of the server");
        return;
    }
    const char *whose = pid > 0 ? "the server" : "this user's processes";
    if (limit.rlim_cur == RLIM_INFINITY)
        doctor_say(doctor, DOCTOR_OK, "locked memory", "", "%s may lock all that they need", whose);
    else if (limit.rlim_cur >= LARGEST)
        doctor_say(doctor, DOCTOR_OK, "locked memory", "", "%s may lock %llu MiB", whose,
                   (unsigned long long)limit.rlim_cur / MEBIBYTE);
    else
        doctor_say(doctor, DOCTOR_WARN, "locked memory",
                   "raise the limit (LimitMEMLOCK= of the service, or ulimit -l)",
                   "%s may lock %llu MiB: commits with more secrets than that are refused", whose,
                   (unsigned long long)limit.rlim_cur / MEBIBYTE);
}

void doctor_memory(struct doctor *doctor)
{
    say_limit(doctor);
    say_swap(doctor);
    say_cores(doctor);
}
