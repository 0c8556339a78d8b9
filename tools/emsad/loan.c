#include "tools/emsad/loan.h"

#include <stdbool.h>
#include <string.h>

#include "store/error.h"

#define RANDOM_MAX 16 /* hexadecimal digits of 64 bits */
#define MARK "/unit/"

static int no_unit(void)
{
    return error_set(ERR_INVALID, "the caller's address is not that of a unit's credential: only "
                                  "LoadCredential= of systemd is answered here");
}

static bool is_printable(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    return size > 0;
}

/* Unit and ID, from behind the address's first NUL. */
static int split(struct loan *loan, const char *text, size_t size)
{
    size_t digits = 0;
    while (digits < size && digits <= RANDOM_MAX &&
           strchr("0123456789abcdef", text[digits]) != NULL && text[digits] != '\0')
        digits++;
    size_t head = digits + strlen(MARK);
    if (digits == 0 || digits > RANDOM_MAX || size <= head || size - head >= LOAN_NAME_MAX ||
        memcmp(text + digits, MARK, strlen(MARK)) != 0 || !is_printable(text + head, size - head))
        return no_unit();
    const char *unit = text + head, *slash = memchr(unit, '/', size - head);
    size_t length = slash != NULL ? (size_t)(slash - unit) : 0;
    size_t rest = size - head - length - 1;
    if (length == 0 || length + 1 >= size - head || memchr(slash + 1, '/', rest) != NULL)
        return no_unit();
    memcpy(loan->unit, unit, length);
    memcpy(loan->id, slash + 1, rest);
    return 0;
}

/* ENVIRONMENT@SERVICE@KEY. Writes ends into a copy. */
static int say_all(struct path *out, char *id)
{
    char *service = strchr(id, '@'), *key = strchr(service + 1, '@');
    if (key == NULL || strchr(key + 1, '@') != NULL)
        return error_set(ERR_INVALID,
                         "the credential '%s' is neither a key nor "
                         "ENVIRONMENT@SERVICE@KEY",
                         id);
    *service = *key = '\0';
    return path_make(out, id, service + 1, key + 1);
}

static int say_key(struct path *out, char *unit, const char *id, const char *environment)
{
    char *suffix = strrchr(unit, '.'), *instance = strchr(unit, '@');
    if (suffix == NULL || (instance != NULL && suffix < instance))
        return error_set(ERR_INVALID, "'%s' is not the name of a unit", unit);
    if (environment[0] == '\0' && instance == NULL)
        return error_set(ERR_INVALID,
                         "of which environment? '%s' has no instance and the daemon no "
                         "environment: write ENVIRONMENT@SERVICE@%s in the unit, or --credentials "
                         "SOCKET,environment=ENVIRONMENT",
                         unit, id);
    *suffix = '\0';
    if (instance != NULL)
        *instance = '\0';
    return path_make(out, environment[0] != '\0' ? environment : instance + 1, unit, id);
}

static int check(const struct path *path)
{
    if (path_depth(path) != PATH_KEY)
        return error_set(ERR_INVALID, "it names no key");
    if (strcmp(path->environment, "all") == 0)
        return error_set(ERR_INVALID, "'all' has definitions, not values: name an environment");
    return 0;
}

int loan_parse(struct loan *out, const char *address, size_t size, const char *environment)
{
    struct loan loan = {0};
    char copy[LOAN_NAME_MAX];
    int error = size > 0 && address[0] == '\0' ? split(&loan, address + 1, size - 1) : no_unit();
    *out = loan;
    if (error < 0)
        return error;
    if (strchr(loan.id, '@') != NULL) {
        memcpy(copy, loan.id, sizeof copy);
        error = say_all(&loan.path, copy);
    } else {
        memcpy(copy, loan.unit, sizeof copy);
        error = say_key(&loan.path, copy, loan.id, environment);
    }
    if (error == 0)
        error = check(&loan.path);
    out->path = loan.path;
    return error;
}
