/* SPDX-License-Identifier: MIT */
#include "core/check/subject.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <trolley/helpers.h>
#include <unistd.h>

#include "core/check/mock_peer.h"
#include "core/check/sample.h"

#define SUBJECT_WIDER 40 /* bytes that a later contract adds to a struct */

/* A config in pages, with its owner in front of it. */
struct guarded_config {
    struct component *owner;
    struct trolley_config config;
};

/* ---- arguments ------------------------------------------------------------------------------ */

const void *subject_open_struct(const struct subject *subject, struct pages *pages,
                                const void *argument, size_t size)
{
    unsigned char wide[512];
    uint32_t told = (uint32_t)(size + SUBJECT_WIDER);
    void *copy;

    if (subject->style == SUBJECT_PLAIN || !argument) return argument;
    if (subject->style != SUBJECT_WIDE || size + SUBJECT_WIDER > sizeof wide) {
        copy = pages_put(pages, argument, size);
        return copy ? copy : argument;
    }
    memset(wide, 0xa5, sizeof wide);
    memcpy(wide, argument, size);
    memcpy(wide, &told, sizeof told);
    copy = pages_put(pages, wide, size + SUBJECT_WIDER);
    return copy ? copy : argument;
}

const char *subject_text(const struct subject *subject, struct pages *pages, const char *text)
{
    const char *copy;

    if (subject->style == SUBJECT_PLAIN || !text) return text;
    copy = pages_text(pages, text);
    return copy ? copy : text;
}

struct pages subject_pages(const struct subject *subject)
{
    return (struct pages){.guard = subject->style == SUBJECT_EXACT};
}

struct trolley_task *subject_task(struct subject *subject, struct pages *pages)
{
    task_reset(&subject->task);
    return (struct trolley_task *)(uintptr_t)subject_open_struct(subject, pages, &subject->task.abi,
                                                                 sizeof subject->task.abi);
}

void subject_done(struct subject *subject, struct pages *pages)
{
    /* Pages stay until the process ends: nothing else comes to lie there, and only in the closed
     * style does it matter who reads them late. */
    if (subject->style == SUBJECT_CLOSED) pages_close(pages);
    if (subject->style == SUBJECT_PLAIN) pages_free(pages);
}

static int32_t subject_peer(const struct trolley_config *config, const char *key,
                            struct trolley_task *task, struct trolley_peer **peer)
{
    const struct guarded_config *guarded =
        (const void *)((const char *)config - offsetof(struct guarded_config, config));

    return component_peer(&guarded->owner->config, key, task, peer);
}

/* Host and config in the subject's style; they live until close. */
static void subject_present(struct subject *subject)
{
    struct {
        struct guarded_config guarded;
        unsigned char wider[SUBJECT_WIDER];
    } wide;
    const bool wider = subject->style == SUBJECT_WIDE;
    struct guarded_config *copy;

    subject->life = (struct pages){.guard = subject->style == SUBJECT_EXACT};
    subject->config = &subject->component.config;
    subject->host = subject_open_struct(subject, &subject->life, &subject->setup->host,
                                        sizeof subject->setup->host);
    if (subject->style == SUBJECT_PLAIN) return;
    memset(&wide, 0xa5, sizeof wide);
    wide.guarded.owner = &subject->component;
    wide.guarded.config = subject->component.config;
    wide.guarded.config.peer = subject_peer;
    if (wider) wide.guarded.config.size += SUBJECT_WIDER;
    copy = pages_put(&subject->life, &wide, wider ? sizeof wide : sizeof wide.guarded);
    if (copy) subject->config = &copy->config;
}

/* ---- the section ---------------------------------------------------------------------------- */

static void subject_add(struct subject *subject, const char *key, const char *value)
{
    struct config_entry *entry = &subject->entries[subject->count];

    if (subject->count == SUBJECT_KEYS_MAX) return;
    entry->key = strdup(key);
    entry->value = strdup(value);
    if (entry->key && entry->value) subject->count++;
}

static void subject_clear(struct subject *subject)
{
    while (subject->count > 0) {
        subject->count--;
        free((char *)(uintptr_t)subject->entries[subject->count].key);
        free((char *)(uintptr_t)subject->entries[subject->count].value);
    }
}

void subject_set(struct subject *subject, const struct trolley_option *option, const char *key,
                 const char *value)
{
    size_t i;

    for (i = 0; option->type != TROLLEY_OPTION_LIST && i < subject->count; i++) {
        char *copy;

        if (strcmp(subject->entries[i].key, key) != 0) continue;
        copy = strdup(value);
        if (!copy) return;
        free((char *)(uintptr_t)subject->entries[i].value);
        subject->entries[i].value = copy;
        return;
    }
    subject_add(subject, key, value);
}

void subject_reset(struct subject *subject)
{
    const struct trolley_span *options = subject->check->component.options;
    uint32_t i;

    subject_clear(subject);
    subject_add(subject, "type", subject->check->name);
    if (subject->check->kind == TROLLEY_KIND_STORAGE) {
        subject_add(subject, "min_free", "0");
        subject_add(subject, "durability", "none");
    }
    /* The session's own keys, which log-in plugins read and cannot declare. */
    if (subject->check->kind == TROLLEY_KIND_AUTH) {
        subject_add(subject, "user", "reader");
        subject_add(subject, "password", "secret");
    }
    for (i = 0; options && i < options->count; i++) {
        const struct trolley_option *option = trolley_span_at(options, i);
        struct kit_buffer value = {0};

        if (option->flags & TROLLEY_OPTION_REQUIRED &&
            values_plain(option, &subject->place, &value) == 0)
            subject_add(subject, option->key, value.data ? value.data : "");
        kit_buffer_free(&value);
    }
}

/* The section of the component; an auth plugin's options stand in a [session]. */
static int subject_resolve(struct subject *subject, struct trolley_error *error)
{
    const bool auth = subject->check->kind == TROLLEY_KIND_AUTH;
    const char *kind = auth ? "session" : kind_name(subject->check->kind);
    const struct config_section written = {
        .kind = kind,
        .name = "check",
        .entries = subject->entries + (auth ? 1 : 0),
        .count = subject->count - (auth ? 1 : 0),
    };
    const struct trolley_span *tables[5] = {config_host_options("session"),
                                            subject->check->component.options, NULL};
    struct component *component = &subject->component;
    struct section *section;
    int r;

    if (!auth) component_tables(&subject->check->component, tables);
    r = section_resolve(NULL, &written, tables, &section, error);
    if (r < 0) return r;
    section_free(component->section);
    component->section = section;
    component->config = *section_config(section);
    component->config.section = component->name;
    component->config.peer = component_peer;
    return 0;
}

/* ---- life ----------------------------------------------------------------------------------- */

static bool subject_folders(struct subject *subject)
{
    struct kit_buffer sample = {0};
    char path[400];
    bool ok = false;
    int fd;

    (void)snprintf(subject->data, sizeof subject->data, "%s/data", subject->check->root);
    (void)snprintf(subject->store, sizeof subject->store, "%s/store", subject->check->root);
    (void)snprintf(path, sizeof path, "%s/sample.dcm", subject->data);
    if (mkdir(subject->data, 0700) < 0 || mkdir(subject->store, 0700) < 0) return false;
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0 && sample_part10(&sample, "sample") == 0)
        ok = write(fd, sample.data, sample.length) == (ssize_t)sample.length;
    if (fd >= 0) close(fd);
    kit_buffer_free(&sample);
    subject->place.data = subject->data;
    subject->place.store = subject->store;
    subject->place.port = process_free_port();
    return ok;
}

static void subject_read_ops(struct subject *subject)
{
    const void *ops = subject->check->component.ops;

    switch (subject->check->kind) {
    case TROLLEY_KIND_SEARCHER:
        (void)trolley_read_open(&subject->instance.ops.searcher,
                                sizeof subject->instance.ops.searcher, ops, 0);
        break;
    case TROLLEY_KIND_DOWNLOADER:
        (void)trolley_read_open(&subject->instance.ops.downloader,
                                sizeof subject->instance.ops.downloader, ops, 0);
        break;
    case TROLLEY_KIND_STORAGE:
        (void)trolley_read_open(&subject->instance.ops.storage,
                                sizeof subject->instance.ops.storage, ops, 0);
        break;
    default:
        (void)trolley_read_open(&subject->instance.ops.auth, sizeof subject->instance.ops.auth, ops,
                                0);
    }
}

bool subject_init(struct subject *subject, struct check *check, enum subject_style style)
{
    struct trolley_error error;

    memset(subject, 0, sizeof *subject);
    subject->check = check;
    subject->style = style;
    task_init(&subject->task, check->name, &subject->cancel, NULL, NULL);
    if (!check_load(check)) return false;
    check_doing(check, "setting up");
    if (trolley_setup_empty(&subject->setup, &error) < 0) {
        check_fail(check, "%s", error.message);
        return false;
    }
    subject->component.setup = subject->setup;
    subject->component.plugin = check->component;
    subject->component.name = strdup("check");
    subject->component.title = strdup(check->name);
    subject->instance.component = &subject->component;
    subject_read_ops(subject);
    if (!subject->component.name || !subject->component.title || !subject_folders(subject) ||
        mock_peer_init(&subject->peer, subject->setup) < 0) {
        check_fail(check, "cannot prepare %s: %s", check->root, strerror(errno));
        return false;
    }
    subject_reset(subject);
    return true;
}

void subject_free(struct subject *subject)
{
    subject_destroy(subject);
    subject_clear(subject);
    if (subject->setup) {
        subject->setup->components = NULL;
        trolley_setup_close(subject->setup);
    }
    mock_peer_clear(&subject->peer);
    section_free(subject->component.section);
    free(subject->component.name);
    free(subject->component.title);
    task_clear(&subject->task);
}

const char *subject_reason(struct subject *subject)
{
    return subject->task.failure.message;
}

int32_t subject_judge(struct subject *subject, const char *what, int32_t status)
{
    struct check *check = subject->check;

    if (status > 0 || status < TROLLEY_ERR_INTERNAL)
        check_fail(check, "%s returns %d, which is no status", what, status);
    else if (status < 0 && status != TROLLEY_ERR_NOMEM && status != TROLLEY_ERR_CANCELLED &&
             !subject->task.failure.status)
        check_fail(check, "%s returns %d (%s) without saying why by task->fail", what, status,
                   trolley_status_name(status));
    return status;
}

/* Calls open and create, as the host does under its lock. */
static int subject_call_create(struct subject *subject)
{
    const struct trolley_component *plugin = &subject->check->component;
    char untouched;
    struct pages pages = subject_pages(subject);
    void *shared = &untouched, *self = &untouched;
    int32_t r = 0;

    if (plugin->open) {
        check_doing(subject->check, "open");
        r = plugin->open(subject->host, subject->config, subject_task(subject, &pages), &shared);
        subject_done(subject, &pages);
        if (subject_judge(subject, "open", r) < 0) {
            if (shared != &untouched) check_fail(subject->check, "open fails and sets *shared");
            return r;
        }
        subject->opened = true;
        subject->component.shared = shared == &untouched ? NULL : shared;
    }
    check_doing(subject->check, "create");
    pages = subject_pages(subject);
    subject->component.creating = &subject->instance;
    r = plugin->create(subject->host, subject->config, subject->component.shared,
                       subject_task(subject, &pages), &self);
    subject->component.creating = NULL;
    subject_done(subject, &pages);
    if (subject_judge(subject, "create", r) < 0) {
        if (self != &untouched) check_fail(subject->check, "create fails and sets *self");
        return r;
    }
    if (self == &untouched) check_fail(subject->check, "create succeeds and does not set *self");
    subject->created = true;
    subject->instance.self = self;
    return 0;
}

int subject_create(struct subject *subject)
{
    struct trolley_error error;
    int r = subject_resolve(subject, &error);

    task_reset(&subject->task);
    if (r < 0) return trolley_fail(&subject->task.abi, r, "%s", error.message);
    subject_present(subject);
    loader_lock();
    r = subject_call_create(subject);
    loader_unlock();
    if (r < 0) {
        struct task_failure why = subject->task.failure;

        subject_destroy(subject);
        subject->task.failure = why;
    }
    return r;
}

void subject_destroy(struct subject *subject)
{
    const struct trolley_component *plugin = &subject->check->component;

    loader_lock();
    if (subject->created) {
        check_doing(subject->check, "destroy");
        plugin->destroy(subject->instance.self);
    }
    peers_free(subject->instance.peers);
    subject->instance.peers = NULL;
    if (subject->opened && plugin->close) {
        check_doing(subject->check, "close");
        plugin->close(subject->component.shared);
    }
    loader_unlock();
    subject->created = subject->opened = false;
    subject->component.shared = subject->instance.self = NULL;
}
