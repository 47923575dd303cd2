/* SPDX-License-Identifier: MIT */
#include "store_dcmtk.h"

#include <stdio.h>
#include <string.h>

#include <string>

#include "association_dcmtk.h"
#include "kit/uid.h"
#include "log.h"
#include "status.h"
#include "stream_dcmtk.h"
#include "trolley/helpers.h"

/* UID of this implementation, derived from a UUID [PS3.5 B.2]. */
#define IMPLEMENTATION_CLASS "2.25.150573045503593352915959495552595112658"
#define IMPLEMENTATION_VERSION "TROLLEY"

/* Bytes of a data set that is refused: so many are read, so that its sender can be answered. */
#define DRAIN_MOST (UINT64_C(256) << 20)

bool store_trim_uid(char *uid)
{
    size_t length = strlen(uid), before = length;

    while (length > 0 && uid[length - 1] == ' ')
        uid[--length] = '\0';
    return length != before;
}

/* ---- file meta information ---- */

static void put_number(std::string &out, size_t number, int bytes)
{
    for (int i = 0; i < bytes; i++)
        out += (char)(number >> (8 * i) & 0xFF);
}

/* One element of group 0002, Explicit VR Little Endian. */
static void put_element(std::string &out, unsigned element, const char *vr, std::string value,
                        char padding)
{
    if (value.size() & 1) value += padding;
    put_number(out, 2, 2);
    put_number(out, element, 2);
    out.append(vr, 2);
    if (strcmp(vr, "OB") == 0) {
        put_number(out, 0, 2);
        put_number(out, value.size(), 4);
    } else {
        put_number(out, value.size(), 2);
    }
    out += value;
}

static std::string part10_head(const struct trolley_meta *meta, const char *peer)
{
    std::string group, head(128, '\0'), length;

    put_element(group, 0x01, "OB", std::string("\0\1", 2), '\0');
    put_element(group, 0x02, "UI", meta->sop_class, '\0');
    put_element(group, 0x03, "UI", meta->instance, '\0');
    put_element(group, 0x10, "UI", meta->transfer_syntax, '\0');
    put_element(group, 0x12, "UI", IMPLEMENTATION_CLASS, '\0');
    put_element(group, 0x13, "SH", IMPLEMENTATION_VERSION, ' ');
    if (peer && *peer) put_element(group, 0x16, "AE", peer, ' ');
    put_number(length, group.size(), 4);
    head += "DICM";
    put_element(head, 0x00, "UL", length, '\0');
    return head + group;
}

/* ---- the bytes ---- */

/* Hands the bytes of an item on as they come. */
class SinkConsumer : public TakingConsumer
{
  public:
    SinkConsumer(const struct store_target *to, void *of)
        : target(to), item(of), status_(of ? 0 : TROLLEY_ERR_UNAVAILABLE), taken_(0)
    {
    }
    int32_t result() const
    {
        return status_;
    }
    uint64_t taken() const
    {
        return taken_;
    }

  private:
    void take(const void *data, size_t length) override
    {
        taken_ += length;
        if (status_ == 0) status_ = target->sink->write(item, data, length);
        /* The rest may be without end. */
        if (status_ == TROLLEY_ERR_CANCELLED || (status_ < 0 && taken_ > DRAIN_MOST))
            channel_stop(target->channel);
    }
    const struct store_target *target;
    void *item;
    int32_t status_;
    uint64_t taken_;
};

/* ---- one store ---- */

struct store {
    const struct store_target *target;
    char sop_class[65], instance[65];
    std::string syntax;
    struct trolley_meta meta;
    void *item;
    int32_t status;
};

static bool read_command(T_ASC_Association *as, T_ASC_PresentationContextID context,
                         const T_DIMSE_C_StoreRQ &request, struct store *store)
{
    const struct store_target *target = store->target;

    if (!association_syntax(as, context, &store->syntax)) return false;
    (void)snprintf(store->sop_class, sizeof store->sop_class, "%s", request.AffectedSOPClassUID);
    (void)snprintf(store->instance, sizeof store->instance, "%s", request.AffectedSOPInstanceUID);
    bool padded = store_trim_uid(store->sop_class);
    padded |= store_trim_uid(store->instance);
    padded |= (request.opts & O_STORE_RQ_BLANK_PADDING) != 0;
    if (padded && target->task)
        trolley_note(target->task, TROLLEY_LOG_INFO, 0, NULL,
                     "%s pads UIDs with spaces: C-STORE of %s", target->peer, store->instance);
    store->meta.size = sizeof store->meta;
    store->meta.study = target->study;
    store->meta.series = target->series;
    store->meta.instance = store->instance;
    store->meta.sop_class = store->sop_class;
    store->meta.transfer_syntax = store->syntax.c_str();
    store->meta.content_type = "application/dicom";
    return true;
}

static void begin(struct store *store)
{
    const struct trolley_dataset_sink *sink = store->target->sink;

    if (!sink) {
        store->status = TROLLEY_ERR_UNAVAILABLE;
        return;
    }
    if (!kit_uid_valid(store->instance) || !kit_uid_valid(store->sop_class)) {
        store->status = TROLLEY_ERR_INVALID_ARG;
        if (store->target->task)
            trolley_note(store->target->task, TROLLEY_LOG_WARNING, 0, NULL,
                         "a C-STORE with an invalid UID was refused");
        return;
    }
    const std::string head = part10_head(&store->meta, store->target->peer);
    store->status = sink->begin(sink->ctx, &store->meta, &store->item);
    if (store->status == 0) store->status = sink->write(store->item, head.data(), head.size());
}

static void end(struct store *store, const OFCondition &condition)
{
    const struct trolley_dataset_sink *sink = store->target->sink;
    struct trolley_failure failure = {};

    if (!store->item) return;
    failure.size = sizeof failure;
    failure.status = store->status == 0 && condition.bad() ? TROLLEY_ERR_TRUNCATED : store->status;
    failure.flags = trolley_status_flags(failure.status);
    failure.message = store->status == 0 ? "C-STORE: the association broke in the data set"
                                         : "C-STORE: the data set could not be stored";
    int32_t status = sink->end(store->item, failure.status < 0 ? &failure : NULL);
    store->item = NULL;
    if (store->status == 0) store->status = status;
}

static OFCondition respond(T_ASC_Association *as, T_ASC_PresentationContextID context,
                           const T_DIMSE_C_StoreRQ &request, int32_t status)
{
    T_DIMSE_C_StoreRSP response;

    memset((void *)&response, 0, sizeof response);
    response.DimseStatus = dimse_store_status(status);
    return DIMSE_sendStoreResponse(as, context, &request, &response, NULL);
}

OFCondition store_receive(T_ASC_Association *as, T_ASC_PresentationContextID context,
                          const T_DIMSE_C_StoreRQ &request, const struct store_target *target,
                          int seconds, int32_t *ret_status)
{
    T_ASC_PresentationContextID data_context = 0;
    struct store store = {};

    store.target = target;
    if (request.DataSetType == DIMSE_DATASET_NULL) return DIMSE_BADCOMMANDTYPE;
    if (!read_command(as, context, request, &store)) return DIMSE_BADCOMMANDTYPE;
    begin(&store);
    SinkConsumer consumer(target, store.status == 0 ? store.item : NULL);
    TakingStream stream(&consumer);
    OFCondition condition;
    try {
        condition = DIMSE_receiveDataSetInFile(as, DIMSE_NONBLOCKING, seconds, &data_context,
                                               &stream, NULL, NULL);
    } catch (...) {
        condition = EC_MemoryExhausted;
    }
    if (condition.good() && data_context != context) condition = DIMSE_BADCOMMANDTYPE;
    if (store.status == 0) store.status = consumer.result();
    end(&store, condition);
    *ret_status = condition.bad() && store.status == 0 ? TROLLEY_ERR_TRUNCATED : store.status;
    dimse_log(target->settings, "C-STORE-RQ %u: %s in %s, %llu bytes: %s, status %04X",
              request.MessageID, store.instance, store.syntax.c_str(),
              (unsigned long long)consumer.taken(), condition.text(),
              dimse_store_status(*ret_status));
    return condition.good() ? respond(as, context, request, store.status) : condition;
}
