/* download.c: a download from its options to its last word. SPDX-License-Identifier: MIT */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <trolley/helpers.h>
#include <unistd.h>

#include "core/model/query.h"
#include "core/retrieve/counts.h"
#include "core/retrieve/custom.h"
#include "core/retrieve/expand.h"
#include "core/retrieve/run.h"
#include "core/retrieve/trolley.h"
#include "kit/buffer.h"

#define PARALLEL_DEFAULT 4
#define PARALLEL_MOST 64
/* The size of struct trolley_ref in contract 1.0. */
#define REF_SIZE_1_0 (offsetof(struct trolley_ref, reserved) + sizeof(uint32_t))

/* Everything a download holds, in order of making. */
struct download {
    struct trolley *trolley;
    const struct trolley_download_options *options;
    struct report report;
    struct task task;      /* of the calling thread */
    struct task find_task; /* of the searcher */
    struct instance *storage;
    struct store store;
    struct run run;
    struct expander expander;
    pthread_mutex_t searcher_lock;
    struct instance *expander_instance; /* own one, when it is not the searcher's */
    struct trolley_tree *found;
    struct tree_source tree_source;
    struct ref_reader reader;
    uint32_t next_ref; /* of options->refs */
    bool store_ready;
    bool rehearsed; /* a dry run found something that would be requested */
};

/* The variant that a downloader brings; NULL for the instances themselves. */
static const struct trolley_meta *download_delivers(const struct instance *instance)
{
    const struct trolley_delivers_interface *theirs =
        instance_interface(instance, TROLLEY_DELIVERS_INTERFACE);

    return theirs && theirs->delivers ? theirs->delivers(instance->self) : NULL;
}

/* How this downloader likes to be asked. */
static int download_ask(struct download *download, struct run_downloader *downloader,
                        struct trolley_error *error)
{
    const struct trolley_downloader_ops *ops;
    struct instance *instance;
    uint32_t level;
    int r = instance_new(downloader->component, &download->task, &instance, error);

    if (r < 0) return r;
    ops = &instance->ops.downloader;
    downloader->ask.levels = instance_levels(instance);
    for (level = TROLLEY_LEVEL_STUDY; !(downloader->ask.levels & TROLLEY_LEVEL_BIT(level)); level++)
        ;
    downloader->ask.preferred = ops->preferred_level ? ops->preferred_level(instance->self) : level;
    downloader->ask.batch = ops->batch ? ops->batch(instance->self) : 1;
    downloader->ask.group = ops->group_level ? ops->group_level(instance->self) : 0;
    downloader->delivers = download_delivers(instance);
    downloader->asked = instance;
    return 0;
}

static int download_add(struct download *download, const char *name, struct trolley_error *error)
{
    struct run_downloader *downloader = &download->run.downloaders[download->run.downloader_count];
    struct patience patience;
    int64_t parallel;
    int r =
        component_get(download->trolley->setup, "downloader", name, &downloader->component, error);

    if (r < 0) return r;
    download->task.component = downloader->component->title;
    r = download_ask(download, downloader, error);
    if (r < 0) return r;
    parallel = component_integer(downloader->component, "max_parallel", PARALLEL_DEFAULT);
    downloader->max_parallel = (uint32_t)(parallel < 1               ? 1
                                          : parallel > PARALLEL_MOST ? PARALLEL_MOST
                                                                     : parallel);
    patience_of(downloader->component, &patience);
    downloader->ask.max_retries = (uint32_t)patience.max_retries;
    downloader->retry_delay_ms = patience.retry_delay_ms;
    downloader->max_instance = component_integer(downloader->component, "max_instance", 0);
    download->run.downloader_count++;
    return 0;
}

/* The downloaders of the trolley, or the one that was named. */
static int download_open_downloaders(struct download *download, struct trolley_error *error)
{
    const struct trolley_span *names = &download->trolley->downloaders;
    const char *only = download->options->downloader;
    uint32_t i;
    int r = 0;

    if (!only && !names->count) return retrieve_lacks(download->trolley, "downloader", "", error);
    download->run.downloaders = calloc(only ? 1 : names->count, sizeof *download->run.downloaders);
    if (!download->run.downloaders) return error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
    if (only) return download_add(download, only, error);
    for (i = 0; r == 0 && i < names->count; i++)
        r = download_add(download, trolley_span_text(names, i), error);
    return r;
}

/* `--output` as an absolute path: it is relative to where the user stands, not to the INI file. */
static char *download_output(const char *output)
{
    struct kit_buffer path = {0};
    char cwd[PATH_MAX];

    if (output[0] == '/') return strdup(output);
    if (!getcwd(cwd, sizeof cwd) || kit_buffer_printf(&path, "%s/%s", cwd, output) < 0) return NULL;
    return kit_buffer_take(&path);
}

static int download_open_storage(struct download *download, struct trolley_error *error)
{
    struct trolley *trolley = download->trolley;
    struct component *component;
    int r;

    if (download->options->output) {
        char *root = download_output(download->options->output);

        r = root ? component_get_rooted(trolley->setup, trolley->storage, "tree", root, &component,
                                        error)
                 : error_set(error, TROLLEY_ERR_IO, "--output: no current directory");
        free(root);
    } else if (trolley->storage) {
        r = component_get(trolley->setup, "storage", trolley->storage, &component, error);
    } else {
        r = retrieve_lacks(trolley, "storage", "; or say where with --output DIR", error);
    }
    if (r < 0) return r;
    download->task.component = component->title;
    return instance_new(component, &download->task, &download->storage, error);
}

/* The storage: the caller's own, or one of the INI file. */
static int download_open_store(struct download *download, struct trolley_error *error)
{
    const struct trolley_download_options *options = download->options;
    int r = options->storage
                ? custom_storage(options->storage, options->storage_self, &download->storage, error)
                : download_open_storage(download, error);

    if (r < 0) return r;
    store_init(&download->store, download->storage, &download->report, download->options->flags);
    download->store_ready = true;
    return 0;
}

/*
 * May a study be begun when it is only counted? Where nothing of it can be there already, or all is
 * fetched again anyway; where the first downloader likes to be asked for it as a whole, and for
 * nothing that only names tell: over DIMSE the SOP classes are part of the negotiation.
 */
static bool download_may_count(void *ctx, const struct study *study)
{
    struct download *download = ctx;
    const struct run_downloader *first = &download->run.downloaders[0];

    return (first->component->plugin.flags & TROLLEY_COMPONENT_HTTP) && ask_is_wide(&first->ask) &&
           ((download->options->flags & (TROLLEY_DOWNLOAD_OVERWRITE | TROLLEY_DOWNLOAD_VERIFY)) ||
            store_lacks(&download->store, study->uid, &download->task));
}

/* Who names the instances: the expander, else the searcher, if it knows them at all. */
static int download_open_expander(struct download *download, struct trolley_error *error)
{
    struct trolley *trolley = download->trolley;
    struct expander *expander = &download->expander;
    struct component *component;
    int r = 0;

    expander->task = &download->find_task;
    expander->lock = &download->searcher_lock;
    if (trolley->expander) {
        r = component_get(trolley->setup, "searcher", trolley->expander, &component, error);
        if (r < 0) return r;
        download->find_task.component = component->title;
        r = instance_new(component, &download->find_task, &download->expander_instance, error);
        expander->searcher = download->expander_instance;
    } else if (trolley->searcher) {
        r = retrieve_searcher(trolley, &download->find_task, &expander->searcher, error);
    }
    if (r < 0 || !expander->searcher) return r;
    component = expander->searcher->component;
    patience_of(component, &expander->patience);
    expander->levels = instance_levels(expander->searcher);
    expander->may_count = download_may_count;
    expander->ctx = download;
    expander->counts_suffice = trolley->counts_suffice;
    return 0;
}

/* Gives the references of options->refs one by one. */
static int download_next_ref(void *ctx, struct trolley_ref *ref, struct trolley_error *error)
{
    struct download *download = ctx;
    const void *theirs = trolley_span_at(&download->options->refs, download->next_ref);

    if (!theirs) return 0;
    if (trolley_read_open(ref, sizeof *ref, theirs, REF_SIZE_1_0) < 0)
        return error_set(error, TROLLEY_ERR_INVALID_ARG,
                         "reference %u has no size: make it with "
                         "trolley_ref_make or trolley_node_ref",
                         download->next_ref);
    ref->size = sizeof *ref;
    download->next_ref++;
    return 1;
}

/* Runs the query that says what to download. An incomplete answer is no basis for a download. */
static int download_find(struct download *download, struct trolley_error *error)
{
    const struct trolley_query_builder *query = download->options->query;
    const struct expander *expander = &download->expander;
    struct trolley_find_result result;
    uint32_t n;
    int r;

    if (download->options->refs.items) {
        download->reader.source = download_next_ref;
        download->reader.ctx = download;
        return 0;
    }
    if (!query) {
        download->reader.source = download->options->source;
        download->reader.ctx = download->options->source_ctx;
        return 0;
    }
    for (n = 0;; n++) {
        struct task_failure failure;

        r = retrieve_find(download->trolley, query, report_remark, &download->report, &result,
                          &failure, error);
        if (r == 0 || !retry_wanted(&expander->patience, n, &failure, download->run.cancel)) break;
        trolley_tree_free(result.tree);
    }
    download->found = result.tree;
    if (r < 0) return r;
    if (!trolley_tree_first(result.tree))
        return error_set(error, TROLLEY_ERR_NOT_FOUND, "the query matches nothing");
    tree_source_init(&download->tree_source, result.tree, query_level(query));
    download->reader.source = tree_source_next;
    download->reader.ctx = &download->tree_source;
    return 0;
}

/* Does the storage hold what one of the downloaders would bring of it? */
static bool download_held(struct download *download, const struct trolley_ref *ref)
{
    size_t i;

    for (i = 0; i < download->run.downloader_count; i++)
        if (store_skip(&download->store, ref, download->run.downloaders[i].delivers,
                       &download->task))
            return true;
    return false;
}

/* Counts what is expected and takes off what the storage holds. */
static void download_skip(struct download *download, struct study *study)
{
    const bool again =
        (download->options->flags & (TROLLEY_DOWNLOAD_OVERWRITE | TROLLEY_DOWNLOAD_VERIFY)) != 0;
    uint32_t i;

    report_expect(&download->report, study_expect(study));
    if (again) return;
    for (i = 0; i < study->entry_count && !atomic_load(download->run.cancel); i++) {
        struct entry *entry = &study->entries[i];
        struct trolley_ref ref;

        if (entry->level != TROLLEY_LEVEL_INSTANCE) continue;
        study_ref(study, entry, &ref);
        if (download_held(download, &ref)) entry->state = ENTRY_DONE;
    }
}

/* Tells the requests that would be made of the first downloader, and reports what nobody could
 * name. */
static void download_rehearse(struct download *download, struct study *study)
{
    const struct run_downloader *downloader = &download->run.downloaders[0];
    struct chunk chunk;
    uint32_t i;

    (void)plan_round(study, &downloader->ask);
    while (plan_next(study, &downloader->ask, &chunk) == 1) {
        static const char *const names[] = {"", "the study", "a series", "instances"};
        struct trolley_ref ref;

        if (chunk.level == TROLLEY_LEVEL_STUDY)
            study_study_ref(study, &ref);
        else if (chunk.level == TROLLEY_LEVEL_SERIES)
            study_series_ref(study, chunk.items[0], &ref);
        else
            study_ref(study, &study->entries[chunk.items[0]], &ref);
        download->task.component = downloader->component->title;
        trolley_note(&download->task.abi, TROLLEY_LOG_INFO, 0, &ref,
                     "would request %s (%u): study %s%s%s%s%s", names[chunk.level],
                     chunk.level == TROLLEY_LEVEL_STUDY ? 1 : chunk.count, ref.study,
                     ref.series ? " series " : "", ref.series ? ref.series : "",
                     ref.instance ? " instance " : "", ref.instance ? ref.instance : "");
        chunk_clear(&chunk);
    }
    for (i = 0; i < study->entry_count; i++) {
        if (study->entries[i].flags & ENTRY_HOPELESS) continue;
        study->entries[i].state = ENTRY_DONE;
        download->rehearsed = true;
    }
    run_verdict(&download->run, study);
}

/* Feeds the run study by study. */
static int download_feed(struct download *download, struct trolley_error *error)
{
    const bool rehearsal = (download->options->flags & TROLLEY_DOWNLOAD_DRY_RUN) != 0;
    struct study *study;
    bool naming;
    int r = 0;

    if (!rehearsal) r = run_start(&download->run, error);
    if (r < 0) return r;
    while (!atomic_load(download->run.cancel) && !atomic_load(&download->store.dead_by)) {
        r = expand_next(&download->reader, &download->expander, &study, error);
        if (r <= 0) break;
        r = 0;
        download_skip(download, study);
        naming = study->naming;
        if (rehearsal)
            download_rehearse(download, study);
        else
            run_add(&download->run, study);
        if (naming && !rehearsal) counts_name_all(&download->run, study);
    }
    if (!rehearsal) run_finish(&download->run);
    return r < 0 ? r : 0;
}

/* The last word: what the counts mean as a status. */
static int download_judge(struct download *download, const struct trolley_counts *counts,
                          struct trolley_error *error)
{
    const uint64_t delivered = counts->stored + counts->skipped + counts->replaced;
    const uint64_t lacking = counts->missing + counts->failed;
    const struct task_failure *first = &download->report.first;
    const char *why = first->status ? first->message : "the server sent nothing";

    if (atomic_load(download->run.cancel))
        return error_set(error, TROLLEY_ERR_CANCELLED, "interrupted");
    if (lacking && !delivered && !download->rehearsed) {
        int status = first->status == TROLLEY_ERR_AUTH || first->status == TROLLEY_ERR_NO_SPACE
                         ? first->status
                         : TROLLEY_ERR_NOT_FOUND;

        (void)error_set(error, status, "nothing was delivered: %s", why);
        if (error) error->code = first->code;
        return status;
    }
    if (lacking)
        return error_set(error, TROLLEY_ERR_PARTIAL,
                         "%llu of the instances asked for are not there: %s",
                         (unsigned long long)lacking, why);
    if (!counts->verified && (download->options->flags & TROLLEY_DOWNLOAD_REQUIRE_VERIFIED) &&
        !(download->options->flags & TROLLEY_DOWNLOAD_DRY_RUN))
        return error_set(error, TROLLEY_ERR_PARTIAL,
                         "no searcher said what to expect, and --require-verified was asked");
    return 0;
}

static void download_close(struct download *download)
{
    size_t i;

    for (i = 0; i < download->run.downloader_count; i++)
        instance_free(download->run.downloaders[i].asked);
    if (download->store_ready) store_clear(&download->store);
    instance_free(download->storage);
    instance_free(download->expander_instance);
    free(download->run.downloaders);
    pthread_mutex_destroy(&download->searcher_lock);
    trolley_tree_free(download->found);
    task_clear(&download->find_task);
    task_clear(&download->task);
    report_clear(&download->report);
}

/* One job, and one place to put it. */
static int download_check(const struct trolley_download_options *options,
                          struct trolley_error *error)
{
    const int jobs =
        (options->query != NULL) + (options->source != NULL) + (options->refs.items != NULL);

    if (jobs != 1)
        return error_set(error, TROLLEY_ERR_INVALID_ARG,
                         "%s says what to download: a query, a "
                         "source or references",
                         jobs ? "more than one thing" : "nothing");
    if (options->storage && options->output)
        return error_set(error, TROLLEY_ERR_INVALID_ARG,
                         "a storage of one's own and an output folder exclude each other");
    return 0;
}

int trolley_download(struct trolley *trolley, const struct trolley_download_options *options,
                     struct trolley_counts *ret_counts, struct trolley_error *error)
{
    struct download download = {.trolley = trolley, .options = options};
    const atomic_int *cancel = &trolley->setup->cancelled;
    struct trolley_counts counts;
    int r;

    if (!ret_counts) ret_counts = &counts;
    report_init(&download.report, options);
    task_init(&download.task, "host", cancel, report_remark, &download.report);
    task_init(&download.find_task, "host", cancel, report_remark, &download.report);
    pthread_mutex_init(&download.searcher_lock, NULL);
    download.run.expander = &download.expander;
    download.run.store = &download.store;
    download.run.report = &download.report;
    download.run.cancel = cancel;
    r = download_check(options, error);
    if (r == 0) r = download_open_downloaders(&download, error);
    if (r == 0) r = download_open_store(&download, error);
    if (r == 0) r = download_open_expander(&download, error);
    if (r == 0) r = download_find(&download, error);
    if (r == 0) r = download_feed(&download, error);
    report_counts(&download.report, ret_counts);
    ret_counts->verified = ret_counts->unverified_studies == 0;
    if (r == 0) r = download_judge(&download, ret_counts, error);
    download_close(&download);
    return r;
}
