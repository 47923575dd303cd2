/* log.h: the process-wide log sink. SPDX-License-Identifier: MIT */
#ifndef CORE_MODEL_LOG_H
#define CORE_MODEL_LOG_H

#include <stdbool.h>
#include <stdint.h>

bool log_wants(uint32_t level);

/* One line to the sink that trolley_set_log installed; cheap when nobody listens. [any] */
__attribute__((format(printf, 3, 4))) void log_write(uint32_t level, const char *component,
                                                     const char *format, ...);

#endif
