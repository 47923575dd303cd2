/* lives.c: checks of opening, creating, destroying and closing. SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <trolley/helpers.h>

#include "core/check/subject.h"

#define LIVES_ROUNDS 100
#define LIVES_WARM_UP 20
#define LIVES_RANDOM 60
#define LIVES_BATCHES 4
#define LIVES_LEAK_LEAST 20 /* bytes a life: less than the least instance takes */

/* A subject made and, unless the check ended there, destroyed. */
static int lives_once(struct subject *subject)
{
    int r = subject_create(subject);

    subject_destroy(subject);
    return r;
}

void check_create_defaults(struct check *check)
{
    struct subject subject;

    if (subject_init(&subject, check, SUBJECT_PLAIN) && lives_once(&subject) < 0)
        check_skip(check, "it refuses its defaults with made-up required values: %s",
                   subject_reason(&subject));
    subject_free(&subject);
}

/* What came before, in short: "key = value", of the first characters. */
static void lives_doing(struct check *check, const char *what, const char *key, const char *value)
{
    check_doing(check, "%s %s = %.60s", what, key, value);
}

static void lives_extreme(struct subject *subject, const struct trolley_option *option,
                          const char *value)
{
    const bool prefix = option->flags & TROLLEY_OPTION_PREFIX;
    char key[160];

    (void)snprintf(key, sizeof key, "%.120s%s", option->key, prefix ? "check" : "");
    subject_reset(subject);
    subject_set(subject, option, key, value);
    if (subject_create(subject) == 0) lives_doing(subject->check, "destroying with", key, value);
    subject_destroy(subject);
}

void check_create_extremes(struct check *check)
{
    const struct trolley_span *options;
    struct subject subject;
    uint32_t i, k;

    if (!subject_init(&subject, check, SUBJECT_PLAIN)) return;
    options = check->component.options;
    for (i = 0; options && i < options->count; i++) {
        const struct trolley_option *option = trolley_span_at(options, i);
        struct kit_buffer value = {0};

        for (k = 0; !check_over(check) && values_extreme(option, &subject.place, k, &value) == 0;
             k++) {
            lives_extreme(&subject, option, value.data ? value.data : "");
            if (check_over(check))
                lives_doing(check, "with", option->key, value.data ? value.data : "");
            kit_buffer_reset(&value);
        }
        kit_buffer_free(&value);
    }
    subject_free(&subject);
}

/* Half of the options, with values by chance. */
static void lives_random(struct subject *subject, uint64_t *seed)
{
    const struct trolley_span *options = subject->check->component.options;
    uint32_t i;

    subject_reset(subject);
    for (i = 0; options && i < options->count; i++) {
        const struct trolley_option *option = trolley_span_at(options, i);
        struct kit_buffer value = {0};
        char key[160];

        if (values_next(seed) % 2 && values_random(option, &subject->place, seed, &value) == 0) {
            (void)snprintf(key, sizeof key, "%.120s%s", option->key,
                           option->flags & TROLLEY_OPTION_PREFIX ? "check" : "");
            subject_set(subject, option, key, value.data ? value.data : "");
        }
        kit_buffer_free(&value);
    }
}

void check_create_random(struct check *check)
{
    struct subject subject;
    uint64_t seed = check->seed;
    unsigned round;

    if (!subject_init(&subject, check, SUBJECT_PLAIN)) return;
    for (round = 0; round < LIVES_RANDOM && !check_over(check); round++) {
        lives_random(&subject, &seed);
        (void)lives_once(&subject);
    }
    subject_free(&subject);
}

/* What `count` lives leave behind. */
static void lives_repeat(struct subject *subject, unsigned count, struct process_state *ret_state)
{
    while (count-- > 0 && !check_over(subject->check))
        (void)lives_once(subject);
    process_look(ret_state);
}

void check_create_repeated(struct check *check)
{
    struct process_state before, after, last;
    struct subject subject;
    size_t grown = SIZE_MAX, batch;
    int i;

    if (!subject_init(&subject, check, SUBJECT_PLAIN)) return;
    lives_repeat(&subject, LIVES_WARM_UP, &before);
    process_settle(&before, 1);
    /* A leak grows by as much in every batch; caches of libraries and of malloc do not. */
    for (last = before, i = 0; i < LIVES_BATCHES && grown > 0; i++, last = after) {
        lives_repeat(&subject, LIVES_ROUNDS, &after);
        batch = after.heap > last.heap ? after.heap - last.heap : 0;
        if (batch < grown) grown = batch;
    }
    process_settle(&after, before.threads);
    if (grown >= (size_t)LIVES_ROUNDS * LIVES_LEAK_LEAST)
        check_fail(check, "%zu bytes are left behind by each life (open, create, destroy, close)",
                   grown / LIVES_ROUNDS);
    if (after.files > before.files)
        check_fail(check, "%u files or sockets are left open after %d lives",
                   after.files - before.files, i * LIVES_ROUNDS);
    if (after.threads > before.threads)
        check_fail(check, "%u threads still run after %d lives", after.threads - before.threads,
                   i * LIVES_ROUNDS);
    subject_free(&subject);
}

void check_destroy_null(struct check *check)
{
    if (!check_load(check)) return;
    check_doing(check, "destroy(NULL)");
    check->component.destroy(NULL);
}

void check_unknown_interface(struct check *check)
{
    static const char *const ids[] = {"trolley.nowhere/1", "", "trolley.ping/999"};
    struct subject subject;
    size_t i;

    if (!subject_init(&subject, check, SUBJECT_PLAIN)) return;
    if (check->component.get_interface && subject_create(&subject) == 0)
        for (i = 0; i < sizeof ids / sizeof ids[0]; i++) {
            check_doing(check, "get_interface(\"%s\")", ids[i]);
            if (check->component.get_interface(subject.instance.self, ids[i]))
                check_fail(check, "get_interface gives something for \"%s\"", ids[i]);
        }
    subject_free(&subject);
}

static const void *lives_no_service(const struct trolley_host *host, const char *id)
{
    (void)host, (void)id;
    return NULL;
}

void check_bare_host(struct check *check)
{
    struct subject subject;

    if (!subject_init(&subject, check, SUBJECT_PLAIN)) return;
    subject.setup->host.get_service = lives_no_service;
    (void)lives_once(&subject);
    subject_free(&subject);
}
