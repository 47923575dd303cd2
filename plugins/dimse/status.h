/* status.h: statuses of DIMSE responses in words [PS3.7 C, PS3.4 C.4]. SPDX-License-Identifier: MIT
 */
#ifndef DIMSE_STATUS_H
#define DIMSE_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <trolley/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DIMSE_SUCCESS 0x0000
#define DIMSE_SUBOPERATIONS_FAILED 0xB000
#define DIMSE_OUT_OF_RESOURCES 0xA700
#define DIMSE_DATA_SET_MISMATCH 0xA900
#define DIMSE_CANNOT_PROCESS 0xC000
#define DIMSE_CANCELLED 0xFE00
#define DIMSE_UNKNOWN_DESTINATION 0xA801

static inline bool dimse_pending(uint16_t status)
{
    return status == 0xFF00 || status == 0xFF01;
}

/* In words; never NULL. Static text. */
const char *dimse_status_text(uint16_t status);

/* A failure that a final status other than 0000 is. `message` is its text, which failure borrows:
 * what was tried, the status, the words, the peer's own comment ("" for none). */
struct trolley_failure dimse_status_failure(uint16_t status, const char *what, const char *comment,
                                            char *message, size_t size);

/* What a C-STORE is answered with, by the status of its item's end. */
uint16_t dimse_store_status(int32_t status);

#ifdef __cplusplus
}
#endif
#endif
