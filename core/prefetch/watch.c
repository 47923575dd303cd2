/* SPDX-License-Identifier: MIT */
#include "core/prefetch/watch.h"

#include <kit/digest.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/model/error.h"

#define TAG_STUDY_INSTANCES UINT32_C(0x00201208)
#define TAG_STUDY_SERIES UINT32_C(0x00201206)
#define TAG_SERIES_INSTANCES UINT32_C(0x00201209)

#define WATCH_TOUCH INT64_C(3600000)              /* how often what did not change is written */
#define WATCH_FORGET (30 * 24 * INT64_C(3600000)) /* what was not seen for so long */

struct poll {
    const struct prefetch_watching *watching;
    const struct prefetch_watch *watch;
    int64_t now_ms;
    uint32_t depth; /* that the rules ask for */
    bool told;      /* that there are no numbers */
    struct prefetch_poll result;
    struct trolley_error *error;
    const char *study; /* in hand */
};

static void poll_remark(struct poll *poll, uint32_t severity, const char *format, const char *text)
{
    struct trolley_error line;
    struct trolley_remark remark = {severity, 0, "prefetch", NULL, line.message};
    char message[2200];

    if (!poll->watching->remark) return;
    (void)snprintf(message, sizeof message, "[watch %s]: %s%s", poll->watch->name, format, text);
    (void)error_set(&line, 0, "%.1800s", message);
    poll->watching->remark(poll->watching->remark_ctx, &remark);
}

/* ---- what is seen of a study ---------------------------------------------------------------- */

static int64_t node_number(const struct trolley_node *node, uint32_t tag)
{
    const char *text = trolley_node_text(node, tag, 0);
    char *end;
    long long number;

    if (!text || !*text) return -1;
    number = strtoll(text, &end, 10);
    while (*end == ' ')
        end++;
    return *end || number < 0 ? -1 : number;
}

static int digest_compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* All instances below a node: how many, and (uids not NULL) which. */
static size_t digest_collect(const struct trolley_node *node, const char **uids)
{
    const struct trolley_node *child;
    size_t count = 0;

    if (trolley_node_level(node) == TROLLEY_LEVEL_INSTANCE) {
        if (uids) *uids = trolley_node_uid(node);
        return 1;
    }
    for (child = trolley_node_first_child(node); child; child = trolley_node_next(child))
        count += digest_collect(child, uids ? uids + count : NULL);
    return count;
}

/* SHA-256 of the sorted UIDs of all instances below, in hex. */
static int digest_make(const struct trolley_node *node, char digest[KIT_DIGEST_HEX_SIZE],
                       struct trolley_error *error)
{
    size_t count = digest_collect(node, NULL), i;
    const char **uids = calloc(count + 1, sizeof *uids);
    struct kit_digest *hash = kit_digest_new();
    const bool good = uids && hash;

    if (good) {
        (void)digest_collect(node, uids);
        qsort(uids, count, sizeof *uids, digest_compare);
    }
    for (i = 0; good && i < count; i++)
        kit_digest_update(hash, uids[i], strlen(uids[i]) + 1);
    if (good) (void)kit_digest_hex(hash, digest);
    kit_digest_free(hash);
    free(uids);
    return good ? 0 : error_set(error, TROLLEY_ERR_NOMEM, "out of memory");
}

/* What the answer about studies says of this one; *ret_tree (else NULL): its instances, where they
 * had to be asked for. */
static int seen_study(struct poll *poll, const struct trolley_node *node,
                      struct prefetch_seen *seen, struct trolley_tree **ret_tree)
{
    const struct prefetch_watching *watching = poll->watching;
    const struct trolley_node *study;
    bool uids = poll->watch->detect_uids;
    int r;

    *ret_tree = NULL;
    *seen = (struct prefetch_seen){node_number(node, TAG_STUDY_INSTANCES),
                                   node_number(node, TAG_STUDY_SERIES), "", 0};
    if (!uids && seen->instances < 0) {
        if (!poll->told)
            poll_remark(poll, TROLLEY_LOG_WARNING,
                        "the server tells no NumberOfStudyRelatedInstances: UIDs are compared "
                        "(detect = uids)",
                        "");
        poll->told = true;
        uids = true;
    }
    if (!uids) return 0;
    r = prefetch_ask_study(watching->asking, watching->asking_ctx, watching->settings,
                           poll->watch->searcher, poll->study, TROLLEY_LEVEL_INSTANCE, ret_tree,
                           poll->error);
    if (r < 0) return r;
    study = trolley_tree_study(*ret_tree, poll->study);
    if (study) r = digest_make(study, seen->digest, poll->error);
    return r;
}

static int seen_series(struct poll *poll, const struct trolley_node *series,
                       struct prefetch_seen *seen)
{
    *seen = (struct prefetch_seen){node_number(series, TAG_SERIES_INSTANCES), -1, "", 0};
    return trolley_node_first_child(series) ? digest_make(series, seen->digest, poll->error) : 0;
}

/* The UIDs decide where both are known; else the numbers, as far as they were told. */
static bool seen_same(const struct prefetch_seen *old, const struct prefetch_seen *seen)
{
    if (old->digest[0] && seen->digest[0]) return strcmp(old->digest, seen->digest) == 0;
    if (seen->instances < 0 || old->instances < 0) return false;
    if (seen->instances != old->instances) return false;
    return seen->series < 0 || old->series < 0 || seen->series == old->series;
}

/* ---- a study that changed ------------------------------------------------------------------- */

static bool change_about(void *ctx, const struct trolley_node *series)
{
    struct poll *poll = ctx;
    struct prefetch_seen old, seen;
    int r = prefetch_store_watch_get(poll->watching->store, poll->watch->name, poll->study,
                                     trolley_node_uid(series), &old, NULL);

    /* In doubt it did. */
    return r <= 0 || seen_series(poll, series, &seen) < 0 || !seen_same(&old, &seen);
}

/* A series that is no longer there: its objects may have gone to another one. */
static int change_gone(void *ctx, const char *series)
{
    struct poll *poll = ctx;
    const struct prefetch_arrival arrival = {.kind = TROLLEY_PREFETCH_PREVIOUS,
                                             .study = poll->study,
                                             .series = series,
                                             .at_ms = poll->now_ms};
    uint32_t tasks = 0;
    int r = prefetch_arrive(poll->watching->store, poll->watching->settings, &arrival, &tasks,
                            poll->error);

    poll->result.tasks += tasks;
    return r;
}

static int change_series(struct poll *poll, const struct trolley_node *study)
{
    struct prefetch_store *store = poll->watching->store;
    const struct trolley_node *series = study ? trolley_node_first_child(study) : NULL;
    struct prefetch_seen seen;
    int r;

    if (!series) return 0;
    r = prefetch_store_watch_mark(store, poll->watch->name, poll->study, poll->error);
    for (; r == 0 && series; series = trolley_node_next(series)) {
        r = seen_series(poll, series, &seen);
        if (r == 0)
            r = prefetch_store_watch_set(store, poll->watch->name, poll->study,
                                         trolley_node_uid(series), &seen, poll->now_ms,
                                         poll->error);
    }
    if (r == 0)
        r = prefetch_store_watch_gone(store, poll->watch->name, poll->study, change_gone, poll,
                                      poll->error);
    return r;
}

/* `node`: what the answer about studies said; `tree`: what was asked about this one, or NULL. */
static int change_write(struct poll *poll, const struct trolley_node *node,
                        const struct trolley_tree *tree, const struct prefetch_seen *seen)
{
    struct prefetch_store *store = poll->watching->store;
    const struct trolley_node *study = tree ? trolley_tree_study(tree, poll->study) : NULL;
    const struct prefetch_arrival arrival = {.kind = TROLLEY_PREFETCH_NEW,
                                             .study = poll->study,
                                             .at_ms = poll->now_ms,
                                             .node = study ? study : node,
                                             .about = change_about,
                                             .ctx = poll};
    uint32_t tasks = 0;
    int r = prefetch_store_begin(store, poll->error);

    if (r < 0) return r;
    r = prefetch_arrive(store, poll->watching->settings, &arrival, &tasks, poll->error);
    if (r == 0)
        r = prefetch_store_watch_set(store, poll->watch->name, poll->study, NULL, seen,
                                     poll->now_ms, poll->error);
    if (r == 0) r = change_series(poll, study);
    r = prefetch_store_end(store, r, poll->error);
    if (r < 0) return r;
    poll->result.changed++;
    poll->result.tasks += tasks;
    return 0;
}

/* Looks at one study of the answer. */
static int poll_study(struct poll *poll, const struct trolley_node *node)
{
    const struct prefetch_watching *watching = poll->watching;
    struct prefetch_seen old = {0}, seen;
    struct trolley_tree *tree = NULL;
    bool known;
    int r;

    poll->study = trolley_node_uid(node);
    r = seen_study(poll, node, &seen, &tree);
    if (r == 0)
        r = prefetch_store_watch_get(watching->store, poll->watch->name, poll->study, NULL, &old,
                                     poll->error);
    known = r > 0 && seen_same(&old, &seen);
    if (r >= 0 && known && poll->now_ms - old.seen_ms >= WATCH_TOUCH)
        r = prefetch_store_watch_set(watching->store, poll->watch->name, poll->study, NULL, &seen,
                                     poll->now_ms, poll->error);
    if (r >= 0 && !known) {
        r = 0;
        if (!tree && poll->depth > TROLLEY_LEVEL_STUDY)
            r = prefetch_ask_study(watching->asking, watching->asking_ctx, watching->settings,
                                   poll->watch->searcher, poll->study, poll->depth, &tree,
                                   poll->error);
        if (r == 0) r = change_write(poll, node, tree, &seen);
    }
    trolley_tree_free(tree);
    return r < 0 ? r : 0;
}

/* ---- a poll --------------------------------------------------------------------------------- */

/* What the watch asks for, so that another question is another watch. */
static int poll_question(struct poll *poll, char *text, size_t size)
{
    const struct prefetch_watch *watch = poll->watch;
    size_t length = (size_t)snprintf(text, size, "%s\n%d", watch->searcher, watch->detect_uids);
    uint32_t i;

    for (i = 0; i < watch->query_count && length < size; i++)
        length += (size_t)snprintf(text + length, size - length, "\n%s", watch->query[i]);
    return length < size ? 0
                         : error_set(poll->error, TROLLEY_ERR_TOO_LARGE,
                                     "[watch %s]: its query is too long", watch->name);
}

static int poll_query(struct poll *poll, struct trolley_query_builder **ret_query)
{
    struct trolley_query_builder *query;
    uint32_t i;
    int r = trolley_query_new(&query, poll->error);

    if (r < 0) return r;
    for (i = 0; r == 0 && i < poll->watch->query_count; i++) {
        const char *text = poll->watch->query[i], *equals = strchr(text, '=');
        char key[256];

        if (!equals || (size_t)(equals - text) >= sizeof key) {
            r = error_set(poll->error, TROLLEY_ERR_INVALID_CONFIG,
                          "[watch %s] key `query`: %s: KEY=VALUE is expected", poll->watch->name,
                          text);
            break;
        }
        (void)snprintf(key, sizeof key, "%.*s", (int)(equals - text), text);
        r = trolley_query_set(query, key, equals + 1, poll->error);
    }
    if (r == 0) r = trolley_query_include(query, "NumberOfStudyRelatedInstances", poll->error);
    if (r == 0) r = trolley_query_include(query, "NumberOfStudyRelatedSeries", poll->error);
    if (r == 0)
        r = prefetch_rules_include(poll->watching->settings, TROLLEY_LEVEL_STUDY, query,
                                   poll->error);
    if (r < 0)
        trolley_query_free(query);
    else
        *ret_query = query;
    return r;
}

/* Records the first answer as known: all of it, or nothing. */
static int poll_record(struct poll *poll, const struct trolley_tree *tree, const char *question)
{
    struct prefetch_store *store = poll->watching->store;
    const struct trolley_node *node = trolley_tree_first(tree);
    uint64_t count = trolley_tree_count(tree, TROLLEY_LEVEL_STUDY), i;
    struct prefetch_seen *seen = calloc(count + 1, sizeof *seen);
    struct trolley_tree *below;
    int r = seen ? 0 : error_set(poll->error, TROLLEY_ERR_NOMEM, "out of memory");

    for (i = 0; r == 0 && node; node = trolley_node_next(node), i++) {
        poll->study = trolley_node_uid(node);
        r = seen_study(poll, node, &seen[i], &below);
        trolley_tree_free(below);
    }
    if (r == 0) r = prefetch_store_begin(store, poll->error);
    if (r == 0) {
        for (i = 0, node = trolley_tree_first(tree); r == 0 && node;
             node = trolley_node_next(node), i++)
            r = prefetch_store_watch_set(store, poll->watch->name, trolley_node_uid(node), NULL,
                                         &seen[i], poll->now_ms, poll->error);
        if (r == 0) r = prefetch_store_watch_begin(store, poll->watch->name, question, poll->error);
        r = prefetch_store_end(store, r, poll->error);
    }
    free(seen);
    poll->result.recorded = r == 0;
    return r;
}

static int poll_compare(struct poll *poll, const struct trolley_tree *tree, const char *question,
                        bool begun)
{
    struct trolley_error *error = poll->error, own = {0};
    const struct trolley_node *node;
    int r = 0, one;

    for (node = trolley_tree_first(tree); r == 0 && node; node = trolley_node_next(node)) {
        poll->error = &own;
        one = poll_study(poll, node);
        poll->error = error;
        if (one == TROLLEY_ERR_CANCELLED || one == TROLLEY_ERR_NO_SPACE ||
            one == TROLLEY_ERR_NOMEM) {
            r = error_set(error, one, "%s", own.message);
        } else if (one < 0) {
            poll_remark(poll, TROLLEY_LOG_WARNING,
                        "a study is looked at again next time: ", own.message);
            begun = true; /* the first poll is not over while studies are left */
        }
    }
    if (r == 0 && !begun)
        r = prefetch_store_watch_begin(poll->watching->store, poll->watch->name, question, error);
    if (r == 0)
        r = prefetch_store_watch_forget(poll->watching->store, poll->watch->name,
                                        poll->now_ms - WATCH_FORGET, error);
    return r;
}

int prefetch_watch_poll(const struct prefetch_watching *watching,
                        const struct prefetch_watch *watch, int64_t now_ms,
                        struct prefetch_poll *ret_poll, struct trolley_error *error)
{
    struct poll poll = {.watching = watching,
                        .watch = watch,
                        .now_ms = now_ms,
                        .depth = prefetch_rules_depth(watching->settings),
                        .error = error};
    struct trolley_query_builder *query = NULL;
    struct trolley_tree *tree = NULL;
    char question[8192];
    int r = poll_question(&poll, question, sizeof question), begun = 0;

    if (r == 0) r = poll_query(&poll, &query);
    if (r == 0) r = watching->asking(watching->asking_ctx, watch->searcher, query, &tree, error);
    trolley_query_free(query);
    if (r == 0) begun = prefetch_store_watch_begun(watching->store, watch->name, question, error);
    if (r == 0 && begun < 0) r = begun;
    if (r == 0) {
        poll.result.studies = trolley_tree_count(tree, TROLLEY_LEVEL_STUDY);
        r = begun || watch->baseline_export ? poll_compare(&poll, tree, question, begun > 0)
                                            : poll_record(&poll, tree, question);
    }
    trolley_tree_free(tree);
    if (r == 0) *ret_poll = poll.result;
    return r;
}
