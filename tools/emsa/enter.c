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
    pid_t pid;
    bool is_mapped; /* owners are the process's own */
};

/* With the owner that this process calls as the other one calls uid and gid. */
static int ask_translated(struct session *session, const struct wanted *wanted, struct answer *out)
{
    uid_t uid = (uid_t)session->options.uid;
    gid_t gid = (gid_t)session->options.gid;
    int error = namespace_owner(wanted->pid, &uid, &gid);
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
    json_t *parameters = view_parameters(session, wanted->path, NULL);
    (void)json_object_set_new(parameters, "idmap", json_true());
    (void)json_object_set_new(parameters, "uid", json_integer((json_int_t)options->uid));
    (void)json_object_set_new(parameters, "gid", json_integer((json_int_t)options->gid));
    int outcome = view_ask(session, parameters, out);
    if (outcome == 0)
        outcome = namespace_idmap(out->mount_fd, wanted->pid);
    wanted->is_mapped = outcome == 0;
    if (outcome != 1)
        return outcome;
    answer_release(out);
    *out = ANSWER_INIT;
    return ask_translated(session, wanted, out);
}

static int attach(struct session *session, struct wanted *wanted, struct answer *answer)
{
    struct namespace_place place = {.pid = wanted->pid, .path = wanted->directory};
    int differs = namespace_differs(wanted->pid);
    if (differs < 0)
        return differs;
    int error = differs == 1
                    ? ask_mapped(session, wanted, answer)
                    : view_ask(session, view_parameters(session, wanted->path, NULL), answer);
    if (error == 0)
        error = namespace_attach(answer->mount_fd, &place);
    return error == 0 ? view_wait_free(session) : error;
}

int run_enter(struct session *session)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    const struct options *options = &session->options;
    struct wanted wanted = {.path = options->arguments.list[0],
                            .directory = options->arguments.list[1],
                            .pid = (pid_t)options->pid};
    if (options->pid == 0 || options->pid > INT32_MAX)
        return error_set(ERR_INVALID, "say whose namespace it is: emsa attach --pid PID ...");
    int error = attach(session, &wanted, &answer);
    if (error < 0)
        return error;
    long long view = (long long)json_integer_value(json_object_get(answer.reply, "view"));
    if (options->json)
        return output_json(json_pack("{s:s, s:s, s:i, s:I, s:b}", "path", wanted.path, "directory",
                                     wanted.directory, "pid", (int)wanted.pid, "view",
                                     (json_int_t)view, "idmap", (int)wanted.is_mapped));
    printf("'%s' is mounted at '%s' of process %d\n", wanted.path, wanted.directory,
           (int)wanted.pid);
    return 0;
}
