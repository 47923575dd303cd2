/* SPDX-License-Identifier: MIT */
#include "status.h"

#include <stdio.h>

const char *dimse_status_text(uint16_t status)
{
    switch (status) {
    case 0x0000:
        return "success";
    case 0x0110:
        return "processing failure";
    case 0x0122:
        return "SOP class not supported";
    case 0x0124:
        return "not authorized";
    case 0x0210:
        return "duplicate invocation";
    case 0x0211:
        return "unrecognized operation";
    case 0x0212:
        return "mistyped argument";
    case 0xA700:
        return "refused: out of resources";
    case 0xA701:
        return "refused: out of resources, unable to calculate the number of matches";
    case 0xA702:
        return "refused: out of resources, unable to perform sub-operations";
    case 0xA801:
        return "refused: move destination unknown";
    case 0xA900:
        return "identifier does not match SOP class";
    case 0xB000:
        return "sub-operations complete, one or more failures";
    case 0xFE00:
        return "terminated: matching or sub-operations cancelled";
    case 0xFF00:
    case 0xFF01:
        return "pending";
    default:
        if ((status & 0xFF00) == 0xA700) return "refused: out of resources";
        if ((status & 0xF000) == 0xC000) return "failed: unable to process";
        return "unknown status";
    }
}

static int32_t status_of(uint16_t status, uint32_t *ret_flags)
{
    *ret_flags = TROLLEY_FAILURE_TRANSIENT;
    if ((status & 0xFF00) == 0xA700) return TROLLEY_ERR_UNAVAILABLE;
    if (status == DIMSE_SUBOPERATIONS_FAILED || (status & 0xF000) == 0xC000 || status == 0x0110 ||
        status == DIMSE_CANCELLED)
        return TROLLEY_ERR_REMOTE;
    *ret_flags = TROLLEY_FAILURE_PERMANENT;
    if (status == 0x0124) return TROLLEY_ERR_AUTH;
    if (status == 0x0122 || status == 0x0211) return TROLLEY_ERR_UNSUPPORTED;
    return TROLLEY_ERR_REMOTE;
}

struct trolley_failure dimse_status_failure(uint16_t status, const char *what, const char *comment,
                                            char *message, size_t size)
{
    struct trolley_failure failure = {
        .size = sizeof failure,
        .code = status,
        .message = message,
    };

    failure.status = status_of(status, &failure.flags);
    (void)snprintf(message, size, "%s: final status %04X, %s%s%s", what, status,
                   dimse_status_text(status), *comment ? ": " : "", comment);
    return failure;
}

uint16_t dimse_store_status(int32_t status)
{
    switch (status) {
    case TROLLEY_OK:
        return DIMSE_SUCCESS;
    case TROLLEY_ERR_NO_SPACE:
    case TROLLEY_ERR_IO:
    case TROLLEY_ERR_NOMEM:
    case TROLLEY_ERR_TOO_LARGE:
    case TROLLEY_ERR_CANCELLED:
        return DIMSE_OUT_OF_RESOURCES;
    case TROLLEY_ERR_INVALID_ARG:
        return DIMSE_DATA_SET_MISMATCH;
    default:
        return DIMSE_CANNOT_PROCESS;
    }
}
