#include "tools/emsad/unlocking.h"

#include <pthread.h>

#include "store/error.h"
#include "store/identity_file.h"
#include "store/store.h"
#include "tools/common/descriptor.h"
#include "tools/common/log.h"
#include "tools/emsad/host.h"
#include "tools/emsad/key.h"

/* One at a time: each takes hundreds of MiB. */
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

static int open_file(struct identity **out, struct host *host, const struct secret *passphrase)
{
    struct identity_opener opener = {.passphrase = passphrase};
    struct identity_file *file;
    int fd DESCRIPTOR_CLEANUP = estate_identity(host->estate);
    const char *path = host->estate->setup.identity;
    if (fd < 0)
        return error_set(ERR_NOT_FOUND,
                         "the daemon was started without an identity: put it at '%s' and start it "
                         "again",
                         path);
    int error = identity_file_read(&file, fd, path);
    if (error < 0)
        return error;
    error = identity_file_open(out, file, &opener);
    identity_file_free(file);
    return error;
}

/* What the next servers get. */
static int keep(struct host *host, const struct secret *text)
{
    int fd DESCRIPTOR_CLEANUP = -1;
    int error = key_make(&fd, text->data, text->size);
    if (error < 0)
        return error;
    key_hold(fd);
    link_give(host->link, CHANNEL_IDENTITY, fd);
    estate_keep_identity(host->estate, &fd);
    return 0;
}

static int unlock(struct host *host, const struct secret *passphrase, char *public_text)
{
    SECRET_CLEANUP struct secret text = {0};
    struct identity *identity;
    int error = open_file(&identity, host, passphrase);
    if (error < 0)
        return error;
    error = identity_text_plain(&text, identity);
    if (error < 0) {
        identity_free(identity);
        return error;
    }
    identity_public(identity, public_text);
    error = store_unlock(host->store, identity);
    if (error == 0 && keep(host, &text) < 0)
        log_error("secrets are open, but will not be to the next server: %s", error_text());
    return error;
}

int unlocking_open(void *arg, const struct secret *passphrase, char *identity)
{
    struct host *host = arg;
    if (pthread_mutex_trylock(&turn) != 0)
        return error_set(ERR_BUSY, "somebody tries a passphrase now: try again");
    int outcome = store_unlocked(host->store) ? 1 : unlock(host, passphrase, identity);
    pthread_mutex_unlock(&turn);
    return outcome;
}
