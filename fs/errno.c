#include "fs/errno.h"

#include <errno.h>

#include "store/error.h"

static const int table[ERR_COUNT] = {
    [ERR_NOMEM] = ENOMEM,   [ERR_IO] = EIO,           [ERR_CORRUPT] = EIO,
    [ERR_FORMAT] = EIO,     [ERR_FULL] = ENOSPC,      [ERR_NO_KEY] = ENOKEY,
    [ERR_INVALID] = EINVAL, [ERR_NOT_FOUND] = ENOENT, [ERR_REFUSED] = EPERM,
    [ERR_CONFLICT] = EBUSY, [ERR_DENIED] = EACCES,    [ERR_BUSY] = EBUSY,
    [ERR_PURGED] = ENODATA,
};

int errno_from_error(int error)
{
    unsigned code = error < 0 ? 0u - (unsigned)error : 0;
    if (code == 0 || code >= ERR_COUNT || table[code] == 0)
        return EIO;
    return table[code];
}
