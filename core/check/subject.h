/* subject.h: the component under examination, set up and called. SPDX-License-Identifier: MIT */
#ifndef CORE_CHECK_SUBJECT_H
#define CORE_CHECK_SUBJECT_H

#include "core/check/check.h"
#include "core/check/process.h"
#include "core/check/values.h"
#include "core/plugin/setup.h"

/* How arguments are handed over. */
enum subject_style {
    SUBJECT_PLAIN,
    SUBJECT_EXACT,  /* each struct ends where memory ends */
    SUBJECT_CLOSED, /* and cannot be read after the call */
    SUBJECT_WIDE    /* each open struct is larger than contract 1.0 has it */
};

#define SUBJECT_KEYS_MAX 512

struct subject {
    struct check *check;
    enum subject_style style;
    struct trolley_setup *setup;
    struct component component; /* config, shared, section of the component under examination */
    struct component peer;      /* what COMPONENT options name */
    struct instance instance;   /* self, operations, peers */
    bool opened, created;
    bool judged; /* the check looks at what calls return */
    struct task task;
    atomic_int cancel;
    struct values_place place;
    char data[300], store[300];
    struct config_entry entries[SUBJECT_KEYS_MAX];
    size_t count;
    struct pages life; /* host and config, until close */
    const struct trolley_host *host;
    const struct trolley_config *config;
};

/* Loads the plugin and prepares its defaults, with made-up values for required keys. False after a
 * finding. */
bool subject_init(struct subject *subject, struct check *check, enum subject_style style);
void subject_free(struct subject *subject);

/* Sets a key as the INI file would; adds a line for lists. `value` is copied. */
void subject_set(struct subject *subject, const struct trolley_option *option, const char *key,
                 const char *value);

/* Back to the defaults, with made-up values for required keys. */
void subject_reset(struct subject *subject);

/*
 * Resolves the section, opens and creates. 0, or the refusal: negative, with the reason in
 * subject->task. What breaks the contract (an unknown status, no reason, out-parameters touched) is
 * a finding, and what the host itself refuses is INVALID_CONFIG. Twice without close is no use.
 */
int subject_create(struct subject *subject);
void subject_destroy(struct subject *subject);

/* What a call returned, as far as the contract goes: a known status, and a reason in the task when
 * it is negative. Returns the status. */
int32_t subject_judge(struct subject *subject, const char *what, int32_t status);

/* The reason of the last refusal. Borrowed until the next call. */
const char *subject_reason(struct subject *subject);

/*
 * The task of one call, in the style of the subject. Use:
 *     struct pages pages = subject_pages(subject);
 *     task = subject_task(subject, &pages); ... subject_done(subject, &pages);
 */
struct pages subject_pages(const struct subject *subject);
struct trolley_task *subject_task(struct subject *subject, struct pages *pages);
void subject_done(struct subject *subject, struct pages *pages);

/* An open struct in the style of the subject. `argument` itself in plain style. */
const void *subject_open_struct(const struct subject *subject, struct pages *pages,
                                const void *argument, size_t size);
const char *subject_text(const struct subject *subject, struct pages *pages, const char *text);

#endif
