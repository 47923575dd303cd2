/*
 * trolley/types.h: words shared by every part of the plugin contract.
 *
 * Rules of the contract, for all headers in this folder:
 *  - Open structs begin with `uint32_t size` (the writer's sizeof) and only grow at their end. A
 *    reader takes min(size, its own sizeof) and reads the rest as zero. Closed structs never
 * change.
 *  - Only fixed-width integers, pointers and NUL-terminated UTF-8 text cross the border. Dates are
 *    "YYYYMMDD".
 *  - Arguments are borrowed for the call: copy what must live longer. Nothing a plugin allocates is
 *    returned to the host; results go to sinks.
 *  - Functions return 0 (TROLLEY_OK) or a negative enum trolley_status. Out-parameters are
 *    untouched on failure.
 *  - Members named `reserved` are 0 and not looked at.
 *  - Thread tags: [load] any thread, under one process-wide lock of the host; [worker] the thread
 *    that owns the instance; [any] any thread, the callee locks.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TROLLEY_TYPES_H
#define TROLLEY_TYPES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Minor version of the contract these headers describe. The major version is in the entry symbol's
 * name. */
#define TROLLEY_ABI_MINOR 0

/* Outcomes. Numbers are frozen; a reader treats an unknown negative number as TROLLEY_ERR_INTERNAL.
 */
enum trolley_status {
    TROLLEY_OK = 0,
    TROLLEY_ERR_NOMEM = -1,
    TROLLEY_ERR_INVALID_ARG = -2,       /* the caller broke the contract, or a value is malformed */
    TROLLEY_ERR_INVALID_CONFIG = -3,    /* INI file: unknown key, bad value, missing section */
    TROLLEY_ERR_UNSUPPORTED = -4,       /* does not exist here, or the server does not offer it */
    TROLLEY_ERR_UNSUPPORTED_PARAM = -5, /* a query key that this searcher cannot honour */
    TROLLEY_ERR_NEED_DEEPER_REF = -6,   /* the downloader needs series or instance UIDs */
    TROLLEY_ERR_NOT_FOUND = -7,         /* HTTP 404; no such object */
    TROLLEY_ERR_GONE = -8,              /* HTTP 410 */
    TROLLEY_ERR_AUTH = -9,              /* HTTP 401, 403; association rejected for its user */
    TROLLEY_ERR_NETWORK = -10,          /* no connection, or it broke */
    TROLLEY_ERR_TIMEOUT = -11,
    TROLLEY_ERR_PROTOCOL = -12,    /* the answer breaks its own protocol */
    TROLLEY_ERR_TRUNCATED = -13,   /* the answer ended too early */
    TROLLEY_ERR_REMOTE = -14,      /* the server says that it failed: HTTP 5xx, DIMSE Cxxx */
    TROLLEY_ERR_UNAVAILABLE = -15, /* HTTP 429, 503: later, perhaps */
    TROLLEY_ERR_TOO_LARGE = -16,   /* over a configured or built-in bound */
    TROLLEY_ERR_IO = -17,          /* local disk or process */
    TROLLEY_ERR_NO_SPACE = -18,
    TROLLEY_ERR_CANCELLED = -19, /* the task was cancelled, or a sink asked to stop */
    TROLLEY_ERR_PARTIAL = -20,   /* some of it was delivered */
    TROLLEY_ERR_INTERNAL = -21
};

/* Levels of the DICOM information model [PS3.4 C.6.2.1]. Sets of levels are bit sets of
 * TROLLEY_LEVEL_BIT. */
enum trolley_level {
    TROLLEY_LEVEL_STUDY = 1,
    TROLLEY_LEVEL_SERIES = 2,
    TROLLEY_LEVEL_INSTANCE = 3
};
#define TROLLEY_LEVEL_BIT(level) (UINT32_C(1) << (level))

/* An array of open or closed structs, or of `const char *`. Closed. Item i is at items + i * stride
 * bytes. */
struct trolley_span {
    const void *items; /* may be NULL when count is 0 */
    uint32_t count;
    uint32_t stride; /* bytes from one item to the next: the writer's sizeof */
};

#define TROLLEY_FAILURE_TRANSIENT UINT32_C(1) /* asking again may help */
#define TROLLEY_FAILURE_PERMANENT UINT32_C(2) /* asking again cannot help */
/* Nothing else will work either (disk full, log-in refused). */
#define TROLLEY_FAILURE_STOP_ALL UINT32_C(4)
/* The INI file says to ignore this error: reported, not counted as a failure. */
#define TROLLEY_FAILURE_IGNORE UINT32_C(8)

/* What went wrong. Open; borrowed for the call. Used by task->fail, dataset_sink->end and
 * dataset_sink->failed. */
struct trolley_failure {
    uint32_t size;
    int32_t status;          /* enum trolley_status, negative */
    int32_t code;            /* the protocol's own number (HTTP or DIMSE status), 0 for none */
    uint32_t flags;          /* TROLLEY_FAILURE_* */
    uint64_t retry_after_ms; /* the server's wish (Retry-After), 0 when it said nothing */
    const char *message;     /* what was tried, with what, what came back, what to do; one line */
};

/*
 * A reference: which object is meant. Open. UIDs are checked by the host before they get here
 * (digits and dots, 1 to 64 characters, PS3.5 9.1). NULL where the level does not reach.
 */
struct trolley_ref {
    uint32_t size;
    uint32_t level;              /* enum trolley_level: the deepest UID that is set */
    const char *study;           /* Study Instance UID, never NULL */
    const char *series;          /* Series Instance UID */
    const char *instance;        /* SOP Instance UID */
    const char *sop_class;       /* SOP Class UID where a searcher told it, else NULL */
    const char *transfer_syntax; /* as stored at the server, where a searcher told it, else NULL */
    uint32_t frame;              /* from 1; 0 means the whole instance */
    uint32_t reserved;
};

#ifdef __cplusplus
}
#endif
#endif
