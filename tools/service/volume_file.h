/*
 * DIR/volumes.json: which volumes there are, and of what. Always whole: it is written beside, and
 * put in the place of the one before when the disk has it. One that is damaged is not written over.
 */
#ifndef EMSA_TOOLS_SERVICE_VOLUME_FILE_H
#define EMSA_TOOLS_SERVICE_VOLUME_FILE_H

#include <jansson.h>

#define VOLUME_FILE "volumes.json"

/* The list that is in it (owned; an empty one where there is no file). ERR_CORRUPT: it is none,
 * with what to do; ERR_NOMEM, ERR_IO. */
int volume_file_read(json_t **out, const char *folder);

/* Writes a list, which is borrowed. On failure what was there before stays. ERR_FULL, ERR_IO. */
int volume_file_write(const char *folder, json_t *list);

#endif
