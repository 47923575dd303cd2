/* C-FIND [PS3.4 C.4.1]. SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <memory>
#include <new>
#include <string>

#include "association_dcmtk.h"
#include "kit/text.h"
#include "log.h"
#include "plugins/dataset/element_dcmtk.h"
#include "plugins/dataset/record.h"
#include "status.h"
#include "trolley/helpers.h"

#define ANSWER_BYTES ((size_t)1 << 20) /* most bytes of one answer */

struct find_answer {
    std::unique_ptr<DcmDataset> data_set;
    std::string charset, text;
};

void find_answer_free(struct find_answer *answer)
{
    delete answer;
}

size_t find_answer_size(const struct find_answer *answer)
{
    /* DCMTK takes some 200 bytes for each element beside its value. */
    return sizeof *answer +
           answer->data_set->getLength(EXS_LittleEndianExplicit, EET_UndefinedLength) +
           200 * (size_t)answer->data_set->card();
}

const char *find_answer_text(struct find_answer *answer, uint32_t tag)
{
    try {
        OFString text;

        (void)answer->data_set->findAndGetOFString(
            DcmTagKey((Uint16)(tag >> 16), (Uint16)(tag & 0xFFFF)), text);
        size_t end = text.length();
        while (end > 0 && (text[end - 1] == ' ' || text[end - 1] == '\0'))
            end--;
        answer->text.assign(text.c_str(), end);
        return answer->text.c_str();
    } catch (...) {
        return "";
    }
}

int find_answer_elements(struct find_answer *answer, struct record *record)
{
    try {
        return dataset_add_to_record(*answer->data_set, answer->charset.c_str(), record);
    } catch (...) {
        return TROLLEY_ERR_NOMEM;
    }
}

/* ---- the identifier ---- */

static OFCondition put_key(DcmItem &item, const struct find_key &key, const char *path)
{
    const char *rest = path ? strchr(path, '.') : NULL;
    unsigned long number = path ? strtoul(path, NULL, 16) : key.tag;
    DcmTag tag((Uint16)(number >> 16), (Uint16)(number & 0xFFFF));
    DcmItem *inner = NULL;

    if (rest) {
        OFCondition condition = item.findOrCreateSequenceItem(tag, inner);
        return condition.good() ? put_key(*inner, key, rest + 1) : condition;
    }
    if (!path && *key.vr && strcmp(key.vr, "UN") != 0) tag.setVR(DcmVR(key.vr));
    if (tag.getEVR() == EVR_SQ) return item.insertEmptyElement(tag);
    if (!*key.text) return item.insertEmptyElement(tag);
    return item.putAndInsertString(tag, key.text);
}

static bool ascii(const char *text)
{
    while (*text)
        if (*text++ & 0x80) return false;
    return true;
}

static OFCondition fill_identifier(DcmDataset &identifier, const struct find_request *request)
{
    OFCondition condition = identifier.putAndInsertString(DCM_QueryRetrieveLevel, request->level);
    bool plain = true;

    for (size_t i = 0; i < request->count && condition.good(); i++) {
        const struct find_key &key = request->keys[i];

        plain = plain && ascii(key.text);
        condition = put_key(identifier, key, key.path);
    }
    if (condition.good() && !plain)
        condition = identifier.putAndInsertString(DCM_SpecificCharacterSet, "ISO_IR 192");
    return condition;
}

/* ---- the exchange ---- */

struct finding {
    struct association *association;
    const struct find_request *request;
    const char *charset;
    find_answer_fn answer;
    void *ctx;
    T_ASC_PresentationContextID context;
    DIC_US message_id;
    uint64_t answers;
    bool cancelling, unmatched_keys;
    int stop; /* what the callback returned */
    unsigned broken;
};

/* Which keys, and which of them match; no values, which may name patients. */
static void log_request(const struct finding *finding)
{
    const struct find_request *request = finding->request;
    std::string keys;

    for (size_t i = 0; i < request->count; i++) {
        char text[32];

        (void)snprintf(text, sizeof text, " %04X,%04X%s", request->keys[i].tag >> 16,
                       request->keys[i].tag & 0xFFFF, *request->keys[i].text ? "=..." : "");
        keys += text;
    }
    dimse_log(&finding->association->settings, "C-FIND-RQ: level %s, keys%s", request->level,
              keys.c_str());
}

static OFCondition send_request(struct finding *finding, DcmDataset *identifier)
{
    T_DIMSE_Message message;

    memset((void *)&message, 0, sizeof message);
    message.CommandField = DIMSE_C_FIND_RQ;
    message.msg.CFindRQ.MessageID = finding->message_id =
        association_message_id(finding->association);
    message.msg.CFindRQ.DataSetType = DIMSE_DATASET_PRESENT;
    message.msg.CFindRQ.Priority = DIMSE_PRIORITY_MEDIUM;
    OFStandard::strlcpy(message.msg.CFindRQ.AffectedSOPClassUID, finding->request->model,
                        sizeof message.msg.CFindRQ.AffectedSOPClassUID);
    return DIMSE_sendMessageUsingMemoryData(finding->association->as, finding->context, &message,
                                            NULL, identifier, NULL, NULL);
}

static OFCondition cancel(struct finding *finding)
{
    if (finding->cancelling) return EC_Normal;
    finding->cancelling = true;
    return association_cancel(finding->association, finding->context, finding->message_id);
}

/* One answer, which is pending. */
static OFCondition take_answer(struct finding *finding, uint16_t status)
{
    DcmDataset *data_set = NULL;
    OFCondition condition =
        association_receive_data_set(finding->association, ANSWER_BYTES, &data_set);

    if (condition.bad()) return condition;
    std::unique_ptr<DcmDataset> owned(data_set);
    if (status == 0xFF01) finding->unmatched_keys = true;
    if (finding->cancelling) return condition;
    if (!data_set) {
        finding->broken++;
        return condition;
    }
    delete owned->remove(DCM_QueryRetrieveLevel);
    struct find_answer *answer = new find_answer{std::move(owned), finding->charset, ""};
    finding->answers++;
    finding->stop = finding->answer(finding->ctx, answer);
    if (finding->stop < 0 || finding->answers >= finding->request->limit) return cancel(finding);
    return condition;
}

static OFCondition receive_all(struct finding *finding, uint16_t *ret_status, std::string *comment)
{
    T_ASC_PresentationContextID context;
    T_DIMSE_Message message;
    OFCondition condition = EC_Normal;

    for (;;) {
        condition = association_receive(finding->association, &message, &context, comment);
        if (condition.bad()) return condition;
        const T_DIMSE_C_FindRSP &response = message.msg.CFindRSP;
        if (message.CommandField != DIMSE_C_FIND_RSP ||
            response.MessageIDBeingRespondedTo != finding->message_id)
            return DIMSE_BADCOMMANDTYPE;
        *ret_status = response.DimseStatus;
        dimse_log(&finding->association->settings, "C-FIND-RSP %u: status %04X",
                  finding->message_id, response.DimseStatus);
        if (response.DataSetType != DIMSE_DATASET_NULL)
            condition = take_answer(finding, response.DimseStatus);
        if (condition.bad() || !dimse_pending(response.DimseStatus)) return condition;
    }
}

static int finish(struct finding *finding, uint16_t status, const char *comment)
{
    struct trolley_task *task = finding->association->task;
    char message[256], what[64];

    if (finding->broken)
        trolley_note(task, TROLLEY_LOG_WARNING, 0, NULL,
                     "C-FIND: %u answers were larger than %zu bytes or could not be parsed",
                     finding->broken, ANSWER_BYTES);
    if (finding->unmatched_keys)
        trolley_note(task, TROLLEY_LOG_WARNING, 0xFF01, NULL,
                     "C-FIND: %s does not support some optional keys (status FF01)",
                     finding->association->settings.called_ae);
    if (finding->stop < 0) return finding->stop;
    if (status == DIMSE_SUCCESS || (finding->cancelling && status == DIMSE_CANCELLED)) return 0;
    (void)snprintf(what, sizeof what, "C-FIND after %llu answers",
                   (unsigned long long)finding->answers);
    struct trolley_failure failure =
        dimse_status_failure(status, what, comment, message, sizeof message);
    if (task->fail) task->fail(task, &failure);
    return failure.status;
}

static int find(struct finding *finding)
{
    struct association *association = finding->association;
    uint16_t status = 0;
    std::string comment;
    DcmDataset identifier;

    finding->context =
        association_context(association, finding->request->model, "C-FIND in this model");
    if (finding->context == 0) return TROLLEY_ERR_UNSUPPORTED;
    if (fill_identifier(identifier, finding->request).bad())
        return trolley_fail(association->task, TROLLEY_ERR_UNSUPPORTED_PARAM,
                            "a key has a value that its VR cannot hold");
    log_request(finding);
    association->cancelled_ms = 0;
    OFCondition condition = send_request(finding, &identifier);
    if (condition.good()) condition = receive_all(finding, &status, &comment);
    if (condition.good()) return finish(finding, status, comment.c_str());
    if (association->channel->trouble == CHANNEL_STOPPED) {
        bool ours = finding->cancelling && !association->task->cancelled(association->task);

        (void)cancel(finding);
        association->broken = true;
        /* It goes on though it was told to stop: what was wanted is there. */
        if (ours) return finish(finding, DIMSE_CANCELLED, "");
    }
    if (finding->stop < 0) {
        association->broken = true;
        return finding->stop;
    }
    char what[96];
    (void)snprintf(what, sizeof what, "C-FIND after %llu answers",
                   (unsigned long long)finding->answers);
    return association_fail(association, condition, what);
}

int association_find(struct association *association, const struct find_request *request,
                     const char *charset, find_answer_fn answer, void *ctx)
{
    try {
        struct finding finding = {};

        finding.association = association;
        finding.request = request;
        finding.charset = charset;
        finding.answer = answer;
        finding.ctx = ctx;
        return find(&finding);
    } catch (...) {
        association->broken = true;
        return TROLLEY_ERR_NOMEM;
    }
}
