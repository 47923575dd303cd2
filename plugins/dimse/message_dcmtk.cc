/* Single messages of an association, and C-ECHO [PS3.7 9.1.5]. SPDX-License-Identifier: MIT */
#include <string.h>

#include <string>

#include "association_dcmtk.h"
#include "kit/text.h"
#include "log.h"
#include "plugins/dataset/element_dcmtk.h"
#include "stream_dcmtk.h"
#include "trolley/helpers.h"

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

OFCondition association_cancel(struct association *association, T_ASC_PresentationContextID context,
                               DIC_US message_id)
{
    association->cancelled_ms = channel_now_ms();
    dimse_log(&association->settings, "C-CANCEL-RQ %u", message_id);
    return DIMSE_sendCancelRequest(association->as, context, message_id);
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

/* Collects a data set up to the buffer's cap. */
class CappedConsumer : public TakingConsumer
{
  public:
    explicit CappedConsumer(struct kit_buffer *to) : buffer(to), overflow(false)
    {
    }
    struct kit_buffer *buffer;
    bool overflow;

  private:
    void take(const void *data, size_t length) override
    {
        if (!overflow && kit_buffer_append(buffer, data, length) < 0) overflow = true;
    }
};

OFCondition association_receive_data_set(struct association *association, size_t cap,
                                         DcmDataset **ret_data_set)
{
    T_ASC_PresentationContextID context = 0;
    struct kit_buffer bytes = {};
    std::string syntax;

    bytes.cap = cap;
    CappedConsumer consumer(&bytes);
    TakingStream stream(&consumer);
    OFCondition condition =
        DIMSE_receiveDataSetInFile(association->as, DIMSE_NONBLOCKING,
                                   association_seconds(association), &context, &stream, NULL, NULL);
    *ret_data_set = NULL;
    if (condition.good() && !consumer.overflow &&
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
        dimse_log(&association->settings, "C-ECHO-RSP: status %04X",
                  message.msg.CEchoRSP.DimseStatus);
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
