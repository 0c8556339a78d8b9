/* Arguments that are places. */
#ifndef EMSA_TOOLS_EMSA_WORDS_H
#define EMSA_TOOLS_EMSA_WORDS_H

#include <jansson.h>

#include "store/name.h"
#include "tools/emsa/options.h"

/* What an argument of that depth is called, where one is not: "a key: write ENV/SERVICE/KEY". */
extern const char word_key[], word_service[], word_environment[];

/* One argument as a path of the wanted depth. ERR_INVALID: "'%s' is not WANTED". */
int words_path(const char *word, enum path_depth depth, const char *wanted, struct path *out);

/* All of them as a list (owned); *shared is the deepest place that all of them are in, for
 * --if-rev. */
int words_paths(const struct texts *texts, enum path_depth depth, const char *wanted, json_t **out,
                struct path *shared);

/* The same of any depth but the root. */
int words_places(const struct texts *texts, json_t **out, struct path *shared);

/* "a,b,c" as a list of texts (owned). NULL, with ERR_INVALID's text: one of them is empty or not
 * UTF-8. */
json_t *words_cut(const char *text);

#endif
