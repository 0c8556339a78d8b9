/*
 * Every reason to refuse a change, in one list. The wishes are judged one after another against the
 * state of the write transaction, which each that passes is applied to; every reason is collected,
 * and the caller ends the transaction if there was one.
 */
#ifndef EMSA_STORE_MODEL_RULES_H
#define EMSA_STORE_MODEL_RULES_H

#include "store/error.h"
#include "store/log/index.h"
#include "store/model/core.h"
#include "store/model/gather.h"
#include "store/model/nearest.h"
#include "store/model/plan.h"

struct judge {
    struct store *store; /* borrowed, as are the next four */
    struct index *index;
    struct gather *gather; /* where names that are told apart here are kept */
    struct plan *plan;
    const struct change_terms *terms;
    int64_t now; /* the clock's */
    /* What was refused: the first reason's code, and all their lines. */
    enum error_code code;
    struct bytes reasons;
    unsigned searches; /* nearest names looked for so far */
    struct nearest near;
    /* The place of the last reason that is about a place and not about a key: told once, not for
     * each key. */
    const char *refused_environment;
    const char *refused_service;
};

/* Judges everything, filling the plan. 0: all is well (the plan may be empty); otherwise a failure,
 * with every reason in the text where it is a refusal. */
int judge_change(struct judge *judge);

/* One key's removal, applied; expired is the moment that had come, 0: somebody asked for it. The
 * names are the key's, borrowed until the plan was sealed. For due.c. */
int judge_drop_entry(struct judge *judge, const struct service *service, const struct entry *entry,
                     const char *environment, const char *key, int64_t expired);

void judge_release(struct judge *judge);

#endif
