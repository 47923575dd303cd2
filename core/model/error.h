/* error.h: filling a struct trolley_error. SPDX-License-Identifier: MIT */
#ifndef CORE_MODEL_ERROR_H
#define CORE_MODEL_ERROR_H

#include "core/trolley.h"

/* Fills *error (when not NULL) and returns `status`, so that `return error_set(error,
 * TROLLEY_ERR_IO, ...)` reads well. Control characters and invalid UTF-8 in the result are escaped,
 * the message is one line. */
__attribute__((format(printf, 3, 4))) int error_set(struct trolley_error *error, int status,
                                                    const char *format, ...);

/* Puts "text: " before the message that is there. */
__attribute__((format(printf, 2, 3))) void error_prefix(struct trolley_error *error,
                                                        const char *format, ...);

#endif
