/* What became of an association, in words [PS3.8 9.3.4, 9.3.8]. SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "association_dcmtk.h"
#include "log.h"
#include "trolley/helpers.h"

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
        return trolley_fail(task, TROLLEY_ERR_NETWORK, "%s: connection with %s port %u: %s%s", what,
                            association->settings.host, association->settings.port,
                            channel->error ? strerror(channel->error) : "closed by the peer",
                            association->open || !channel->tls
                                ? ""
                                : "; perhaps it does not accept our certificate");
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

int association_fail_rejected(struct association *association, T_ASC_Parameters *params)
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
    const int status = transient  ? TROLLEY_ERR_UNAVAILABLE
                       : wrong_ae ? TROLLEY_ERR_AUTH
                                  : TROLLEY_ERR_REMOTE;
    const struct trolley_failure failure = {
        .size = sizeof failure,
        .status = status,
        .code = 0,
        .flags = transient ? TROLLEY_FAILURE_TRANSIENT
                           : TROLLEY_FAILURE_PERMANENT | TROLLEY_FAILURE_STOP_ALL,
        .retry_after_ms = 0,
        .message = message,
    };
    dimse_log(settings, "%s", message);
    if (association->task->fail) association->task->fail(association->task, &failure);
    return status;
}
