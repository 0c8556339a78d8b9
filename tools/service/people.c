#include "tools/service/people.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/error.h"
#include "store/grant.h"

static const char *const paths[] = {[PEOPLE_USERS] = "/etc/passwd", [PEOPLE_GROUPS] = "/etc/group"};

static int (*open_by)(void *arg, enum people_file file);
static void *open_arg;

void people_open_by(int (*open)(void *arg, enum people_file file), void *arg)
{
    open_by = open;
    open_arg = arg;
}

static FILE *open_file(enum people_file which)
{
    FILE *file = fopen(paths[which], "re");
    if (file != NULL || errno != EACCES || open_by == NULL)
        return file;
    int fd = open_by(open_arg, which);
    file = fd < 0 ? NULL : fdopen(fd, "re");
    if (file == NULL && fd >= 0)
        (void)close(fd);
    return file;
}

struct line {
    const char *name;
    unsigned long id;
};

/* "name:x:1000:…". Whatever is none is passed over: a name without a number, comments, NIS. */
static bool read_line(struct line *out, char *text)
{
    char *end;
    char *password = strchr(text, ':');
    char *id = password == NULL ? NULL : strchr(password + 1, ':');
    if (id == NULL || password == text || id[1] < '0' || id[1] > '9')
        return false;
    errno = 0;
    out->id = strtoul(id + 1, &end, 10);
    if (errno != 0 || *end != ':')
        return false;
    *password = '\0';
    out->name = text;
    return true;
}

/* Each line of the file, until take returns other than 0, which is returned. */
static int each_line(enum people_file which, int (*take)(void *arg, const struct line *line),
                     void *arg)
{
    FILE *file = open_file(which);
    char *text = NULL;
    size_t capacity = 0;
    int result = 0;
    if (file == NULL)
        return 0;
    while (result == 0 && getline(&text, &capacity, file) > 0) {
        struct line line;
        if (read_line(&line, text))
            result = take(arg, &line);
    }
    free(text);
    fclose(file);
    return result;
}

struct gathering {
    struct people *people;
    const struct caller *caller;
    const char *prefix;
};

bool people_have(const struct people *people, const char *principal)
{
    for (size_t i = 0; i < people->count; i++)
        if (strcmp(people->names[i], principal) == 0)
            return true;
    return false;
}

/* A name that nothing can be granted to holds nothing, and is not shown: it may be no text. */
static bool is_principal(const char *prefix, const char *name)
{
    char principal[PRINCIPAL_MAX + 1];
    int length = snprintf(principal, sizeof principal, "%s%s", prefix, name);
    return length >= 0 && length <= PRINCIPAL_MAX &&
           principal_check(principal, (size_t)length) == 0;
}

int people_add(struct people *people, const char *principal)
{
    if (people_have(people, principal))
        return 0;
    void *grown = realloc(people->names, (people->count + 1) * sizeof *people->names);
    if (grown == NULL)
        return error_set(ERR_NOMEM, "no memory for the names of a caller");
    people->names = grown;
    snprintf(people->names[people->count++], sizeof *people->names, "%s", principal);
    return 0;
}

static int add(struct gathering *gathering, const char *name)
{
    char principal[PRINCIPAL_MAX + 1];
    if (!is_principal(gathering->prefix, name))
        return 0;
    snprintf(principal, sizeof principal, "%s%s", gathering->prefix, name);
    return people_add(gathering->people, principal);
}

static int take_user(void *arg, const struct line *line)
{
    struct gathering *gathering = arg;
    return line->id == gathering->caller->uid ? add(gathering, line->name) : 0;
}

static bool is_in(const struct caller *caller, unsigned long group)
{
    if (group == caller->gid)
        return true;
    for (size_t i = 0; i < caller->group_count; i++)
        if (caller->groups[i] == group)
            return true;
    return false;
}

static int take_group(void *arg, const struct line *line)
{
    struct gathering *gathering = arg;
    return is_in(gathering->caller, line->id) ? add(gathering, line->name) : 0;
}

int people_of(struct people *out, const struct caller *caller)
{
    struct gathering gathering = {.people = out, .caller = caller, .prefix = "user:"};
    int error = each_line(PEOPLE_USERS, take_user, &gathering);
    gathering.prefix = "group:";
    if (error == 0)
        error = each_line(PEOPLE_GROUPS, take_group, &gathering);
    error_clear();
    return error;
}

void people_release(struct people *people)
{
    free(people->names);
    *people = (struct people){0};
}

static int take_name(void *arg, const struct line *line)
{
    return strcmp(line->name, arg) == 0;
}

bool people_known(const char *principal)
{
    char name[PRINCIPAL_MAX + 1];
    const char *colon = strchr(principal, ':');
    if (principal_is_identity(principal)) /* it is in the log, or nothing can be granted to it */
        return true;
    if (colon == NULL || strlen(colon + 1) >= sizeof name)
        return false;
    memcpy(name, colon + 1, strlen(colon + 1) + 1);
    return each_line(strncmp(principal, "user:", 5) == 0 ? PEOPLE_USERS : PEOPLE_GROUPS, take_name,
                     name) > 0;
}

struct naming {
    uid_t uid;
    char name[AUTHOR_MAX + 1];
};

static int take_uid(void *arg, const struct line *line)
{
    struct naming *naming = arg;
    if (line->id != naming->uid || !is_principal("user:", line->name))
        return 0;
    snprintf(naming->name, sizeof naming->name, "%s", line->name);
    return 1;
}

void caller_text(const struct caller *caller, char *out, size_t capacity)
{
    struct naming naming = {.uid = caller->uid};
    if (each_line(PEOPLE_USERS, take_uid, &naming) > 0)
        snprintf(out, capacity, "uid %u (%s)", (unsigned)caller->uid, naming.name);
    else
        snprintf(out, capacity, "uid %u", (unsigned)caller->uid);
}
