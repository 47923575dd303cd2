/* c-move: downloads by C-MOVE to a storage SCP of our own [PS3.4 C.4.2].
 * SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trolley/helpers.h>
#include <trolley/plugin.h>

#include "association.h"
#include "group.h"
#include "listener.h"
#include "status.h"

/* What the instances of a section share. */
struct move_shared {
    pthread_mutex_t lock;
    struct listener_settings listening;
    struct listener *listener; /* started with the first fetch */
};

struct mover {
    struct dimse_settings settings;
    struct move_shared *shared;
    int store_wait_ms;
    struct association *association; /* kept open from one fetch to the next; NULL for none */
};

static const struct trolley_option move_option_table[] = {
    DIMSE_COMMON_OPTIONS,
    DIMSE_OPTION_MORE(TROLLEY_OPTION_PORT, "listen_port", "11112",
                      "Port on which we take what the PACS sends; 0 for any free one", .min = 0,
                      .max = 65535),
    DIMSE_OPTION_MORE(TROLLEY_OPTION_STRING, "listen_address", NULL,
                      "Address on which we listen; default all", .metavar = "ADDRESS"),
    DIMSE_OPTION(TROLLEY_OPTION_AE_TITLE, "destination_ae", NULL,
                 "AE title under which the PACS knows our address and port; default calling_ae"),
    DIMSE_OPTION(TROLLEY_OPTION_BOOL, "listen_tls", "no", "The PACS sends to us over TLS"),
    DIMSE_OPTION(TROLLEY_OPTION_PATH, "listen_cert", NULL,
                 "PEM file of the certificate that we show to who sends"),
    DIMSE_OPTION(TROLLEY_OPTION_PATH, "listen_key", NULL,
                 "PEM file of its private key; default listen_cert"),
    DIMSE_OPTION(
        TROLLEY_OPTION_PATH, "listen_ca", NULL,
        "PEM file of the certificates one of which must vouch for who sends; default anyone"),
    DIMSE_OPTION_MORE(TROLLEY_OPTION_DURATION, "store_wait", "10s",
                      "How long stores may be quiet behind the final response", .min = 0,
                      .max = 3600000),
};
static const struct trolley_span move_options = TROLLEY_SPAN(move_option_table);

/* ---- shared ---- */

static int check_listening(const struct listener_settings *listening, struct trolley_task *task)
{
    const struct channel_tls_files *files = &listening->files;

    if (listening->tls && !files->cert)
        return trolley_fail(task, TROLLEY_ERR_INVALID_CONFIG, "listen_tls needs listen_cert");
    if (!listening->tls && (files->ca || files->cert || files->key))
        return trolley_fail(task, TROLLEY_ERR_INVALID_CONFIG,
                            "listen_cert, listen_key and listen_ca need listen_tls = yes");
    return 0;
}

static int32_t move_open(const struct trolley_host *host, const struct trolley_config *config,
                         struct trolley_task *task, void **shared)
{
    struct move_shared *made = calloc(1, sizeof *made);
    struct dimse_settings settings;
    const char *destination = config->text(config, "destination_ae");
    int r;

    if (!made) return TROLLEY_ERR_NOMEM;
    r = dimse_settings_read(host, config, task, &settings);
    if (r < 0) {
        free(made);
        return r;
    }
    made->listening = (struct listener_settings){
        .common = settings,
        .ae_title = destination ? destination : settings.calling_ae,
        .address = config->text(config, "listen_address"),
        .port = (uint16_t)config->integer(config, "listen_port", 11112),
        .tls = config->integer(config, "listen_tls", 0) != 0,
        .files = {config->text(config, "listen_ca"), config->text(config, "listen_cert"),
                  config->text(config, "listen_key")},
    };
    r = check_listening(&made->listening, task);
    if (r < 0) {
        free(made);
        return r;
    }
    (void)pthread_mutex_init(&made->lock, NULL);
    *shared = made;
    return 0;
}

static void move_close(void *opened)
{
    struct move_shared *shared = opened;

    if (!shared) return;
    listener_stop(shared->listener);
    (void)pthread_mutex_destroy(&shared->lock);
    free(shared);
}

static int listen_now(struct mover *mover, struct trolley_task *task)
{
    struct move_shared *shared = mover->shared;
    int r = 0;

    (void)pthread_mutex_lock(&shared->lock);
    if (!shared->listener) r = listener_start(&shared->listening, task, &shared->listener);
    (void)pthread_mutex_unlock(&shared->lock);
    return r;
}

static int associate(struct mover *mover, struct trolley_task *task)
{
    const struct dimse_context contexts[] = {
        {UID_STUDY_ROOT_MOVE, NULL, false, false},
        {UID_VERIFICATION, NULL, false, false},
    };

    if (mover->association && association_use(mover->association, task)) return 0;
    association_close(mover->association);
    mover->association = NULL;
    return association_open(&mover->settings, contexts, sizeof contexts / sizeof contexts[0], task,
                            &mover->association);
}

/* ---- one group ---- */

/* Of a running C-MOVE: what retrieve_request's callbacks get. */
struct running {
    struct group *group;
    struct move *move;
};

static int64_t running_last_store(void *ctx, int *ret_stop)
{
    struct move_progress progress;

    moves_progress(((struct running *)ctx)->move, &progress);
    *ret_stop = progress.stop;
    return progress.last_ms;
}

static void running_failed(void *ctx, const char *instance)
{
    group_failed(((struct running *)ctx)->group, instance);
}

/* What the administrator of the PACS must enter, and for what. */
static void advise(const struct mover *mover, const char *why, char *ret_text, size_t size)
{
    char address[64];

    association_local_address(mover->association, address, sizeof address);
    (void)snprintf(ret_text, size,
                   "%s: the PACS %s must know the AE title %s with the address of this machine "
                   "(%s from here) and port %u, and be able to connect to it",
                   why, mover->settings.called_ae, mover->shared->listening.ae_title,
                   mover->shared->listening.address ? mover->shared->listening.address : address,
                   listener_port(mover->shared->listener));
}

/* Advice where the final response, or what became of it, asks for some; else "". */
static void judge(const struct mover *mover, const struct retrieve_result *result,
                  const struct move_progress *progress, char *ret_text, size_t size)
{
    const struct retrieve_counts *counts = &result->counts;
    bool nothing = progress->stored == 0 && progress->refused == 0;

    ret_text[0] = '\0';
    if (result->status == DIMSE_UNKNOWN_DESTINATION)
        advise(mover, "the PACS does not know the destination", ret_text, size);
    else if (nothing && counts->completed + counts->warning > 0)
        advise(mover, "the PACS says that it sent instances, but none came here", ret_text, size);
    else if (nothing && (counts->failed > 0 || (result->status & 0xF000) == 0xC000))
        advise(mover, "the PACS could send nothing here", ret_text, size);
}

static int run(struct mover *mover, struct running *running, uint16_t message_id,
               const struct trolley_dataset_sink *sink, struct trolley_task *task)
{
    const struct retrieve_request request = {
        .destination = mover->shared->listening.ae_title,
        .message_id = message_id,
        .refs = running->group->items,
        .count = running->group->count,
        .sink = sink,
        .last_store = running_last_store,
        .failed = running_failed,
        .ctx = running,
    };
    struct retrieve_result result;
    struct move_progress progress;
    char advice[512];
    int r = association_retrieve(mover->association, &request, &result);

    if (r == 0) {
        if (!result.stop)
            moves_wait(running->move, (uint64_t)result.counts.completed + result.counts.warning,
                       mover->store_wait_ms);
        moves_progress(running->move, &progress);
        if (task->cancelled(task)) return TROLLEY_ERR_CANCELLED;
        result.stop = progress.stop;
        judge(mover, &result, &progress, advice, sizeof advice);
        r = group_report(running->group, &result, "C-MOVE", advice, sink, task);
        /* Some servers keep their index locked after a refusal, until its association ends. */
        if (result.status != DIMSE_SUCCESS && result.status != DIMSE_SUBOPERATIONS_FAILED) {
            association_close(mover->association);
            mover->association = NULL;
        }
        return r;
    }
    moves_progress(running->move, &progress);
    if (r == TROLLEY_ERR_TIMEOUT && progress.stored + progress.refused == 0) {
        advise(mover, "C-MOVE: no answer and no instance came", advice, sizeof advice);
        return trolley_fail(task, r, "%s", advice);
    }
    return r;
}

static int move_group(struct mover *mover, struct group *group,
                      const struct trolley_dataset_sink *sink, struct trolley_task *task)
{
    struct running running = {.group = group};
    uint16_t message_id;
    int r = associate(mover, task);

    if (r == 0)
        r = moves_expect(listener_moves(mover->shared->listener), group->refs, group->count, sink,
                         task, &running.move, &message_id);
    if (r < 0) return r;
    r = run(mover, &running, message_id, sink, task);
    moves_forget(running.move);
    return r;
}

static int32_t move_fetch(void *self, const struct trolley_span *refs,
                          const struct trolley_dataset_sink *sink, struct trolley_task *task)
{
    struct group *group = malloc(sizeof *group);
    bool *done = calloc((size_t)refs->count + 1, sizeof *done);
    int r = group && done ? listen_now(self, task) : TROLLEY_ERR_NOMEM;

    while (r == 0) {
        r = task->cancelled(task) ? TROLLEY_ERR_CANCELLED : group_next(refs, done, group);
        if (r <= 0) break;
        r = move_group(self, group, sink, task);
        group_free(group);
    }
    free(done);
    free(group);
    return r;
}

/* ---- the rest ---- */

static uint32_t move_preferred_level(void *self)
{
    (void)self;
    return TROLLEY_LEVEL_SERIES;
}

static uint32_t move_batch(void *self)
{
    (void)self;
    return GROUP_REFS;
}

static uint32_t move_group_level(void *self)
{
    (void)self;
    return TROLLEY_LEVEL_SERIES;
}

static int32_t move_ping(void *self, struct trolley_task *task)
{
    struct mover *mover = self;
    int r = associate(mover, task);

    return r < 0 ? r : association_echo(mover->association);
}

static void move_destroy(void *self)
{
    struct mover *mover = self;

    if (!mover) return;
    association_close(mover->association);
    free(mover);
}

static int32_t move_create(const struct trolley_host *host, const struct trolley_config *config,
                           void *shared, struct trolley_task *task, void **self)
{
    struct mover *mover = calloc(1, sizeof *mover);
    int r;

    if (!mover) return TROLLEY_ERR_NOMEM;
    r = dimse_settings_read(host, config, task, &mover->settings);
    if (r < 0) {
        move_destroy(mover);
        return r;
    }
    mover->shared = shared;
    mover->store_wait_ms = (int)config->integer(config, "store_wait", 10000);
    *self = mover;
    return 0;
}

static const void *move_get_interface(void *self, const char *id)
{
    static const struct trolley_ping_interface ping = {.size = sizeof ping, .ping = move_ping};

    (void)self;
    return strcmp(id, TROLLEY_PING_INTERFACE) == 0 ? &ping : NULL;
}

static const struct trolley_downloader_ops move_ops = {
    .size = sizeof move_ops,
    .fetch = move_fetch,
    .preferred_level = move_preferred_level,
    .batch = move_batch,
    .group_level = move_group_level,
};

static const struct trolley_component move_component = {
    .size = sizeof move_component,
    .kind = TROLLEY_KIND_DOWNLOADER,
    .summary = "C-MOVE: the PACS sends instances to a storage SCP of our own",
    .options = &move_options,
    .levels = TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_STUDY) | TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_SERIES) |
              TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_INSTANCE),
    .open = move_open,
    .close = move_close,
    .create = move_create,
    .destroy = move_destroy,
    .ops = &move_ops,
    .get_interface = move_get_interface,
};

static const struct trolley_component *const move_components[] = {&move_component, NULL};

const struct trolley_plugin *trolley_plugin_v1(void)
{
    static const struct trolley_plugin plugin = {
        .size = sizeof plugin,
        .abi_minor = TROLLEY_ABI_MINOR,
        .name = "c-move",
        .version = TROLLEY_VERSION,
        .license = "MIT",
        .summary = "Downloads over DIMSE's C-MOVE",
        .components = move_components,
    };

    return &plugin;
}
