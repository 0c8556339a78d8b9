/* What the two halves of compose_take share: the whole file, and one service's environment. */
#ifndef EMSA_TOOLS_EMSA_COMPOSE_PARTS_H
#define EMSA_TOOLS_EMSA_COMPOSE_PARTS_H

#include <sys/stat.h>

#include "store/bytes.h"
#include "tools/emsa/compose.h"
#include "tools/emsa/interpolate.h"
#include "tools/emsa/yaml.h"

struct compose {
    struct intake *intake;
    const struct compose_input *input;
    struct yaml_tree tree;
    const char *file; /* intake's copies of the names */
    const char *dotenv_file;
    struct stat dotenv_status; /* st_ino is 0 where there is none */
    size_t shared, compose, scratch;
    struct bytes unset;   /* names taken for empty texts, each followed by a NUL */
    struct bytes missing; /* "service/KEY", the same way: what compose leaves unset */
    bool wants_project;
};

/* The same text as a list has already is not added. */
void compose_list(struct bytes *list, const char *text, size_t length);

/* The variable of a name, for interpolate. */
size_t compose_variable(void *context, const char *name, size_t length);

/* Drafts a scalar, interpolated; with its line in the message of a failure. unset may be NULL. */
int compose_draft(struct compose *compose, const struct yaml_node *node,
                  void (*unset)(void *context, const char *name, size_t length));

/* Sets what a service's environment comes to (compose_service.c). */
int compose_service(struct compose *compose, const struct yaml_pair *service);

#endif
