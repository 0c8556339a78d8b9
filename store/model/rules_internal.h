/* What the files of rules share: how places are found, and how operations are taken. */
#ifndef EMSA_STORE_MODEL_RULES_INTERNAL_H
#define EMSA_STORE_MODEL_RULES_INTERNAL_H

#include "store/log/state.h"
#include "store/model/rules.h"

#define ALL "all"
#define SHARED "shared"

/* Takes an operation into the plan and applies it. name is its path's last part. */
int judge_step(struct judge *, struct operation *operation, const char *name,
               const struct wish *wish);
/* A key pair is made only when nothing was refused, so it is applied then. */
int judge_step_of_key_pair(struct judge *, enum operation_kind kind, uint32_t environment,
                           uint32_t service);

/* Looks the environment up. NOT_THERE: refused, with its reason noted (once for a run of wishes).
 * `all` is made where it is named for the first time. */
int judge_find_environment(struct judge *, struct environment *out, const char *name);
/* Before a wish that makes the service, or the environment, that it names: that it was not there
 * for an earlier one is no refusal of this one. */
void judge_may_make(struct judge *, bool environment);
/* Looks the wish's service up; one that is not there is no refusal yet: NOT_THERE with *environment
 * set and *refused false. */
int judge_find_service(struct judge *, struct environment *environment, struct service *out,
                       const struct wish *wish, bool *refused);
/* What is not there, with what is near. */
int judge_no_environment(struct judge *, const char *name);
int judge_no_service(struct judge *, const struct wish *wish, uint32_t environment);
int judge_no_key(struct judge *, const struct wish *wish, const struct service *service);

/* rules_place.c */
int judge_environment_add(struct judge *, const struct wish *wish);
/* The next living environment after *out, by name; zeros to begin. NOT_THERE past the last. */
int judge_next_environment(struct judge *, struct environment_state *out);
int judge_environment_remove(struct judge *, const struct wish *wish);
int judge_service_add(struct judge *, const struct wish *wish);
int judge_service_remove(struct judge *, const struct wish *wish);
/* Places the wish's service, and what comes with it. NOT_THERE: refused. */
int judge_make_service(struct judge *, struct service *out, const struct environment *environment,
                       const struct wish *wish);
int judge_remove_all(struct judge *, const struct wish *wish);

/* rules_key.c */
int judge_set(struct judge *, const struct wish *wish);
int judge_remove(struct judge *, const struct wish *wish);
int judge_copy(struct judge *, const struct wish *wish);
/* The next own definition of a service after *out. */
int judge_next_own(struct judge *, struct spot *out, const struct service *service);

/* Whether the default is equal to a secret: said of the operation, or refused. */
int judge_guard_default(struct judge *, struct operation *operation, const struct wish *wish);

/* rules_sealed.c */
int judge_sealed(struct judge *, const struct wish *wish);
/* Whether a secret that is stored has the wish's data key: it was set by the same sealed text. */
int judge_is_of_text(struct judge *, const struct spot *spot, const struct wish *wish);

/* rules_schema.c */
int judge_schema_set(struct judge *, const struct wish *wish);
int judge_schema_remove(struct judge *, const struct wish *wish);
/* The schema of exactly that service, with its defaults; *was, where it is not NULL, is its
 * revision. name is borrowed until the plan was sealed. NOT_THERE: it has none. */
int judge_drop_schema(struct judge *, const struct service *service, const char *name,
                      uint64_t *was);

/* rules_relation.c */
int judge_share(struct judge *, const struct wish *wish);
int judge_lock(struct judge *, const struct wish *wish);
int judge_tag(struct judge *, const struct wish *wish);

/* rules_purge.c */
int judge_purge(struct judge *, const struct wish *wish);
int judge_compact(struct judge *, const struct wish *wish);
/* Whether that set is what is defined there still: 1, 0, or a failure. */
int judge_is_current(struct judge *, const struct spot *spot);
/* Destroys what an operation set, of a key or ("") of the service its schema, and says so; what was
 * destroyed before, or is by this change already, stays as it is. key is borrowed until the plan
 * was sealed. */
int judge_destroy(struct judge *, const struct wish *wish, const char *key, uint64_t rev,
                  uint32_t op);
/* rules_purge_schema.c: the wish's service's schema; all schemas that say a default. */
int judge_purge_schema(struct judge *, const struct wish *wish);
int judge_destroy_schemas(struct judge *, const struct wish *wish, const struct spot *spot);

/* rules_grant.c */
int judge_rights(struct judge *, const struct wish *wish);
int judge_identity(struct judge *, const struct wish *wish);
/* The place that the wish speaks of, which is there: into the operation, *name is its own.
 * NOT_THERE: refused. */
int judge_find_place(struct judge *, struct operation *operation, const char **name,
                     const struct wish *wish);

/* rules_key_pair.c */
/* A key pair's private half for an identity; applied when it is sealed. */
int judge_step_of_grant(struct judge *, uint32_t environment, uint32_t service,
                        const uint8_t *for_key);
/* The same for everybody who may read at exactly that place, and, of an environment (service 0),
 * for who may read everything. */
int judge_grant_to_readers(struct judge *, uint32_t environment, uint32_t service);
/* The next generation of a pair, told apart when it is sealed. */
int judge_step_of_generation(struct judge *, uint32_t environment, uint32_t service);
/* Whether an identity holds the newest key of a service itself: 1, 0, or a failure. */
int judge_is_granted(struct judge *, uint32_t environment, uint32_t service);
int judge_want_rotation(struct judge *, uint32_t environment, uint32_t service);
int judge_rotate(struct judge *, const struct wish *wish);
/* Whether what is set there is encrypted anew by this change. */
bool judge_reseals(const struct judge *, uint32_t environment, uint32_t service);
/* rules_reseal.c: secrets that are set there, encrypted anew; service 0: in all of it. */
int judge_reseal(struct judge *, uint32_t environment, uint32_t service);
/* The steps of all that was wanted. */
int judge_rotations(struct judge *);

/* rules_consumer.c */
/* The keys of secrets that are shared with a service which an identity reads, as far as it can't
 * open them; is_rotated: with its next key, whatever it could. */
int judge_wrap_shared(struct judge *, uint32_t environment, uint32_t service, bool is_rotated);
/* The same for what the shares of this change let services read. */
int judge_consumers(struct judge *);

#endif
