/* One association that a PACS opened to send what a C-MOVE asked for. SPDX-License-Identifier: MIT
 */
#include "listener.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <dcmtk/dcmnet/diutil.h>

#include "association_dcmtk.h"
#include "log.h"
#include "store_dcmtk.h"

struct serving {
    struct listener *listener;
    const struct listener_settings *settings;
    struct channel *channel;
    struct move *move; /* whose store is being received */
    T_ASC_Network *network;
    T_ASC_Association *as;
};

/* While bytes come they are its life; the guard is asked while none do. */
static bool serving_stopped(void *ctx)
{
    struct serving *serving = static_cast<struct serving *>(ctx);

    return listener_stopping(serving->listener) || (serving->move && move_over(serving->move));
}

/* Hands each write on and marks the C-MOVE alive. */
struct tapped {
    const struct trolley_dataset_sink *sink;
    struct move *move;
    void *item;
};

static int32_t tapped_begin(void *ctx, const struct trolley_meta *meta, void **item)
{
    struct tapped *tapped = static_cast<struct tapped *>(ctx);
    int32_t r = tapped->sink->begin(tapped->sink->ctx, meta, &tapped->item);

    if (r == 0) *item = tapped;
    return r;
}

static int32_t tapped_write(void *item, const void *data, uint64_t length)
{
    struct tapped *tapped = static_cast<struct tapped *>(item);

    move_alive(tapped->move);
    if (move_over(tapped->move)) return TROLLEY_ERR_CANCELLED;
    return tapped->sink->write(tapped->item, data, length);
}

static int32_t tapped_end(void *item, const struct trolley_failure *failure)
{
    struct tapped *tapped = static_cast<struct tapped *>(item);

    return tapped->sink->end(tapped->item, failure);
}

static int seconds(const struct serving *serving)
{
    return serving->channel->patience_ms / 1000 + 2;
}

/* ---- negotiation ---- */

static bool storage_class(const char *sop_class)
{
    /* A private class can only be one of storage here. */
    return dcmIsaStorageSOPClassUID(sop_class) || strncmp(sop_class, "1.2.840.10008.", 14) != 0 ||
           strcmp(sop_class, UID_VERIFICATION) == 0;
}

/* Storage in whatever transfer syntax the peer names first: it is the one it has. */
static OFCondition accept_contexts(T_ASC_Parameters *params)
{
    OFCondition condition = EC_Normal;
    int count = ASC_countPresentationContexts(params);

    for (int i = 0; i < count && condition.good(); i++) {
        T_ASC_PresentationContext offered;

        condition = ASC_getPresentationContext(params, i, &offered);
        if (condition.bad()) break;
        if (storage_class(offered.abstractSyntax) && offered.transferSyntaxCount > 0)
            condition = ASC_acceptPresentationContext(params, offered.presentationContextID,
                                                      offered.proposedTransferSyntaxes[0]);
        else
            condition = ASC_refusePresentationContext(params, offered.presentationContextID,
                                                      ASC_P_ABSTRACTSYNTAXNOTSUPPORTED);
    }
    return condition;
}

static OFCondition negotiate(struct serving *serving)
{
    DIC_AE calling, called;

    OFCondition condition = ASC_getAPTitles(serving->as->params, calling, sizeof calling, called,
                                            sizeof called, NULL, 0);
    if (condition.good() && strcmp(called, serving->settings->ae_title) != 0) {
        const T_ASC_RejectParameters why = {ASC_RESULT_REJECTEDPERMANENT, ASC_SOURCE_SERVICEUSER,
                                            ASC_REASON_SU_CALLEDAETITLENOTRECOGNIZED};

        dimse_log(&serving->settings->common,
                  "listener: %s called %s, but we are %s: association rejected", calling, called,
                  serving->settings->ae_title);
        (void)ASC_rejectAssociation(serving->as, &why);
        return DUL_ASSOCIATIONREJECTED;
    }
    if (condition.good()) condition = accept_contexts(serving->as->params);
    if (condition.good())
        dimse_log(&serving->settings->common,
                  "listener: association from %s accepted: %d of %d contexts", calling,
                  ASC_countAcceptedPresentationContexts(serving->as->params),
                  ASC_countPresentationContexts(serving->as->params));
    if (condition.good()) condition = ASC_acknowledgeAssociation(serving->as);
    if (condition.good()) association_admit_syntaxes(serving->as);
    return condition;
}

/* ---- stores ---- */

static OFCondition take_store(struct serving *serving, T_ASC_PresentationContextID context,
                              T_DIMSE_C_StoreRQ &request)
{
    char instance[sizeof request.AffectedSOPInstanceUID];
    int32_t status = 0;

    memcpy(instance, request.AffectedSOPInstanceUID, sizeof instance);
    (void)store_trim_uid(instance);
    const struct store_origin origin = {
        instance,
        request.opts & O_STORE_MOVEORIGINATORAETITLE ? request.MoveOriginatorApplicationEntityTitle
                                                     : NULL,
        (request.opts & O_STORE_MOVEORIGINATORID) != 0, request.MoveOriginatorID};
    serving->move = moves_claim(listener_moves(serving->listener), &origin);
    struct tapped tapped = {serving->move ? move_sink(serving->move) : NULL, serving->move, NULL};
    const struct trolley_dataset_sink sink = {&tapped,    tapped_begin, tapped_write,
                                              tapped_end, NULL,         NULL};
    const struct store_target target = {serving->channel,
                                        serving->move ? &sink : NULL,
                                        serving->move ? move_task(serving->move) : NULL,
                                        serving->move ? move_study(serving->move) : NULL,
                                        NULL,
                                        serving->as->params->DULparams.callingAPTitle,
                                        &serving->settings->common};
    OFCondition condition =
        store_receive(serving->as, context, request, &target, seconds(serving), &status);
    if (serving->move) moves_release(serving->move, status);
    serving->move = NULL;
    return condition;
}

static OFCondition serve_messages(struct serving *serving)
{
    OFCondition condition = EC_Normal;

    while (condition.good()) {
        T_ASC_PresentationContextID context = 0;
        T_DIMSE_Message message;

        memset((void *)&message, 0, sizeof message);
        condition = DIMSE_receiveCommand(serving->as, DIMSE_NONBLOCKING, seconds(serving), &context,
                                         &message, NULL);
        if (condition.bad()) break;
        if (message.CommandField == DIMSE_C_ECHO_RQ)
            condition = DIMSE_sendEchoResponse(serving->as, context, &message.msg.CEchoRQ,
                                               STATUS_Success, NULL);
        else if (message.CommandField == DIMSE_C_STORE_RQ)
            condition = take_store(serving, context, message.msg.CStoreRQ);
        else
            condition = DIMSE_BADCOMMANDTYPE;
    }
    return condition;
}

/* ---- the association ---- */

static OFCondition receive_association(struct serving *serving, ChannelLayer *layer,
                                       Rendezvous *rendezvous)
{
    static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

    (void)pthread_mutex_lock(&one_at_a_time);
    OFCondition condition =
        ASC_initializeNetwork(NET_ACCEPTOR, 0, seconds(serving), &serving->network);
    /* DCMTK listens where it likes: the private socket takes that one's place at once. */
    if (condition.good() &&
        (!rendezvous->good() || !rendezvous->replace(DUL_networkSocket(serving->network->network))))
        condition = EC_MemoryExhausted;
    (void)pthread_mutex_unlock(&one_at_a_time);
    if (condition.good()) condition = ASC_setTransportLayer(serving->network, layer, 0);
    if (condition.good())
        condition = ASC_receiveAssociation(serving->network, &serving->as,
                                           (long)serving->settings->common.max_pdu, NULL, NULL,
                                           OFFalse, DUL_NOBLOCK, seconds(serving));
    return condition;
}

static void finish(struct serving *serving, const OFCondition &condition)
{
    serving->channel->patience_ms = CLOSING_MS;
    if (!serving->as) return;
    if (condition == DUL_PEERREQUESTEDRELEASE)
        (void)ASC_acknowledgeRelease(serving->as);
    else if (condition != DUL_ASSOCIATIONREJECTED) {
        (void)ASC_abortAssociation(serving->as);
        channel_linger(serving->channel, CLOSING_MS);
    }
    (void)ASC_dropAssociation(serving->as);
    (void)ASC_destroyAssociation(&serving->as);
}

static void serve(struct serving *serving)
{
    ChannelLayer layer(serving->channel);
    Rendezvous rendezvous;

    OFCondition condition = receive_association(serving, &layer, &rendezvous);
    if (condition.good()) condition = negotiate(serving);
    serving->channel->patience_ms = serving->settings->common.dimse_ms;
    if (condition.good()) condition = serve_messages(serving);
    dimse_log(&serving->settings->common, "listener: association ends: %s", condition.text());
    finish(serving, condition);
    if (serving->network) (void)ASC_dropNetwork(&serving->network);
}

/* The handshake of TLS, if there is to be one. What fails there is said to all: the PACS will only
 * tell that it could not send. */
static bool secure(const struct serving *serving, struct channel_tls_server *tls)
{
    const struct trolley_host *host = serving->settings->common.host_services;
    struct channel *channel = serving->channel;
    char line[400];

    if (!tls || channel_tls_accept(channel, tls)) return true;
    (void)snprintf(line, sizeof line, "c-move's listener: no TLS with a caller: %s",
                   channel->trouble == CHANNEL_INSECURE  ? channel->problem
                   : channel->trouble == CHANNEL_STALLED ? "it was silent"
                                                         : "the connection broke off");
    if (host && host->log) host->log(host, TROLLEY_LOG_WARNING, "dimse", line);
    return false;
}

void listener_serve(struct listener *listener, const struct listener_settings *settings,
                    struct channel_tls_server *tls, struct channel *channel)
{
    struct serving serving = {listener, settings, channel, NULL, NULL, NULL};

    channel->guard = {serving_stopped, &serving};
    channel->patience_ms = settings->common.acse_ms;
    try {
        if (secure(&serving, tls)) serve(&serving);
    } catch (...) {
        if (serving.move) moves_release(serving.move, TROLLEY_ERR_NOMEM);
    }
    channel_free(channel);
}
