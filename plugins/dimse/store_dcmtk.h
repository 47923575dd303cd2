/* store_dcmtk.h: the receiving end of a C-STORE [PS3.4 B.2.3] (C++). SPDX-License-Identifier: MIT
 */
#ifndef DIMSE_STORE_DCMTK_H
#define DIMSE_STORE_DCMTK_H

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmnet/assoc.h>
#include <dcmtk/dcmnet/dimse.h>
#include <trolley/downloader.h>

#include "channel.h"
#include "settings.h"

/* Where a store goes. */
struct store_target {
    struct channel *channel;                 /* stopped where the sink wants nothing more */
    const struct trolley_dataset_sink *sink; /* NULL: refused */
    struct trolley_task *task;               /* for notes */
    const char *study, *series;              /* as far as the request names them, else NULL */
    const char *peer;                        /* AE title for the file meta information */
    const struct dimse_settings *settings;   /* for the log */
};

/* A UID without the padding that some peers send. True when there was any. */
bool store_trim_uid(char *uid);

/*
 * Takes the data set that follows a C-STORE-RQ: its bytes go into the sink as they come, behind
 * file meta information [PS3.10 7.1] made from the presentation context; then the response goes
 * out with the truth of the item's end.
 * @param seconds  for DCMTK's own clock
 * @param ret_status  that of the item: 0 or negative
 * A bad condition means that the association broke.
 */
OFCondition store_receive(T_ASC_Association *as, T_ASC_PresentationContextID context,
                          const T_DIMSE_C_StoreRQ &request, const struct store_target *target,
                          int seconds, int32_t *ret_status);

#endif
