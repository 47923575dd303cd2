/* operations.c: checks of searching, fetching and logging in. SPDX-License-Identifier: MIT */
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <trolley/helpers.h>

#include "core/check/call.h"

/* The contract gives a second; a busy machine gets one more. */
#define OPERATIONS_PATIENCE_MS 2000
#define OPERATIONS_CANCEL_AFTER_MS 200

/* A created subject; false when there is none, with the check ended. */
static bool operations_create(struct subject *subject, struct check *check,
                              enum subject_style style)
{
    if (!subject_init(subject, check, style)) return false;
    if (subject_create(subject) == 0) return true;
    check_fail(check, "create refuses what it took before: %s", subject_reason(subject));
    return false;
}

void check_clear_failure(struct check *check)
{
    struct subject subject;

    if (operations_create(&subject, check, SUBJECT_PLAIN)) {
        subject.judged = true;
        (void)call_everything(&subject);
    }
    subject_free(&subject);
}

void check_cancelled_first(struct check *check)
{
    struct subject subject;
    int64_t took;

    if (operations_create(&subject, check, SUBJECT_PLAIN)) {
        took = task_clock_ms();
        atomic_store(&subject.cancel, 1);
        (void)call_everything(&subject);
        took = task_clock_ms() - took;
        if (took > OPERATIONS_PATIENCE_MS)
            check_fail(check, "%s took %lld ms though the task was cancelled", check->note->doing,
                       (long long)took);
    }
    subject_free(&subject);
}

/* Cancels a little later. */
static void *operations_cancel(void *cancel)
{
    (void)poll(NULL, 0, OPERATIONS_CANCEL_AFTER_MS);
    atomic_store((atomic_int *)cancel, 1);
    return NULL;
}

/* Does some key name a server that is not there? */
static bool operations_remote(const struct subject *subject)
{
    const struct trolley_span *options = subject->check->component.options;
    uint32_t i;

    for (i = 0; options && i < options->count; i++) {
        const struct trolley_option *option = trolley_span_at(options, i);

        if (option->flags & TROLLEY_OPTION_REQUIRED &&
            (option->type == TROLLEY_OPTION_URL || option->type == TROLLEY_OPTION_PORT))
            return true;
    }
    return false;
}

/* One operation against a server that never answers, cancelled meanwhile; how long it took. */
static int64_t operations_wait(struct subject *subject)
{
    const uint32_t levels = call_levels(subject);
    const uint32_t level = levels & TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_STUDY) ? TROLLEY_LEVEL_STUDY
                           : levels & TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_SERIES)
                               ? TROLLEY_LEVEL_SERIES
                               : TROLLEY_LEVEL_INSTANCE;
    const int64_t start = task_clock_ms();

    if (subject->check->kind == TROLLEY_KIND_SEARCHER) {
        struct record_probe probe;
        bool known;

        record_probe_init(&probe, 0, 0);
        (void)call_find(subject, level, &probe, &known);
    } else {
        struct dataset_probe probe;

        dataset_probe_init(&probe, PROBE_NONE, 0, 0);
        (void)call_fetch(subject, level, &probe);
        dataset_probe_clear(&probe);
    }
    return task_clock_ms() - start;
}

void check_cancelled_waiting(struct check *check)
{
    struct subject subject;
    pthread_t thread;
    int64_t took;

    if (!subject_init(&subject, check, SUBJECT_PLAIN)) return;
    if (!operations_remote(&subject)) {
        check_skip(check, "no required key names a server");
    } else if (process_silent_server(&subject.place.port) < 0) {
        check_skip(check, "no socket to be had");
    } else {
        subject_reset(&subject);
        if (subject_create(&subject) == 0 &&
            pthread_create(&thread, NULL, operations_cancel, &subject.cancel) == 0) {
            took = operations_wait(&subject);
            (void)pthread_join(thread, NULL);
            if (took > OPERATIONS_CANCEL_AFTER_MS + OPERATIONS_PATIENCE_MS)
                check_fail(check, "%s took %lld ms, cancelled after %d ms", check->note->doing,
                           (long long)took, OPERATIONS_CANCEL_AFTER_MS);
            else if (took < OPERATIONS_CANCEL_AFTER_MS / 2)
                check_skip(check, "it did not wait for the silent server: %s",
                           subject_reason(&subject));
        }
    }
    subject_free(&subject);
}

/* ---- sinks ---------------------------------------------------------------------------------- */

/* Refuses record n of a find. True when so many came. */
static bool operations_refuse_record(struct subject *subject, uint32_t level, unsigned n)
{
    struct check *check = subject->check;
    struct record_probe probe;
    bool known;
    int32_t r;

    record_probe_init(&probe, n, TROLLEY_ERR_TOO_LARGE);
    r = call_find(subject, level, &probe, &known);
    if (!probe.refused) return false;
    if (probe.after_refusal)
        check_fail(check, "find calls the sink again after it refused record %u", n);
    if (r != probe.refusal)
        check_fail(check, "find returns %d where the sink refused a record with %d", r,
                   probe.refusal);
    return true;
}

/* Refuses call n of a kind with CANCELLED, which ends the fetch. */
static bool operations_refuse_dataset(struct subject *subject, uint32_t level, enum probe_call call,
                                      unsigned n)
{
    const char *name = call == PROBE_BEGIN ? "begin" : "write";
    struct check *check = subject->check;
    struct dataset_probe probe;
    bool refused;
    int32_t r;

    dataset_probe_init(&probe, call, n, TROLLEY_ERR_CANCELLED);
    r = call_fetch(subject, level, &probe);
    refused = probe.refused;
    if (refused && probe.begun_after_refusal)
        check_fail(check, "fetch begins another item after %s said CANCELLED", name);
    if (refused && r != probe.refusal)
        check_fail(check, "fetch returns %d where %s said CANCELLED (%d)", r, name, probe.refusal);
    dataset_probe_clear(&probe);
    return refused;
}

static bool operations_refuse(struct subject *subject, uint32_t level)
{
    bool any = false;
    unsigned n;

    for (n = 1; n <= 3; n++) {
        if (subject->check->kind == TROLLEY_KIND_SEARCHER) {
            any |= operations_refuse_record(subject, level, n);
        } else {
            any |= operations_refuse_dataset(subject, level, PROBE_BEGIN, n);
            any |= operations_refuse_dataset(subject, level, PROBE_WRITE, n);
        }
    }
    return any;
}

void check_failing_sink(struct check *check)
{
    struct subject subject;
    bool any = false;
    uint32_t level;

    if (operations_create(&subject, check, SUBJECT_PLAIN)) {
        for (level = TROLLEY_LEVEL_STUDY; level <= TROLLEY_LEVEL_INSTANCE; level++)
            if (call_levels(&subject) & TROLLEY_LEVEL_BIT(level))
                any |= operations_refuse(&subject, level);
        if (!any) check_skip(check, "nothing reached the sink: %s", subject_reason(&subject));
    }
    subject_free(&subject);
}

static void operations_judge_items(struct check *check, const struct dataset_probe *probe)
{
    unsigned i;

    for (i = 0; i < probe->begun; i++) {
        const struct probe_item *item = &probe->items[i];

        if (item->ends != 1) check_fail(check, "item %u was ended %u times", i + 1, item->ends);
        if (item->written_after_end) check_fail(check, "item %u was written after its end", i + 1);
    }
}

/* Fetches with a sink that takes everything, or refuses the first call of a kind. True when an item
 * was begun. */
static bool operations_items(struct subject *subject, uint32_t level, enum probe_call refuse,
                             int32_t refusal)
{
    struct dataset_probe probe;
    bool any;

    if (subject_create(subject) < 0) {
        check_fail(subject->check, "create refuses what it took before: %s",
                   subject_reason(subject));
        return false;
    }
    dataset_probe_init(&probe, refuse, 1, refusal);
    (void)call_fetch(subject, level, &probe);
    any = probe.begun > 0;
    operations_judge_items(subject->check, &probe);
    subject_destroy(subject); /* threads that outlive fetch have had their time */
    if (probe.after_return)
        check_fail(subject->check, "the sink was called after fetch had returned");
    dataset_probe_clear(&probe);
    return any;
}

void check_items_ended(struct check *check)
{
    const uint32_t all[] = {TROLLEY_LEVEL_STUDY, TROLLEY_LEVEL_SERIES, TROLLEY_LEVEL_INSTANCE};
    struct subject subject;
    bool any = false;
    size_t i;

    if (!subject_init(&subject, check, SUBJECT_PLAIN)) return;
    for (i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (!(check->component.levels & TROLLEY_LEVEL_BIT(all[i]))) continue;
        any |= operations_items(&subject, all[i], PROBE_NONE, 0);
        any |= operations_items(&subject, all[i], PROBE_WRITE, TROLLEY_ERR_CANCELLED);
        any |= operations_items(&subject, all[i], PROBE_WRITE, TROLLEY_ERR_TOO_LARGE);
    }
    if (!any) check_skip(check, "no item was begun: %s", subject_reason(&subject));
    subject_free(&subject);
}

/* ---- arguments ------------------------------------------------------------------------------ */

/* All operations twice, with arguments in that style: what is wrong crashes. */
static void operations_in_style(struct check *check, enum subject_style style)
{
    struct subject subject;

    if (operations_create(&subject, check, style)) {
        (void)call_everything(&subject);
        (void)call_everything(&subject);
    }
    subject_free(&subject);
}

void check_first_structs(struct check *check)
{
    operations_in_style(check, SUBJECT_EXACT);
}

void check_arguments_borrowed(struct check *check)
{
    operations_in_style(check, SUBJECT_CLOSED);
}

void check_wider_structs(struct check *check)
{
    operations_in_style(check, SUBJECT_WIDE);
}
