/* emsa: one verb, then the end. What a verb is stands in command.c. */
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/secret.h"
#include "tools/common/exit_status.h"
#include "tools/emsa/command.h"
#include "tools/emsa/output.h"
#include "tools/emsa/remote.h"
#include "tools/emsa/sign.h"

/* All secrets that the command may hold at one time. */
#define ARENA_MAXIMUM (64u * 1024u * 1024u)

/* A verb of an identity that has nothing to do with a store, whichever host that is on. */
static bool is_of_own_file(const struct session *session)
{
    const struct options *options = &session->options;
    int (*run)(struct session *) = session->command->run;
    const bool is_named = options->arguments.count > 0 || options->ssh != NULL;
    return run == run_identity_new || run == run_identity_combine ||
           (is_named && (run == run_identity_show || run == run_identity_export ||
                         run == run_identity_passphrase));
}

/* --host, else $EMSA_HOST; this one where that is empty. */
static int find_host(struct session *session)
{
    const char **host = &session->options.host;
    if (*host == NULL)
        *host = getenv("EMSA_HOST");
    if (*host != NULL && (*host)[0] == '\0')
        *host = NULL;
    bool is_local_anyway = session->command->run == run_help ||
                           session->command->run == run_version || is_of_own_file(session);
    return *host == NULL || is_local_anyway ? 0 : remote_check(session->command, *host);
}

static int run(struct session *session, int argc, char *argv[])
{
    int error = options_parse(&session->options, &session->command, argc, argv);
    if (error < 0)
        return error;
    if (session->options.help)
        return help_print(session);
    if (session->command == NULL)
        return error_set(ERR_INVALID, "what is to be done? 'emsa help' lists the verbs");
    error = place_find(&session->place, session->options.store);
    if (error == 0)
        error = find_host(session);
    if (error == 0)
        error = secret_setup(ARENA_MAXIMUM);
    return error < 0 ? error : session->command->run(session);
}

int main(int argc, char *argv[])
{
    struct session session = {0};
    setlocale(LC_TIME, "");
    (void)signal(SIGCHLD, SIG_DFL); /* ignored, as some leave it, nobody could be reaped */
    getrlimit(RLIMIT_CORE, &session.core);
    getrlimit(RLIMIT_MEMLOCK, &session.locked);
    int result = run(&session, argc, argv);
    if (result < 0)
        output_failure(result);
    client_close(session.client);
    sign_close(&session);
    options_release(&session.options);
    secret_teardown();
    int status = result < 0 ? (int)exit_status(result) : result;
    if (output_flush() < 0 && status == 0)
        status = 1;
    return status;
}
