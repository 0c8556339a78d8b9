#include "tools/emsad/key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/common/descriptor.h"

#define SIZE_MAXIMUM 65536
#define SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)

int key_find(struct place_of_store *place, const char *name)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    char path[PATH_MAX];
    if (name == NULL && (folder == NULL || getenv("EMSA_IDENTITY") != NULL))
        return 0;
    if (folder == NULL)
        return error_set(ERR_NOT_FOUND,
                         "there is no credential '%s': $CREDENTIALS_DIRECTORY is not set; let "
                         "systemd pass it (LoadCredential=%s:PATH)",
                         name, name);
    if (name != NULL && (name[0] == '\0' || strchr(name, '/') != NULL))
        return error_set(ERR_INVALID, "'%s' is no name of a credential", name);
    int length = snprintf(path, sizeof path, "%s/%s", folder, name != NULL ? name : KEY_CREDENTIAL);
    if (length < 0 || length >= (int)sizeof path)
        return error_set(ERR_INVALID, "the path '%.64s...' is too long", folder);
    if (access(path, F_OK) < 0)
        return name == NULL ? 0 : error_system(errno, "cannot find credential '%s'", path);
    memcpy(place->identity, path, sizeof path);
    return 0;
}

int key_find_key(char out[static PATH_MAX], const char *named)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY"), *given = getenv("EMSA_IDENTITY_KEY");
    int length;
    if (named == NULL && given != NULL && given[0] != '\0')
        named = given;
    if (named != NULL)
        length = snprintf(out, PATH_MAX, "%s", named);
    else if (folder != NULL)
        length = snprintf(out, PATH_MAX, "%s/" KEY_FILE_CREDENTIAL, folder);
    else
        return 1;
    if (length < 0 || length >= PATH_MAX)
        return error_set(ERR_INVALID, "the path of the identity's key file is too long");
    return named == NULL && access(out, F_OK) < 0 ? 1 : 0;
}

static int copy(int to, int from)
{
    struct stat status;
    off_t at = 0;
    if (fstat(from, &status) < 0)
        return error_system(errno, "cannot look at the identity");
    if (status.st_size > SIZE_MAXIMUM)
        return error_set(ERR_INVALID, "a file of %lld bytes is no identity",
                         (long long)status.st_size);
    while (at < status.st_size) {
        ssize_t sent = sendfile(to, from, &at, (size_t)(status.st_size - at));
        if (sent <= 0)
            return error_system(sent < 0 ? errno : EIO, "cannot keep the identity");
    }
    return fcntl(to, F_ADD_SEALS, SEALS) < 0 ? error_system(errno, "cannot seal the identity") : 0;
}

static int make_memory(int *out)
{
    *out = memfd_create("emsa-identity", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    return *out < 0 ? error_system(errno, "cannot make memory for the identity") : 0;
}

int key_make(int *fd, const void *data, size_t size)
{
    int made DESCRIPTOR_CLEANUP = -1;
    int error = make_memory(&made);
    if (error < 0)
        return error;
    if (write(made, data, size) != (ssize_t)size || fcntl(made, F_ADD_SEALS, SEALS) < 0)
        return error_system(errno, "cannot keep the identity");
    *fd = made;
    made = -1;
    return 0;
}

bool key_is_sealed(int fd)
{
    struct stat status;
    return fd >= 0 && fcntl(fd, F_GET_SEALS) == SEALS && fstat(fd, &status) == 0 &&
           status.st_size > 0 && status.st_size <= SIZE_MAXIMUM;
}

int key_seal(int *fd)
{
    int sealed;
    int error = make_memory(&sealed);
    if (error < 0)
        return error;
    error = copy(sealed, *fd);
    if (error < 0) {
        descriptor_close(&sealed);
        return error;
    }
    descriptor_close(fd);
    *fd = sealed;
    return 0;
}

void key_hold(int fd)
{
    struct stat status;
    if (fstat(fd, &status) < 0 || status.st_size <= 0 || status.st_size > SIZE_MAXIMUM)
        return;
    /* private, since what is sealed may not be mapped otherwise; never written, so it is the same
     */
    void *memory = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (memory == MAP_FAILED)
        return;
    (void)madvise(memory, (size_t)status.st_size, MADV_DONTDUMP);
    (void)mlock(memory, (size_t)status.st_size);
}
