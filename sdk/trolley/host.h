/*
 * trolley/host.h: what the host offers a plugin: log, services by id, configuration, peers, and the
 * task.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TROLLEY_HOST_H
#define TROLLEY_HOST_H

#include "query.h"
#include "record.h"
#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How much a line of the log, or a note, matters. */
enum trolley_log_level {
    TROLLEY_LOG_ERROR = 1,
    TROLLEY_LOG_WARNING = 2,
    TROLLEY_LOG_INFO = 3,
    TROLLEY_LOG_DEBUG = 4
};

/* The host. Open; valid as long as the plugin's components live. */
struct trolley_host {
    uint32_t size;
    uint32_t abi_minor; /* the host's */
    void *impl;         /* the host's own */
    /* [any] One line for the log; level is an enum trolley_log_level, `component` what the plugin
     * likes to be called. Controls in the message are escaped. */
    void (*log)(const struct trolley_host *host, uint32_t level, const char *component,
                const char *message);
    /* [any] A table of functions by id ("trolley.http/1", "trolley.dictionary/1"), which lives as
     * long as the host; NULL when unknown. */
    const void *(*get_service)(const struct trolley_host *host, const char *id);
};

/* Service "trolley.dictionary/1". Open. DICOM's data dictionary [PS3.6] as DCMTK has it. */
#define TROLLEY_DICTIONARY_SERVICE "trolley.dictionary/1"
struct trolley_dictionary_service {
    uint32_t size;
    uint32_t reserved;
    /* [any] The tag of a keyword ("PatientName"), case matters; 0 when unknown. */
    uint32_t (*tag)(const char *keyword);
    /* [any] The keyword of a tag; NULL when unknown. Static text. */
    const char *(*keyword)(uint32_t tag);
    /* [any] The VR of a tag: two letters; "UN" when unknown. Static text. */
    const char *(*vr)(uint32_t tag);
};

/* The running operation, seen by the plugin. Open; valid for the call it was passed to, and for
 * threads the plugin owns during that call. All functions are [any]. */
struct trolley_task {
    uint32_t size;
    uint32_t reserved;
    void *impl;
    /* Non-zero when the operation must end: the plugin returns TROLLEY_ERR_CANCELLED within one
     * second. */
    int32_t (*cancelled)(struct trolley_task *task);
    /* Milliseconds left before the deadline, at least 0; -1 when there is none. */
    int64_t (*remaining_ms)(struct trolley_task *task);
    /* Progress of this operation: done of total (0: unknown), in `unit` ("bytes", "instances"). */
    void (*progress)(struct trolley_task *task, uint64_t done, uint64_t total, const char *unit,
                     const char *message);
    /* Says why the operation is about to return a negative status; the last call counts. The
     * failure is copied. */
    void (*fail)(struct trolley_task *task, const struct trolley_failure *failure);
    /* A remark for report and verdict: a server's Warning, a padded UID, a dropped record. severity
     * is an enum trolley_log_level, code the protocol's number or 0, ref may be NULL. */
    void (*note)(struct trolley_task *task, uint32_t severity, int32_t code,
                 const struct trolley_ref *ref, const char *message);
};

/* Takes a secret, which is wiped after the call. Closed. */
struct trolley_secret_sink {
    void *ctx;
    /* On the caller's thread. `text` has `length` bytes and a NUL behind them. A negative return is
     * what config->secret returns. */
    int32_t (*secret)(void *ctx, const char *text, uint64_t length);
};

/*
 * Another component that an option of type COMPONENT names, for wrappers. Open; belongs to the
 * instance whose `create` asked for it and lives until that instance is destroyed. Queries pass all
 * checks of the host.
 */
struct trolley_peer {
    uint32_t size;
    uint32_t reserved;
    void *impl;
    /* [worker] As searcher ops->find, after the host's own checks. */
    int32_t (*find)(struct trolley_peer *peer, const struct trolley_query *query,
                    const struct trolley_record_sink *sink, struct trolley_task *task);
    /* [worker] The accepted query types, span of struct trolley_query_type. */
    const struct trolley_span *(*query_types)(struct trolley_peer *peer);
    /* [worker] Bit set of the levels the searcher returns. */
    uint32_t (*levels)(struct trolley_peer *peer);
};

/* A section's options, checked against the component's table. Open; valid until close (open's) or
 * destroy. */
struct trolley_config {
    uint32_t size;
    uint32_t reserved;
    const void *impl;
    const char *section; /* the section's name: "pacs-search" */
    /* [any] The value as text with its default applied; NULL when not set. Not for secrets. */
    const char *(*text)(const struct trolley_config *config, const char *key);
    /* [any] INT, BOOL (0, 1), DURATION (milliseconds), SIZE (bytes), PORT, CHOICE (index into
     * choices); `fallback` when not set. */
    int64_t (*integer)(const struct trolley_config *config, const char *key, int64_t fallback);
    /* [any] LIST: span of const char *. */
    struct trolley_span (*list)(const struct trolley_config *config, const char *key);
    /* [any] Keys given for a PREFIX option, without the prefix ("param." -> "StudyDate"): span of
     * const char *; their values by text(config, "param.StudyDate"). */
    struct trolley_span (*keys)(const struct trolley_config *config, const char *prefix);
    /* [any] Reads the secret `key` now: from the value, its environment variable, file or command.
     * Runs a command at first use and again when `refresh` is non-zero. TROLLEY_ERR_NOT_FOUND when
     * it is not set. */
    int32_t (*secret)(const struct trolley_config *config, const char *key, int32_t refresh,
                      const struct trolley_secret_sink *sink, struct trolley_task *task);
    /* [load] Only within create: the searcher that the COMPONENT option `key` names. */
    int32_t (*peer)(const struct trolley_config *config, const char *key, struct trolley_task *task,
                    struct trolley_peer **peer);
};

#ifdef __cplusplus
}
#endif
#endif
