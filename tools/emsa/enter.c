/* attach: a view of its own for a container that runs, put there from outside. It stands in no
 * other namespace's table, and ends with the container's. */
#include <stdio.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/common/namespace.h"
#include "tools/emsa/command.h"
#include "tools/emsa/output.h"
#include "tools/emsa/view_ask.h"

struct wanted {
    const char *path, *directory;
    const struct namespace *space; /* of whom */
    bool is_mapped;                /* owners are the process's own, by a mapped mount */
};

/* With the owner that this process calls as the other one calls uid and gid. */
static int ask_translated(struct session *session, const struct wanted *wanted, struct answer *out)
{
    uid_t uid = (uid_t)session->options.uid;
    gid_t gid = (gid_t)session->options.gid;
    int error = process_owner(&wanted->space->process, &uid, &gid);
    if (error < 0)
        return error;
    json_t *parameters = view_parameters(session, wanted->path, NULL);
    (void)json_object_set_new(parameters, "uid", json_integer(uid));
    (void)json_object_set_new(parameters, "gid", json_integer(gid));
    return view_ask(session, parameters, out);
}

/* Who is 0 in there is to be 0 here: by mapping the mount where that can be done, else by making
 * the view with that owner. */
static int ask_mapped(struct session *session, struct wanted *wanted, struct answer *out)
{
    const struct options *options = &session->options;
    uid_t uid = (uid_t)options->uid;
    gid_t gid = (gid_t)options->gid;
    int outcome = process_owner(&wanted->space->process, &uid, &gid); /* it must have such ones */
    if (outcome < 0)
        return outcome;
    json_t *parameters = view_parameters(session, wanted->path, NULL);
    (void)json_object_set_new(parameters, "idmap", json_true());
    (void)json_object_set_new(parameters, "uid", json_integer((json_int_t)options->uid));
    (void)json_object_set_new(parameters, "gid", json_integer((json_int_t)options->gid));
    outcome = view_ask(session, parameters, out);
    if (outcome == 0)
        outcome = process_idmap(out->mount_fd, &wanted->space->process);
    wanted->is_mapped = outcome == 0;
    if (outcome != 1)
        return outcome;
    answer_release(out);
    *out = ANSWER_INIT;
    return ask_translated(session, wanted, out);
}

/* The owner that the process sees is the owner that was asked for; with --no-idmap the one that the
 * server was told, whatever the process calls it. */
static int ask_for(struct session *session, struct wanted *wanted, struct answer *answer)
{
    int differs = session->options.no_idmap ? 0 : process_has_users(&wanted->space->process);
    if (differs < 0)
        return differs;
    if (differs == 1)
        return ask_mapped(session, wanted, answer);
    return view_ask(session, view_parameters(session, wanted->path, NULL), answer);
}

static int attach(struct session *session, struct wanted *wanted, struct answer *answer)
{
    const struct namespace_place place = {.path = wanted->directory};
    int error = ask_for(session, wanted, answer);
    if (error == 0)
        error = namespace_attach(answer->mount_fd, wanted->space, &place);
    return error == 0 ? view_wait_free(session) : error;
}

int run_enter(struct session *session)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    const struct options *options = &session->options;
    struct namespace space NAMESPACE_CLEANUP = NAMESPACE_NONE;
    struct wanted wanted = {.path = options->arguments.list[0],
                            .directory = options->arguments.list[1],
                            .space = &space};
    if (options->pid == 0 || options->pid > INT32_MAX)
        return error_set(ERR_INVALID, "say whose namespace it is: emsa attach --pid PID ...");
    int error = namespace_find(&space, (pid_t)options->pid);
    if (error == 0)
        error = attach(session, &wanted, &answer);
    if (error < 0)
        return error;
    long long view = (long long)json_integer_value(json_object_get(answer.reply, "view"));
    if (options->json)
        return output_json(json_pack("{s:s, s:s, s:i, s:I, s:b}", "path", wanted.path, "directory",
                                     wanted.directory, "pid", (int)options->pid, "view",
                                     (json_int_t)view, "idmap", (int)wanted.is_mapped));
    printf("'%s' is mounted at '%s' of process %d\n", wanted.path, wanted.directory,
           (int)options->pid);
    return 0;
}
