#include "tools/emsad/reader.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "store/error.h"
#include "store/pin.h"
#include "tools/common/log.h"

struct reader {
    struct store *store;
    pthread_t thread;
    atomic_bool stops;
};

static void *run(void *arg)
{
    struct reader *reader = arg;
    const int error = store_read_on(reader->store, &reader->stops);
    if (error < 0 && error != -ERR_CORRUPT) /* of that there was an alarm */
        log_warning("%s: not all records were read; 'emsa verify' does", error_text());
    return NULL;
}

int reader_start(struct reader **out, struct store *store)
{
    *out = NULL;
    if (store_is_read(store))
        return 0;
    struct reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        return error_set(ERR_NOMEM, "cannot read all records: out of memory");
    reader->store = store;
    if (pthread_create(&reader->thread, NULL, run, reader) != 0) {
        free(reader);
        return error_set(ERR_NOMEM, "cannot start a thread");
    }
    *out = reader;
    return 0;
}

void reader_stop(struct reader *reader)
{
    if (reader == NULL)
        return;
    atomic_store(&reader->stops, true);
    (void)pthread_join(reader->thread, NULL);
    free(reader);
}
