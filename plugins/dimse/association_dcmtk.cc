/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <new>
#include <string>

#include "association_dcmtk.h"
#include "kit/text.h"
#include "plugins/dataset/element_dcmtk.h"
#include "trolley/helpers.h"

#define RELEASE_MS 1000 /* longest wait for the answer to a release: all is said and done */
#define CLOSING_MS 200  /* longest wait for the peer's end of an association given up */

bool association_ready(void)
{
    static bool done; /* under the host's load lock */

    try {
        OFLog::configure(OFLogger::OFF_LOG_LEVEL);
        if (!done) {
            struct sigaction before;
            T_ASC_Network *network = NULL;

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

/* ---- failures ---- */

static const char *abort_reason(const struct channel *channel)
{
    static const char *const reasons[] = {"no reason given",
                                          "unrecognized PDU",
                                          "unexpected PDU",
                                          "reserved",
                                          "unrecognized PDU parameter",
                                          "unexpected PDU parameter",
                                          "invalid PDU parameter value"};

    if (channel->abort_source != 2) return "no reason given";
    return channel->abort_reason < 7 ? reasons[channel->abort_reason] : "unknown reason";
}

static int fail_by_channel(struct association *association, const char *what, bool *ret_said)
{
    const struct channel *channel = association->channel;
    struct trolley_task *task = association->task;

    *ret_said = true;
    if (channel->aborted)
        return trolley_fail(task, TROLLEY_ERR_NETWORK,
                            "%s: %s aborted the association (source: %s, reason: %s)", what,
                            association->settings.called_ae,
                            channel->abort_source == 0   ? "service user"
                            : channel->abort_source == 2 ? "service provider"
                                                         : "unknown",
                            abort_reason(channel));
    switch (channel->trouble) {
    case CHANNEL_STOPPED:
        if (!task->cancelled(task))
            return trolley_fail(task, TROLLEY_ERR_TIMEOUT, "%s: out of time", what);
        return TROLLEY_ERR_CANCELLED;
    case CHANNEL_STALLED:
        return trolley_fail(task, TROLLEY_ERR_TIMEOUT, "%s: %s was silent for %d ms", what,
                            association->settings.called_ae, channel->patience_ms);
    case CHANNEL_CLOSED:
        return trolley_fail(task, TROLLEY_ERR_NETWORK, "%s: connection with %s port %u: %s", what,
                            association->settings.host, association->settings.port,
                            channel->error ? strerror(channel->error) : "closed by the peer");
    case CHANNEL_INSECURE:
        return trolley_fail(task, TROLLEY_ERR_NETWORK, "%s: TLS: %s", what, channel->problem);
    default:
        *ret_said = false;
        return 0;
    }
}

int association_fail(struct association *association, const OFCondition &condition,
                     const char *what)
{
    const struct dimse_settings *settings = &association->settings;
    bool said;
    int r = fail_by_channel(association, what, &said);

    association->broken = true;
    if (said) return r;
    if (condition == DIMSE_NODATAAVAILABLE || condition == DUL_READTIMEOUT)
        return trolley_fail(association->task, TROLLEY_ERR_TIMEOUT,
                            "%s: no answer from %s within %d ms", what, settings->called_ae,
                            association->channel->patience_ms);
    if (condition == DUL_PEERREQUESTEDRELEASE)
        return trolley_fail(association->task, TROLLEY_ERR_NETWORK,
                            "%s: %s released the association in the middle of it", what,
                            settings->called_ae);
    return trolley_fail(association->task, TROLLEY_ERR_PROTOCOL, "%s with %s: %s", what,
                        settings->called_ae, condition.text());
}

static const char *reject_reason(const T_ASC_RejectParameters &why)
{
    switch (why.reason) {
    case ASC_REASON_SU_APPCONTEXTNAMENOTSUPPORTED:
        return "application context name not supported";
    case ASC_REASON_SU_CALLINGAETITLENOTRECOGNIZED:
        return "calling AE title not recognized";
    case ASC_REASON_SU_CALLEDAETITLENOTRECOGNIZED:
        return "called AE title not recognized";
    case ASC_REASON_SP_ACSE_PROTOCOLVERSIONNOTSUPPORTED:
        return "protocol version not supported";
    case ASC_REASON_SP_PRES_TEMPORARYCONGESTION:
        return "temporary congestion";
    case ASC_REASON_SP_PRES_LOCALLIMITEXCEEDED:
        return "local limit exceeded";
    default:
        return "no reason given";
    }
}

static int fail_rejected(struct association *association, T_ASC_Parameters *params)
{
    static const char *const sources[] = {"", "service user", "service provider (ACSE)",
                                          "service provider (presentation)"};
    const struct dimse_settings *settings = &association->settings;
    bool wrong_ae, transient;
    T_ASC_RejectParameters why;
    char message[512];

    ASC_getRejectParameters(params, &why);
    wrong_ae = why.reason == ASC_REASON_SU_CALLINGAETITLENOTRECOGNIZED ||
               why.reason == ASC_REASON_SU_CALLEDAETITLENOTRECOGNIZED;
    transient = why.result == ASC_RESULT_REJECTEDTRANSIENT;
    (void)snprintf(message, sizeof message,
                   "%s port %u rejected the association %s (source: %s, reason: %s)%s%s%s%s%s",
                   settings->host, settings->port, transient ? "for now" : "for good",
                   why.source >= 1 && why.source <= 3 ? sources[why.source] : "unknown",
                   reject_reason(why), wrong_ae ? "; we called ourselves " : "",
                   wrong_ae ? settings->calling_ae : "", wrong_ae ? " and the PACS " : "",
                   wrong_ae ? settings->called_ae : "",
                   wrong_ae ? ": check calling_ae and called_ae, and what the PACS knows" : "");
    const struct trolley_failure failure = {
        .size = sizeof failure,
        .status = transient  ? TROLLEY_ERR_UNAVAILABLE
                  : wrong_ae ? TROLLEY_ERR_AUTH
                             : TROLLEY_ERR_REMOTE,
        .code = 0,
        .flags = transient ? TROLLEY_FAILURE_TRANSIENT
                           : TROLLEY_FAILURE_PERMANENT | TROLLEY_FAILURE_STOP_ALL,
        .retry_after_ms = 0,
        .message = message,
    };
    if (association->task->fail) association->task->fail(association->task, &failure);
    return failure.status;
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
        if (condition.good())
            condition = ASC_requestAssociation(association->network, params, &association->as, NULL,
                                               NULL, DUL_NOBLOCK, seconds);
        if (condition == DUL_ASSOCIATIONREJECTED)
            r = fail_rejected(association, params);
        else if (condition.bad())
            r = association_fail(association, condition, "opening an association");
    }
    if (!association->as) (void)ASC_destroyAssociationParameters(&params);
    return r;
}

int association_open(const struct dimse_settings *settings, const struct dimse_context *contexts,
                     size_t count, struct trolley_task *task, struct association **ret_association)
{
    struct association *association = new (std::nothrow) struct association();
    int r = association ? 0 : TROLLEY_ERR_NOMEM;

    if (r < 0) return r;
    association->settings = *settings;
    association->task = task;
    r = channel_connect(settings, task, &association->channel);
    try {
        if (r == 0) r = negotiate(association, contexts, count);
    } catch (...) {
        r = TROLLEY_ERR_NOMEM;
    }
    if (r < 0) {
        association->broken = true;
        association_close(association);
        return r;
    }
    association->channel->patience_ms = settings->dimse_ms;
    *ret_association = association;
    return 0;
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
                channel->patience_ms = RELEASE_MS;
                if (ASC_releaseAssociation(association->as).bad()) association->broken = true;
            }
            if (association->broken) {
                channel->patience_ms = CLOSING_MS;
                (void)ASC_abortAssociation(association->as);
            }
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
    association->channel->guard = channel_task_guard(task);
    if (association->broken || association->channel->trouble != CHANNEL_FINE) return false;
    /* Between operations a peer has nothing to say but the end. */
    if (channel_readable(association->channel, 0)) association->broken = true;
    return !association->broken && association->channel->trouble == CHANNEL_FINE;
}

void association_local_address(const struct association *association, char *ret_text, size_t size)
{
    channel_local_address(association->channel, ret_text, size);
}

/* ---- messages ---- */

DIC_US association_message_id(struct association *association)
{
    return association->as->nextMsgID++;
}

T_ASC_PresentationContextID association_context(struct association *association,
                                                const char *sop_class, const char *what)
{
    T_ASC_PresentationContextID context =
        ASC_findAcceptedPresentationContextID(association->as, sop_class);

    if (context == 0)
        (void)trolley_fail(association->task, TROLLEY_ERR_UNSUPPORTED,
                           "%s (%s port %u) does not offer %s", association->settings.called_ae,
                           association->settings.host, association->settings.port, what);
    return context;
}

const char *association_syntax(T_ASC_Association *as, T_ASC_PresentationContextID context,
                               std::string *own)
{
    T_ASC_PresentationContext accepted;

    if (ASC_findAcceptedPresentationContext(as->params, context, &accepted).bad()) return NULL;
    *own = accepted.acceptedTransferSyntax;
    return own->c_str();
}

OFCondition association_receive(struct association *association, T_DIMSE_Message *message,
                                T_ASC_PresentationContextID *context, std::string *comment)
{
    DcmDataset *detail = NULL;
    OFString text;

    memset((void *)message, 0, sizeof *message);
    OFCondition condition =
        DIMSE_receiveCommand(association->as, DIMSE_NONBLOCKING, association_seconds(association),
                             context, message, &detail);
    if (detail && comment && detail->findAndGetOFString(DCM_ErrorComment, text).good()) {
        struct kit_buffer line = {};

        if (kit_text_escape(&line, text.c_str(), text.length()) == 0 && line.data)
            *comment = line.data;
        kit_buffer_free(&line);
    }
    delete detail;
    return condition;
}

/* Collects a data set up to a cap. It always claims success: told of an error, DCMTK would wait for
 * a fragment that never comes. */
class CappedConsumer : public DcmConsumer
{
  public:
    explicit CappedConsumer(struct kit_buffer *to) : buffer(to), overflow(false)
    {
    }
    OFBool good() const override
    {
        return OFTrue;
    }
    OFCondition status() const override
    {
        return EC_Normal;
    }
    OFBool isFlushed() const override
    {
        return OFTrue;
    }
    offile_off_t avail() const override
    {
        return 0x7fffffff;
    }
    offile_off_t write(const void *data, offile_off_t length) override
    {
        if (!overflow && kit_buffer_append(buffer, data, (size_t)length) < 0) overflow = true;
        return length;
    }
    void flush() override
    {
    }
    struct kit_buffer *buffer;
    bool overflow;
};

class CappedStream : public DcmOutputStream
{
  public:
    explicit CappedStream(struct kit_buffer *to) : DcmOutputStream(&consumer), consumer(to)
    {
    }
    CappedConsumer consumer;
};

OFCondition association_receive_data_set(struct association *association, size_t cap,
                                         DcmDataset **ret_data_set)
{
    T_ASC_PresentationContextID context = 0;
    struct kit_buffer bytes = {};
    std::string syntax;

    bytes.cap = cap;
    CappedStream stream(&bytes);
    OFCondition condition =
        DIMSE_receiveDataSetInFile(association->as, DIMSE_NONBLOCKING,
                                   association_seconds(association), &context, &stream, NULL, NULL);
    *ret_data_set = NULL;
    if (condition.good() && !stream.consumer.overflow &&
        association_syntax(association->as, context, &syntax))
        *ret_data_set = dataset_parse(bytes.data, bytes.length, syntax.c_str());
    kit_buffer_free(&bytes);
    return condition;
}

int association_echo(struct association *association)
{
    try {
        T_DIMSE_Message message;
        T_ASC_PresentationContextID context =
            association_context(association, UID_VERIFICATION, "C-ECHO");

        if (context == 0) return TROLLEY_ERR_UNSUPPORTED;
        memset((void *)&message, 0, sizeof message);
        message.CommandField = DIMSE_C_ECHO_RQ;
        message.msg.CEchoRQ.MessageID = association_message_id(association);
        message.msg.CEchoRQ.DataSetType = DIMSE_DATASET_NULL;
        OFStandard::strlcpy(message.msg.CEchoRQ.AffectedSOPClassUID, UID_VERIFICATION,
                            sizeof message.msg.CEchoRQ.AffectedSOPClassUID);
        OFCondition condition = DIMSE_sendMessageUsingMemoryData(association->as, context, &message,
                                                                 NULL, NULL, NULL, NULL);
        if (condition.good())
            condition = association_receive(association, &message, &context, NULL);
        if (condition.bad()) return association_fail(association, condition, "C-ECHO");
        if (message.CommandField != DIMSE_C_ECHO_RSP)
            return association_fail(association, DIMSE_BADCOMMANDTYPE, "C-ECHO");
        if (message.msg.CEchoRSP.DimseStatus != STATUS_Success)
            return trolley_fail(association->task, TROLLEY_ERR_REMOTE, "C-ECHO: status %04X",
                                message.msg.CEchoRSP.DimseStatus);
        return 0;
    } catch (...) {
        association->broken = true;
        return TROLLEY_ERR_NOMEM;
    }
}
