/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <string.h>

#include <new>
#include <string>

#include "association_dcmtk.h"
#include "log.h"
#include "trolley/helpers.h"

/* Longest and shortest wait for the answer to a release, when all is said and done. A peer that has
 * fallen silent since must not hold up the end of a cancelled program for each association. */
#define RELEASE_MS 1000
#define RELEASE_LEAST_MS 200

bool association_ready(void)
{
    static bool done; /* under the host's load lock */

    try {
        if (!done) {
            struct sigaction before;
            T_ASC_Network *network = NULL;

            /* Once: other threads read the level without a lock. */
            OFLog::configure(OFLogger::OFF_LOG_LEVEL);
            dcmEnableAutomaticInputDataCorrection.set(OFFalse);
            dcmDisableGethostbyaddr.set(OFTrue);
            /* The first network fills DCMTK's tables without a lock, and sets SIGPIPE for the whole
             * process, which is not ours to do. */
            (void)sigaction(SIGPIPE, NULL, &before);
            if (ASC_initializeNetwork(NET_REQUESTOR, 0, 10, &network).good())
                (void)ASC_dropNetwork(&network);
            (void)sigaction(SIGPIPE, &before, NULL);
            done = true;
        }
        return dcmDataDict.isDictionaryLoaded();
    } catch (...) {
        return false;
    }
}

int association_seconds(const struct association *association)
{
    int ms = association->channel->patience_ms;

    return ms / 1000 + 2;
}

static bool association_stopped(void *ctx)
{
    const struct association *association = static_cast<const struct association *>(ctx);
    const struct channel_guard guard = channel_task_guard(association->task);

    if (guard.stopped && guard.stopped(guard.ctx)) return true;
    return association->cancelled_ms &&
           channel_now_ms() - association->cancelled_ms > CANCEL_GRACE_MS;
}

/* ---- opening ---- */

static int32_t take_password(void *ctx, const char *text, uint64_t length)
{
    try {
        static_cast<OFString *>(ctx)->assign(text, (size_t)length);
        return 0;
    } catch (...) {
        return TROLLEY_ERR_NOMEM;
    }
}

static int add_identity(struct association *association, T_ASC_Parameters *params)
{
    const struct dimse_settings *settings = &association->settings;
    OFString password;
    const struct trolley_secret_sink sink = {&password, take_password};

    if (!settings->user) return 0;
    int r = settings->config->secret(settings->config, "password", 0, &sink, association->task);
    if (r == TROLLEY_ERR_NOT_FOUND)
        return ASC_setIdentRQUserOnly(params, settings->user, OFFalse).good() ? 0
                                                                              : TROLLEY_ERR_NOMEM;
    if (r < 0) return r;
    OFCondition condition = ASC_setIdentRQUserPassword(params, settings->user, password, OFFalse);
    for (size_t i = 0; i < password.length(); i++)
        password[i] = '\0';
    return condition.good() ? 0 : TROLLEY_ERR_NOMEM;
}

static OFCondition add_contexts(T_ASC_Parameters *params, const struct dimse_context *contexts,
                                size_t count)
{
    static const char *plain[] = {UID_LittleEndianExplicitTransferSyntax,
                                  UID_LittleEndianImplicitTransferSyntax};
    OFCondition condition = EC_Normal;

    for (size_t i = 0; i < count && condition.good(); i++) {
        const char *one[] = {contexts[i].syntax};

        condition = ASC_addPresentationContext(
            params, (T_ASC_PresentationContextID)(2 * i + 1), contexts[i].sop_class,
            contexts[i].syntax ? one : plain, contexts[i].syntax ? 1 : 2,
            contexts[i].store ? ASC_SC_ROLE_SCP : ASC_SC_ROLE_DEFAULT);
    }
    return condition;
}

static void log_accepted(const struct association *association)
{
    T_ASC_Parameters *params = association->as->params;
    int count = ASC_countPresentationContexts(params);

    dimse_log(&association->settings,
              "association with %s accepted: %d of %d contexts, PDUs up to %lu bytes",
              association->settings.called_ae, ASC_countAcceptedPresentationContexts(params), count,
              (unsigned long)association->as->sendPDVLength);
    for (int i = 0; i < count; i++) {
        T_ASC_PresentationContext context;

        if (ASC_getPresentationContext(params, i, &context).good() &&
            context.resultReason == ASC_P_ACCEPTANCE)
            dimse_log(
                &association->settings, "context %u: %s in %s%s", context.presentationContextID,
                context.abstractSyntax, context.acceptedTransferSyntax,
                association_relational(association, context.abstractSyntax) ? ", relational queries"
                                                                            : "");
    }
}

static int negotiate(struct association *association, const struct dimse_context *contexts,
                     size_t count)
{
    const struct dimse_settings *settings = &association->settings;
    int seconds = association_seconds(association), r;
    T_ASC_Parameters *params = NULL;
    Rendezvous rendezvous;

    association->layer = new ChannelLayer(association->channel);
    OFCondition condition = ASC_initializeNetwork(NET_REQUESTOR, 0, seconds, &association->network);
    if (condition.good())
        condition = ASC_setTransportLayer(association->network, association->layer, 0);
    if (condition.good())
        condition = ASC_createAssociationParameters(&params, (long)settings->max_pdu);
    if (condition.bad() || !rendezvous.good())
        return trolley_fail(association->task, TROLLEY_ERR_NOMEM, "cannot set up DCMTK's network");
    (void)ASC_setAPTitles(params, settings->calling_ae, settings->called_ae, NULL);
    (void)ASC_setPresentationAddresses(params, "localhost", rendezvous.address());
    r = add_identity(association, params);
    if (r == 0) {
        condition = add_contexts(params, contexts, count);
        association_offer_relational(params, contexts, count);
        dimse_log(settings, "%s asks %s at %s port %u for an association: %zu contexts%s%s",
                  settings->calling_ae, settings->called_ae, settings->host, settings->port, count,
                  settings->tls ? ", TLS" : "", settings->user ? ", user identity" : "");
        if (condition.good())
            condition = ASC_requestAssociation(association->network, params, &association->as, NULL,
                                               NULL, DUL_NOBLOCK, seconds);
        if (condition == DUL_ASSOCIATIONREJECTED)
            r = association_fail_rejected(association, params);
        else if (condition.bad())
            r = association_fail(association, condition, "opening an association");
    }
    if (!association->as) (void)ASC_destroyAssociationParameters(&params);
    return r;
}

int association_start(const struct dimse_settings *settings, struct channel *channel,
                      const struct dimse_context *contexts, size_t count, struct trolley_task *task,
                      struct association **ret_association)
{
    struct association *association = new (std::nothrow) struct association();
    int r;

    if (!association) {
        channel_free(channel);
        return TROLLEY_ERR_NOMEM;
    }
    association->settings = *settings;
    association->task = task;
    association->channel = channel;
    channel->guard = {association_stopped, association};
    association->handshake_ms = channel_now_ms();
    try {
        r = negotiate(association, contexts, count);
    } catch (...) {
        r = TROLLEY_ERR_NOMEM;
    }
    if (r < 0) {
        association->broken = true;
        association_close(association);
        return r;
    }
    association->open = true;
    association->handshake_ms = channel_now_ms() - association->handshake_ms;
    log_accepted(association);
    association_admit_syntaxes(association->as);
    association->channel->patience_ms = settings->dimse_ms;
    *ret_association = association;
    return 0;
}

int association_open(const struct dimse_settings *settings, const struct dimse_context *contexts,
                     size_t count, struct trolley_task *task, struct association **ret_association)
{
    struct channel *channel;
    int r = channel_connect(settings, task, &channel);

    return r < 0 ? r : association_start(settings, channel, contexts, count, task, ret_association);
}

static int release_patience(const struct association *association)
{
    int64_t ms = 4 * association->handshake_ms;

    return ms < RELEASE_LEAST_MS ? RELEASE_LEAST_MS : ms > RELEASE_MS ? RELEASE_MS : (int)ms;
}

void association_close(struct association *association)
{
    if (!association) return;
    struct channel *channel = association->channel;
    /* The task may be over by now. */
    if (channel) channel->guard = {};
    try {
        if (association->as) {
            if (!association->broken) {
                channel->patience_ms = release_patience(association);
                if (ASC_releaseAssociation(association->as).bad()) association->broken = true;
            }
            if (association->broken) {
                channel->patience_ms = CLOSING_MS;
                (void)ASC_abortAssociation(association->as);
                channel_linger(channel, CLOSING_MS);
            }
            if (association->open)
                dimse_log(&association->settings, "association with %s %s",
                          association->settings.called_ae,
                          association->broken ? "aborted" : "released");
            (void)ASC_destroyAssociation(&association->as);
        }
        if (association->network) (void)ASC_dropNetwork(&association->network);
    } catch (...) {
        association->as = NULL;
    }
    delete association->layer;
    channel_free(channel);
    delete association;
}

bool association_use(struct association *association, struct trolley_task *task)
{
    association->task = task;
    if (association->broken || association->channel->trouble != CHANNEL_FINE) return false;
    /* Between operations a peer has nothing to say but the end. */
    if (channel_readable(association->channel, 0)) association->broken = true;
    return !association->broken && association->channel->trouble == CHANNEL_FINE;
}

void association_local_address(const struct association *association, char *ret_text, size_t size)
{
    channel_local_address(association->channel, ret_text, size);
}
