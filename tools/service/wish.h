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
    const char *at;        /* the revision that it is held at, as it was said; NULL: it follows */
    uint64_t pin;          /* its number: of a tag known after wish_check; 0: it follows */
    const char *directory; /* where the caller will mount it; NULL: it does not say */
};

/* From parameters that were given, without looking at the store. What is not there stays as it is:
 * begin with the owner. Texts are borrowed. ERR_INVALID, naming what. */
int wish_read(struct view_wish *wish, json_t *parameters);

/* The same of a request, whose place has to be there now; of a view that is held at a revision,
 * then. Fills in the pin. ERR_NOT_FOUND: no such place, with the nearest name, or no such revision;
 * ERR_REFUSED: the place was not there yet, or not any more; ERR_INVALID. */
int wish_check(struct request *request, struct view_wish *wish);

/* Whether a place can be shown as of a revision, as text (a number, a tag), whose number is given:
 * failures as above. */
int wish_revision(struct request *request, uint64_t *rev, const struct path *path,
                  const char *text);

#endif
