/* association_dcmtk.h: what the files on DCMTK share (C++). SPDX-License-Identifier: MIT */
#ifndef DIMSE_ASSOCIATION_DCMTK_H
#define DIMSE_ASSOCIATION_DCMTK_H

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmnet/assoc.h>
#include <dcmtk/dcmnet/dimse.h>

#include "association.h"
#include "channel.h"
#include "kit/buffer.h"
#include "transport_dcmtk.h"

struct association {
    struct dimse_settings settings;
    struct trolley_task *task;
    struct channel *channel;
    ChannelLayer *layer;
    T_ASC_Network *network;
    T_ASC_Association *as;
    bool open, broken;
    int64_t cancelled_ms; /* when the running operation was cancelled; 0: it is not */
    int64_t handshake_ms; /* how long the peer took to accept the association */
};

/* A peer that was sent a C-CANCEL has that long to end the operation, and is left then. */
#define CANCEL_GRACE_MS 1000

/* Seconds for DCMTK, whose own clocks must never be the first to ring: the channel's are. */
int association_seconds(const struct association *association);

/* Offers relational queries in the contexts that ask for them. */
void association_offer_relational(T_ASC_Parameters *params, const struct dimse_context *contexts,
                                  size_t count);

/* Receives a command; statusDetail's comment, if any, goes to `comment` (may be NULL). */
OFCondition association_receive(struct association *association, T_DIMSE_Message *message,
                                T_ASC_PresentationContextID *context, std::string *comment);

/* Receives a data set of at most `cap` bytes and parses it. NULL in *ret_data_set when it was
 * larger or broken; the association goes on. */
OFCondition association_receive_data_set(struct association *association, size_t cap,
                                         DcmDataset **ret_data_set);

/* Says to the task why `what` failed: by the channel's trouble, an A-ABORT, or DCMTK's condition.
 * The association is over. Returns the status. */
int association_fail(struct association *association, const OFCondition &condition,
                     const char *what);

/* Says to the task that and why the peer rejected the association. Returns the status. */
int association_fail_rejected(struct association *association, T_ASC_Parameters *params);

/* The accepted context of a SOP class; 0 after saying that the peer does not offer `what`. */
T_ASC_PresentationContextID association_context(struct association *association,
                                                const char *sop_class, const char *what);

/* Asks the peer to end an operation, for which it has CANCEL_GRACE_MS. After the task's own
 * cancellation it goes out as far as there is room for it; the association is aborted behind it. */
OFCondition association_cancel(struct association *association, T_ASC_PresentationContextID context,
                               DIC_US message_id);

/* The next message's identifier. */
DIC_US association_message_id(struct association *association);

/* ---- syntax_dcmtk.cc ---- */

/* Once the association is negotiated: lets messages come in all of its contexts, be their transfer
 * syntaxes known to DCMTK or not. */
void association_admit_syntaxes(T_ASC_Association *as);

/* The transfer syntax negotiated for a context; NULL when there is none. */
const char *association_syntax(T_ASC_Association *as, T_ASC_PresentationContextID context,
                               std::string *own);

#endif
