/* Schemas as people write them (tools/man/emsa-schema.5): from YAML to the JSON that the service
 * takes, which has the same shape, with each fault at its place in the file; and back. */
#ifndef EMSA_TOOLS_EMSA_SCHEMA_YAML_H
#define EMSA_TOOLS_EMSA_SCHEMA_YAML_H

#include <jansson.h>

#include "store/bytes.h"
#include "tools/emsa/faults.h"
#include "tools/emsa/options.h"
#include "tools/emsa/yaml.h"

/* A schema that stands at a node of a tree. service, where it is not NULL: whose it is; the schema
 * itself need not say then. What is wrong is added to faults, and *out is NULL then; else it is the
 * caller's. ERR_NOMEM. */
int schema_yaml_read(json_t **out, struct faults *faults, const struct yaml_tree *tree,
                     const struct yaml_node *node, const char *service);

/* All schemas of these files ("-": stdin; a file may have several documents), as a list, in their
 * order. All faults of all files are told at once, on stderr: ERR_INVALID then, also for a service
 * that two of them are of. ERR_NOT_FOUND and others: of the first file that cannot be read. */
int schema_yaml_files(json_t **out, const struct texts *files);

/* The YAML of a schema, indented by so many blanks, as schema_yaml_read takes it. Sticky error of
 * out. */
void schema_yaml_write(struct bytes *out, json_t *schema, int indent);

/* A text as a scalar of one line, in double quotes where anything else could be made of it. size
 * bytes of UTF-8. */
void yaml_scalar_write(struct bytes *out, const char *text, size_t size);

#endif
