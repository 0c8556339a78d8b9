/*
 * What a view is wished to be: the parameters of Mount, and the options of a volume. Of names, so
 * that it lives on when its place goes and comes.
 */
#ifndef EMSA_TOOLS_SERVICE_WISH_H
#define EMSA_TOOLS_SERVICE_WISH_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "store/name.h"

struct request;

struct view_wish {
    struct path path; /* the root: all of it; an environment; a service */
    bool is_flat, has_history, is_cached, is_masked, may_map;
    uid_t uid;
    gid_t gid;
    uid_t maker;                        /* who asks for it */
    bool is_unbounded;                  /* and may ask for as many as they like */
    uint16_t directory_mode, file_mode; /* 0: as such a view usually has */
    uint32_t max_read;                  /* 0: as usual */
    const char *directory;              /* where the caller will mount it; NULL: it does not say */
};

/* From parameters that were given, without looking at the store. What is not there stays as it is:
 * begin with the owner. Texts are borrowed. ERR_INVALID, naming what. */
int wish_read(struct view_wish *wish, json_t *parameters);

/* The same of a request, whose place has to be there now. ERR_NOT_FOUND, with the nearest name. */
int wish_check(struct request *request, const struct view_wish *wish);

#endif
