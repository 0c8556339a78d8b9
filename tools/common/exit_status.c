#include "tools/common/exit_status.h"

#include "store/error.h"

enum exit_status exit_status(int error)
{
    switch (error < 0 ? -error : error) {
    case 0:
        return EXIT_STATUS_DONE;
    case ERR_INVALID:
        return EXIT_STATUS_WRONG_USE;
    case ERR_NOT_FOUND:
    case ERR_PURGED:
        return EXIT_STATUS_NOT_FOUND;
    case ERR_REFUSED:
        return EXIT_STATUS_REFUSED;
    case ERR_CONFLICT:
        return EXIT_STATUS_CONFLICT;
    case ERR_CORRUPT:
    case ERR_FORMAT:
        return EXIT_STATUS_CORRUPT;
    default:
        return EXIT_STATUS_FAILED;
    }
}
