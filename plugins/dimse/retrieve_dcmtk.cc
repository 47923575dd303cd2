/* C-GET and C-MOVE [PS3.4 C.4.2, C.4.3]. SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include <memory>
#include <string>

#include "association_dcmtk.h"
#include "kit/uid.h"
#include "log.h"
#include "status.h"
#include "store_dcmtk.h"
#include "trolley/helpers.h"

#define FAILED_LIST_BYTES ((size_t)8 << 20) /* most bytes of a list of failed instances */
#define MOVE_LOOK_MS 500                    /* how often a quiet C-MOVE looks at its stores */

struct retrieval {
    struct association *association;
    const struct retrieve_request *request;
    struct retrieve_result *result;
    struct store_target target;
    T_ASC_PresentationContextID context;
    DIC_US message_id;
    bool cancelling;
    uint64_t stores;
    int64_t heard; /* when the last response came */
};

/* ---- the request ---- */

static OFCondition fill_identifier(DcmDataset &identifier, const struct retrieve_request *request)
{
    const struct trolley_ref *first = request->refs[0];
    static const char *const levels[] = {"", "STUDY", "SERIES", "IMAGE"};
    std::string instances;

    OFCondition condition =
        identifier.putAndInsertString(DCM_QueryRetrieveLevel, levels[first->level]);
    if (condition.good())
        condition = identifier.putAndInsertString(DCM_StudyInstanceUID, first->study);
    if (condition.good() && first->level >= TROLLEY_LEVEL_SERIES && first->series)
        condition = identifier.putAndInsertString(DCM_SeriesInstanceUID, first->series);
    if (condition.bad() || first->level < TROLLEY_LEVEL_INSTANCE) return condition;
    for (size_t i = 0; i < request->count; i++) {
        if (i) instances += '\\';
        instances += request->refs[i]->instance;
    }
    return identifier.putAndInsertString(DCM_SOPInstanceUID, instances.c_str());
}

static OFCondition send_request(struct retrieval *retrieval, DcmDataset *identifier)
{
    const struct retrieve_request *request = retrieval->request;
    T_DIMSE_Message message;

    memset((void *)&message, 0, sizeof message);
    retrieval->message_id =
        request->destination ? request->message_id : association_message_id(retrieval->association);
    if (request->destination) {
        T_DIMSE_C_MoveRQ &move = message.msg.CMoveRQ;

        message.CommandField = DIMSE_C_MOVE_RQ;
        move.MessageID = retrieval->message_id;
        move.Priority = DIMSE_PRIORITY_MEDIUM;
        move.DataSetType = DIMSE_DATASET_PRESENT;
        OFStandard::strlcpy(move.AffectedSOPClassUID, UID_STUDY_ROOT_MOVE,
                            sizeof move.AffectedSOPClassUID);
        OFStandard::strlcpy(move.MoveDestination, request->destination,
                            sizeof move.MoveDestination);
    } else {
        T_DIMSE_C_GetRQ &get = message.msg.CGetRQ;

        message.CommandField = DIMSE_C_GET_RQ;
        get.MessageID = retrieval->message_id;
        get.Priority = DIMSE_PRIORITY_MEDIUM;
        get.DataSetType = DIMSE_DATASET_PRESENT;
        OFStandard::strlcpy(get.AffectedSOPClassUID, UID_STUDY_ROOT_GET,
                            sizeof get.AffectedSOPClassUID);
    }
    return DIMSE_sendMessageUsingMemoryData(retrieval->association->as, retrieval->context,
                                            &message, NULL, identifier, NULL, NULL);
}

static void log_request(const struct retrieval *retrieval)
{
    const struct retrieve_request *request = retrieval->request;
    const struct trolley_ref *first = request->refs[0];
    bool series = first->level >= TROLLEY_LEVEL_SERIES && first->series;

    dimse_log(&retrieval->association->settings, "%s-RQ %u%s%s: %zu %s of study %s%s%s",
              request->destination ? "C-MOVE" : "C-GET", retrieval->message_id,
              request->destination ? " to " : "", request->destination ? request->destination : "",
              request->count,
              first->level >= TROLLEY_LEVEL_INSTANCE ? "instances"
              : series                               ? "series"
                                                     : "study",
              first->study, series ? ", series " : "", series ? first->series : "");
}

/* ---- responses ---- */

/* C-GET-RSP and C-MOVE-RSP carry the same. */
struct response {
    DIC_US message_id, status, completed, failed, warning;
    bool data_set, counted;
};

static bool read_response(const struct retrieval *retrieval, const T_DIMSE_Message &message,
                          struct response *response)
{
    if (retrieval->request->destination) {
        const T_DIMSE_C_MoveRSP &move = message.msg.CMoveRSP;

        if (message.CommandField != DIMSE_C_MOVE_RSP) return false;
        *response = {move.MessageIDBeingRespondedTo,
                     move.DimseStatus,
                     move.NumberOfCompletedSubOperations,
                     move.NumberOfFailedSubOperations,
                     move.NumberOfWarningSubOperations,
                     move.DataSetType != DIMSE_DATASET_NULL,
                     (move.opts & O_MOVE_NUMBEROFCOMPLETEDSUBOPERATIONS) != 0};
    } else {
        const T_DIMSE_C_GetRSP &get = message.msg.CGetRSP;

        if (message.CommandField != DIMSE_C_GET_RSP) return false;
        *response = {get.MessageIDBeingRespondedTo,
                     get.DimseStatus,
                     get.NumberOfCompletedSubOperations,
                     get.NumberOfFailedSubOperations,
                     get.NumberOfWarningSubOperations,
                     get.DataSetType != DIMSE_DATASET_NULL,
                     (get.opts & O_GET_NUMBEROFCOMPLETEDSUBOPERATIONS) != 0};
    }
    return response->message_id == retrieval->message_id;
}

static void take_failed_list(struct retrieval *retrieval, DcmDataset *data_set)
{
    OFString list;

    if (!data_set || !retrieval->request->failed ||
        data_set->findAndGetOFStringArray(DCM_FailedSOPInstanceUIDList, list).bad())
        return;
    for (size_t at = 0; at < list.length();) {
        size_t stop = list.find('\\', at);

        if (stop == OFString_npos) stop = list.length();
        std::string uid(list.c_str() + at, stop - at);
        uid.resize(strlen(uid.c_str()));
        while (!uid.empty() && uid.back() == ' ')
            uid.pop_back();
        if (kit_uid_valid(uid.c_str()))
            retrieval->request->failed(retrieval->request->ctx, uid.c_str());
        at = stop + 1;
    }
}

static OFCondition take_response(struct retrieval *retrieval, const T_DIMSE_Message &message,
                                 bool *ret_final)
{
    struct retrieve_counts &counts = retrieval->result->counts;
    OFCondition condition = EC_Normal;
    struct response response;

    if (!read_response(retrieval, message, &response)) return DIMSE_BADCOMMANDTYPE;
    *ret_final = !dimse_pending(response.status);
    if (response.counted) {
        counts.completed = response.completed;
        counts.failed = response.failed;
        counts.warning = response.warning;
        counts.known = *ret_final;
    }
    retrieval->result->status = response.status;
    dimse_log(&retrieval->association->settings,
              "%s-RSP %u: status %04X, %u completed, %u failed, %u with warnings",
              retrieval->request->destination ? "C-MOVE" : "C-GET", response.message_id,
              response.status, response.completed, response.failed, response.warning);
    if (response.data_set) {
        DcmDataset *data_set = NULL;

        condition =
            association_receive_data_set(retrieval->association, FAILED_LIST_BYTES, &data_set);
        std::unique_ptr<DcmDataset> owned(data_set);
        if (condition.good()) take_failed_list(retrieval, data_set);
    }
    return condition;
}

/* ---- stores ---- */

/* Nothing can follow a store that ended with `status`. */
static OFCondition stop(struct retrieval *retrieval, int32_t status, const OFCondition &condition)
{
    if (!retrieval->result->stop) retrieval->result->stop = status;
    if (condition.bad() || retrieval->cancelling) return condition;
    retrieval->cancelling = true;
    return association_cancel(retrieval->association, retrieval->context, retrieval->message_id);
}

static OFCondition take_store(struct retrieval *retrieval, const T_DIMSE_Message &message,
                              T_ASC_PresentationContextID context)
{
    struct association *association = retrieval->association;
    int32_t status = 0;
    OFCondition condition =
        store_receive(association->as, context, message.msg.CStoreRQ, &retrieval->target,
                      association_seconds(association), &status);

    retrieval->stores++;
    if (trolley_status_flags(status) & TROLLEY_FAILURE_STOP_ALL || status == TROLLEY_ERR_CANCELLED)
        return stop(retrieval, status, condition);
    return condition;
}

/* ---- the exchange ---- */

/* Until there is something to read. A C-MOVE may say nothing while its stores flow elsewhere: they
 * count as life. */
static OFCondition await_move(struct retrieval *retrieval)
{
    struct channel *channel = retrieval->association->channel;
    const struct retrieve_request *request = retrieval->request;

    for (;;) {
        int status = 0;
        int64_t last = request->last_store(request->ctx, &status);
        OFCondition condition = status < 0 ? stop(retrieval, status, EC_Normal) : EC_Normal;

        if (condition.bad() || channel_readable(channel, MOVE_LOOK_MS)) return condition;
        if (last < retrieval->heard) last = retrieval->heard;
        if (channel->trouble != CHANNEL_FINE || channel_now_ms() - last > channel->patience_ms)
            return DIMSE_NODATAAVAILABLE;
    }
}

static OFCondition receive(struct retrieval *retrieval, T_DIMSE_Message *message,
                           T_ASC_PresentationContextID *context, std::string *comment)
{
    OFCondition condition = EC_Normal;

    if (retrieval->request->last_store) condition = await_move(retrieval);
    if (condition.good())
        condition = association_receive(retrieval->association, message, context, comment);
    retrieval->heard = channel_now_ms();
    return condition;
}

static OFCondition exchange(struct retrieval *retrieval, std::string *comment)
{
    OFCondition condition = EC_Normal;
    bool final = false;

    while (condition.good() && !final) {
        T_ASC_PresentationContextID context = 0;
        T_DIMSE_Message message;

        condition = receive(retrieval, &message, &context, comment);
        if (condition.bad()) break;
        if (message.CommandField == DIMSE_C_STORE_RQ && !retrieval->request->destination)
            condition = take_store(retrieval, message, context);
        else
            condition = take_response(retrieval, message, &final);
    }
    return condition;
}

static int retrieve(struct retrieval *retrieval)
{
    struct association *association = retrieval->association;
    const struct retrieve_request *request = retrieval->request;
    const char *name = request->destination ? "C-MOVE" : "C-GET";
    DcmDataset identifier;
    std::string comment;

    retrieval->context = association_context(
        association, request->destination ? UID_STUDY_ROOT_MOVE : UID_STUDY_ROOT_GET, name);
    if (retrieval->context == 0) return TROLLEY_ERR_UNSUPPORTED;
    association->cancelled_ms = 0;
    retrieval->heard = channel_now_ms();
    OFCondition condition = fill_identifier(identifier, request);
    if (condition.good()) condition = send_request(retrieval, &identifier);
    log_request(retrieval);
    if (condition.good()) condition = exchange(retrieval, &comment);
    if (condition.bad() && association->channel->trouble == CHANNEL_STOPPED &&
        !retrieval->cancelling)
        (void)association_cancel(association, retrieval->context, retrieval->message_id);
    (void)snprintf(retrieval->result->comment, sizeof retrieval->result->comment, "%s",
                   comment.c_str());
    if (condition.good()) return 0;
    if (retrieval->result->stop) {
        association->broken = true;
        return 0;
    }
    return association_fail(association, condition, name);
}

int association_retrieve(struct association *association, const struct retrieve_request *request,
                         struct retrieve_result *ret_result)
{
    struct retrieve_result result = {};
    int r;

    try {
        struct retrieval retrieval = {};
        const struct trolley_ref *first = request->refs[0];

        retrieval.association = association;
        retrieval.request = request;
        retrieval.result = &result;
        retrieval.target = {association->channel,
                            request->sink,
                            association->task,
                            first->study,
                            first->level >= TROLLEY_LEVEL_SERIES ? first->series : NULL,
                            association->settings.called_ae,
                            &association->settings};
        r = retrieve(&retrieval);
    } catch (...) {
        association->broken = true;
        r = TROLLEY_ERR_NOMEM;
    }
    if (r == 0) *ret_result = result;
    return r;
}
