#include "tests/support/store/story.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "store/error.h"
#include "store/expiry.h"
#include "tests/support/store/chance.h"
#include "tests/support/store/match.h"
#include "tests/support/store/sample.h"
#include "tests/support/store/trial.h"

#define OPEN_AGAIN 700u    /* changes */
#define SHOWN_EVERY 10000u /* operations: how far it is */
#define SECONDS_MAX 7000u
#define SHORTER_SECONDS_MAX 60

struct story { /* one playing */
    struct store *store;
    struct match match;
    struct naive state, next;
    struct naive_result result;
    struct dice dice; /* for what is looked at, not for what is done */
    struct story_count *count;
    const char *path;
    bool is_bare;                  /* the store alone is wanted */
    const struct story_hook *hook; /* or NULL */
};

struct step { /* one change of a row that is kept */
    struct naive_terms terms;
    size_t count;
    struct naive_wish *wishes;
};

static void tell_opened(const struct story *story)
{
    if (story->hook)
        story->hook->opened(story->hook->arg, story->store);
}

static void tell_closing(const struct story *story)
{
    if (story->hook)
        story->hook->closing(story->hook->arg);
}

static void begin(struct story *story, const char *path, struct story_count *count,
                  const struct story_hook *hook)
{
    *story = (struct story){.path = path, .dice = dice_new(1), .count = count, .hook = hook};
    for (unsigned i = 0; i < NAIVE_ENVIRONMENTS; i++)
        story->state.environments[i].base = NAIVE_NONE;
    sample_create(path);
    story->store = sample_open(path, true);
    match_init(&story->match, story->store);
    story->state.rev = store_revision(story->store);
    tell_opened(story);
}

static void end(struct story *story)
{
    tell_closing(story);
    match_release(&story->match);
    store_close(story->store);
}

static void open_again(struct story *story)
{
    tell_closing(story);
    match_detach(&story->match);
    store_close(story->store);
    story->store = sample_open(story->path, true);
    match_attach(&story->match, story->store);
    tell_opened(story);
}

/* --- one change --- */

static int commit(struct story *story, const struct step *step, struct change_result *result)
{
    const struct change_terms terms = chance_terms(&step->terms);
    struct change *gathered;
    int error = change_new(&gathered, story->store);
    for (size_t i = 0; !error && i < step->count; i++)
        MUST_DO(chance_gather(gathered, &step->wishes[i]));
    if (!error)
        error = change_commit(gathered, &terms, result);
    change_free(gathered);
    return error;
}

static void play_refused(struct story *story, int error)
{
    char text[ERROR_TEXT_MAX];
    MUST(error != 0, "nothing was refused, though '%s' (%s)", story->result.reasons[0].place,
         naive_reason_words[story->result.reasons[0].kind]);
    snprintf(text, sizeof text, "%s", error_text());
    MUST(error == -ERR_REFUSED || error == -ERR_NOT_FOUND, "refused as %s", error_word(error));
    match_reasons(text, &story->result, story->count->reasons);
    MUST(store_revision(story->store) == story->state.rev, "the revision moved");
    story->count->refused++;
    if (dice_once_in(&story->dice, 8))
        match_commit(&story->match, &story->state, NULL);
}

static void play_done(struct story *story)
{
    if (!story->result.operations) {
        story->count->idle++;
        MUST(store_revision(story->store) == story->state.rev, "a commit of nothing");
        return;
    }
    MUST(store_revision(story->store) == story->next.rev, "no commit was made");
    story->state = story->next;
    story->count->commits++;
    match_commit(&story->match, &story->state, &story->result);
    MUST(!story->result.unsound, "by the rules '%s' stays as it was, and it does not",
         story->result.unsound_place);
    match_past(&story->match, &story->dice);
    match_past(&story->match, &story->dice);
    story->count->pasts += 2;
    if (story->hook)
        story->hook->committed(story->hook->arg, &story->state, story->match.times);
}

/* The store goes first, and the model follows: whether it was right is not asked. */
static void play_bare(struct story *story, int error)
{
    const uint64_t rev = store_revision(story->store);
    if (error || rev == story->state.rev)
        return;
    story->state = story->next;
    story->state.rev = rev;
    story->count->commits++;
}

static void play(struct story *story, const struct step *step)
{
    struct change_result result = {0};
    struct expiry_result expired = {0};
    story->next = story->state;
    naive_apply(&story->next, &story->result, step->wishes, step->count, &step->terms);
    story->count->changes++;
    if (step->terms.is_expiry) {
        MUST_DO(expiry_commit(story->store, &expired, step->terms.now));
        story->count->expiries += expired.rev != 0;
        (void)(story->is_bare ? play_bare(story, 0) : play_done(story));
        return;
    }
    const int error = commit(story, step, &result);
    if (story->is_bare) {
        play_bare(story, error);
    } else if (story->result.is_refused) {
        play_refused(story, error);
    } else {
        MUST(!error, "refused as %s", error_word(error));
        play_done(story);
        match_notes(&result, &story->result);
    }
    change_result_release(&result);
}

/* --- a row of them --- */

struct shared { /* with the children that play */
    size_t at;  /* the change that is being played */
    struct story_count count;
};

struct playing {
    struct shared *shared;
    const char *folder;
    uint64_t seed;
    size_t operations; /* drawn as they are played, until there are so many */
    const struct story_hook *hook;
    struct step *steps; /* or NULL and these */
    size_t count;
    char place[64]; /* where it was found to differ */
};

static void fresh(const char *folder, char path[static TRIAL_PATH_MAX])
{
    char beside[TRIAL_PATH_MAX];
    trial_remove(trial_path(path, folder, "store"));
    unlink(trial_path(beside, folder, "store.identity"));
}

static int play_drawn(void *arg)
{
    static struct story story;
    static struct chance_change change;
    const struct playing *playing = arg;
    struct chance chance = chance_new(playing->seed);
    char path[TRIAL_PATH_MAX];
    size_t done = 0;
    fresh(playing->folder, path);
    begin(&story, path, &playing->shared->count, playing->hook);
    for (size_t i = 0; done < playing->operations; i++) {
        chance_draw(&chance, &change, &story.state);
        const struct step step = {change.terms, change.count, change.wishes};
        playing->shared->at = i;
        play(&story, &step);
        const size_t before = done;
        done += change.count + change.terms.is_expiry;
        if (before / SHOWN_EVERY != done / SHOWN_EVERY)
            fprintf(stderr, "%zu of %zu operations, revision %llu\n", done, playing->operations,
                    (unsigned long long)story.state.rev);
        if (i % OPEN_AGAIN == OPEN_AGAIN - 1)
            open_again(&story);
    }
    MUST_DO(sample_verify(story.store, true));
    end(&story);
    return 0;
}

static int play_steps(void *arg)
{
    static struct story story;
    const struct playing *playing = arg;
    char path[TRIAL_PATH_MAX];
    fresh(playing->folder, path);
    begin(&story, path, &playing->shared->count, NULL);
    for (size_t i = 0; i < playing->count; i++) {
        playing->shared->at = i;
        if (playing->steps[i].count || playing->steps[i].terms.is_expiry)
            play(&story, &playing->steps[i]);
        if (i % OPEN_AGAIN == OPEN_AGAIN - 1)
            open_again(&story);
    }
    MUST_DO(sample_verify(story.store, true));
    end(&story);
    return 0;
}

/* --- shorter --- */

/* The first changes of a seed again, by the model alone. */
static struct step *draw(uint64_t seed, size_t count)
{
    static struct chance_change change;
    static struct naive state, next;
    static struct naive_result result;
    struct chance chance = chance_new(seed);
    struct step *steps = calloc(count, sizeof *steps);
    state = (struct naive){.rev = 1};
    for (unsigned i = 0; i < NAIVE_ENVIRONMENTS; i++)
        state.environments[i].base = NAIVE_NONE;
    for (size_t i = 0; steps && i < count; i++) {
        chance_draw(&chance, &change, &state);
        steps[i] = (struct step){change.terms, change.count, NULL};
        steps[i].wishes = malloc((change.count + 1) * sizeof change.wishes[0]);
        MUST(steps[i].wishes, "no memory");
        memcpy(steps[i].wishes, change.wishes, change.count * sizeof change.wishes[0]);
        next = state;
        naive_apply(&next, &result, change.wishes, change.count, &change.terms);
        if (!result.is_refused && result.operations)
            state = next;
    }
    MUST(steps, "no memory");
    return steps;
}

/* Whether playing differs still, and in the same way: what is said first stands at the same line.
 */
static bool differs(struct playing *playing, bool is_loud)
{
    char said[TRIAL_PATH_MAX], place[64] = "";
    const int kept = dup(STDERR_FILENO);
    const int file = open(trial_path(said, playing->folder, "said"),
                          O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    MUST(kept >= 0 && file >= 0, "cannot keep what is said");
    if (!is_loud)
        dup2(file, STDERR_FILENO);
    const int status = trial_child(play_steps, playing, SECONDS_MAX);
    dup2(kept, STDERR_FILENO);
    close(kept);
    const ssize_t size = pread(file, place, sizeof place - 1, 0);
    char *end = memchr(place, ' ', size > 0 ? (size_t)size : 0);
    close(file);
    *(end ? end : place) = '\0';
    if (status && !playing->place[0])
        snprintf(playing->place, sizeof playing->place, "%s", place);
    return status != 0 && strcmp(place, playing->place) == 0;
}

/* Leaves out what can be left out, size changes at a time. */
static void leave_out_steps(struct playing *playing, size_t size, time_t until)
{
    for (size_t from = 0; from < playing->count && time(NULL) < until;) {
        struct playing shorter = *playing;
        const size_t left = playing->count - from, gone = size < left ? size : left;
        shorter.count = playing->count - gone;
        shorter.steps = malloc((playing->count + 1) * sizeof shorter.steps[0]);
        MUST(shorter.steps, "no memory");
        memcpy(shorter.steps, playing->steps, from * sizeof shorter.steps[0]);
        memcpy(shorter.steps + from, playing->steps + from + gone,
               (left - gone) * sizeof shorter.steps[0]);
        if (shorter.count && differs(&shorter, false)) {
            free(playing->steps);
            shorter.count =
                shorter.shared->at < shorter.count ? shorter.shared->at + 1 : shorter.count;
            *playing = shorter;
        } else {
            free(shorter.steps);
            from += size;
        }
    }
}

static void leave_out_wishes(struct playing *playing, time_t until)
{
    for (size_t i = 0; i < playing->count; i++) {
        struct step *step = &playing->steps[i];
        for (size_t at = 0; at < step->count && step->count > 1 && time(NULL) < until;) {
            struct naive_wish *all = step->wishes;
            struct naive_wish *fewer = malloc(step->count * sizeof fewer[0]);
            MUST(fewer, "no memory");
            memcpy(fewer, all, at * sizeof fewer[0]);
            memcpy(fewer + at, all + at + 1, (step->count - at - 1) * sizeof fewer[0]);
            step->wishes = fewer;
            step->count--;
            if (differs(playing, false)) {
                free(all);
                continue;
            }
            free(fewer);
            step->wishes = all;
            step->count++;
            at++;
        }
    }
}

static void print(const struct playing *playing)
{
    char line[1200];
    for (size_t i = 0; i < playing->count; i++) {
        const struct step *step = &playing->steps[i];
        fprintf(stderr, "%2zu: at %lld s%s%s%s%s%s%s\n", i + 1,
                (long long)(step->terms.now / 1000000000 - 2000000000),
                step->terms.is_expiry ? ", what has ended goes" : "",
                step->terms.has_reason ? ", with a reason" : "",
                step->terms.allow_equal ? ", equal allowed" : "",
                step->terms.override & NAIVE_PASS_SCHEMA ? ", schemas overridden" : "",
                step->terms.override & NAIVE_PASS_LOCK ? ", locks overridden" : "",
                step->terms.override & NAIVE_PASS_SHARE ? ", shares overridden" : "");
        for (size_t at = 0; at < step->count; at++) {
            chance_print(&step->wishes[at], line, sizeof line);
            fprintf(stderr, "      %s\n", line);
        }
    }
}

static void shorten(struct playing *playing)
{
    const time_t until = time(NULL) + SHORTER_SECONDS_MAX;
    playing->count = playing->shared->at + 1;
    playing->steps = draw(playing->seed, playing->count);
    if (!differs(playing, false)) {
        fprintf(stderr, "played alone the same changes are well\n");
        return;
    }
    for (size_t size = playing->count / 2; size; size /= 2)
        leave_out_steps(playing, size, until);
    for (size_t before = 0; before != playing->count;) {
        before = playing->count;
        leave_out_wishes(playing, until);
        leave_out_steps(playing, 1, until);
    }
    fprintf(stderr, "the least of them:\n");
    print(playing);
    differs(playing, true);
}

static void play_all(uint64_t seed, size_t operations, struct story_count *count,
                     const struct story_hook *hook)
{
    struct playing playing = {.seed = seed, .operations = operations, .hook = hook};
    playing.folder = trial_folder();
    playing.shared = mmap(NULL, sizeof *playing.shared, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    MUST(playing.shared != MAP_FAILED, "no shared memory");
    const int status = trial_child(play_drawn, &playing, SECONDS_MAX);
    *count = playing.shared->count;
    if (status) {
        fprintf(stderr, "change %zu of seed %llu: %s\n", playing.shared->at,
                (unsigned long long)seed, trial_end(status));
        if (!hook)
            shorten(&playing);
        trial_failed(__FILE__, __LINE__, NULL, "the store and the model differ");
    }
    munmap(playing.shared, sizeof *playing.shared);
}

void story_play(uint64_t seed, size_t operations, struct story_count *count)
{
    play_all(seed, operations, count, NULL);
}

void story_play_hooked(uint64_t seed, size_t operations, struct story_count *count,
                       const struct story_hook *hook)
{
    play_all(seed, operations, count, hook);
}

void story_write(const char *path, uint64_t seed, size_t commits)
{
    static struct story story;
    static struct story_count count;
    static struct chance_change change;
    struct chance chance = chance_new(seed);
    begin(&story, path, &count, NULL);
    story.is_bare = true;
    while (count.commits < commits) {
        chance_draw(&chance, &change, &story.state);
        const struct step step = {change.terms, change.count, change.wishes};
        play(&story, &step);
    }
    end(&story);
}
