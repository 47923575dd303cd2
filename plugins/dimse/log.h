/* log.h: what DIMSE says to the host's log, at debug level. SPDX-License-Identifier: MIT */
#ifndef DIMSE_LOG_H
#define DIMSE_LOG_H

#include "settings.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One line, behind the section's name. Never given a value of a key other than a UID, a level or a
 * status: they may name patients. [any] */
void dimse_log(const struct dimse_settings *settings, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#ifdef __cplusplus
}
#endif
#endif
