/* The inside of a change, for the two that know it: asked.c fills it, change.c commits it. */
#ifndef EMSA_STORE_MODEL_ASKED_H
#define EMSA_STORE_MODEL_ASKED_H

#include "store/change.h"
#include "store/model/gather.h"

struct change {
    struct store *store; /* borrowed */
    struct gather gather;
};

#endif
