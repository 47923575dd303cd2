/*
 * association.h: one association [PS3.8] that we asked for, and the DIMSE operations on it. Used by
 * one thread at a time. SPDX-License-Identifier: MIT
 */
#ifndef DIMSE_ASSOCIATION_H
#define DIMSE_ASSOCIATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <trolley/downloader.h>

#include "settings.h"

#ifdef __cplusplus
extern "C" {
#endif

struct association;
struct record;

/* A presentation context to offer. */
struct dimse_context {
    const char *sop_class;
    const char *syntax; /* transfer syntax; NULL for the two uncompressed little endian ones */
    bool store;         /* we take C-STOREs in it: the SCP role is asked for [PS3.7 D.3.3.4] */
    bool relational;    /* C-FIND: relational queries are offered */
};
#define DIMSE_CONTEXTS_MAX 128 /* identifiers are the odd numbers of a byte */

#define UID_VERIFICATION "1.2.840.10008.1.1"
#define UID_PATIENT_ROOT_FIND "1.2.840.10008.5.1.4.1.2.1.1"
#define UID_STUDY_ROOT_FIND "1.2.840.10008.5.1.4.1.2.2.1"
#define UID_STUDY_ROOT_MOVE "1.2.840.10008.5.1.4.1.2.2.2"
#define UID_STUDY_ROOT_GET "1.2.840.10008.5.1.4.1.2.2.3"

/* Makes DCMTK ready, once a process. False when its data dictionary is missing. [load] */
bool association_ready(void);

/*
 * Connects and negotiates.
 * @param settings  borrowed for the association's life
 * @param ret_association  free with association_close
 * Errors, said to the task: AUTH (AE title refused), UNAVAILABLE (refused for now), REMOTE,
 * NETWORK, TIMEOUT, CANCELLED, PROTOCOL, NOMEM.
 */
int association_open(const struct dimse_settings *settings, const struct dimse_context *contexts,
                     size_t count, struct trolley_task *task, struct association **ret_association);

/* As association_open, over a channel that is connected already, which is its own then: freed on
 * failure too. */
struct channel;
int association_start(const struct dimse_settings *settings, struct channel *channel,
                      const struct dimse_context *contexts, size_t count, struct trolley_task *task,
                      struct association **ret_association);

/* Releases it, or aborts it after trouble. NULL is a no-op. */
void association_close(struct association *association);

/* From now on `task` is told and asked. False when the association is over: close it and open
 * another. */
bool association_use(struct association *association, struct trolley_task *task);

/* This side's address, for advice. */
void association_local_address(const struct association *association, char *ret_text, size_t size);

/* C-ECHO [PS3.7 9.1.5]. */
int association_echo(struct association *association);

/* ---- C-FIND [PS3.4 C.4.1] ---- */

/* Did the peer accept relational queries in this model? */
bool association_relational(const struct association *association, const char *sop_class);

/* One key of an identifier. */
struct find_key {
    uint32_t tag;
    const char *path; /* "00400275.00400007" within sequences, else NULL */
    const char *vr;
    const char *text; /* UTF-8, values joined with '\'; "" to be told the value */
};

struct find_request {
    const char *model; /* SOP class */
    const char *level; /* "PATIENT", "STUDY", "SERIES" or "IMAGE" */
    const struct find_key *keys;
    size_t count;
    uint64_t limit; /* most answers; the rest is cancelled */
};

/* One answer, free with find_answer_free. */
struct find_answer;

/* Gets each answer, which then is its own. A negative return cancels the search. */
typedef int (*find_answer_fn)(void *ctx, struct find_answer *answer);

/*
 * Asks. Only a final status 0000 is a complete search; else the error names it in words.
 * @param charset  Specific Character Set of answers that name none; "" for ASCII or UTF-8
 */
int association_find(struct association *association, const struct find_request *request,
                     const char *charset, find_answer_fn answer, void *ctx);

void find_answer_free(struct find_answer *answer);
/* How much memory it takes, in bytes. */
size_t find_answer_size(const struct find_answer *answer);
/* A UID of the answer, without padding; "" when it has none. Borrowed. */
const char *find_answer_text(struct find_answer *answer, uint32_t tag);
/* Adds its attributes to the record. Those that are there already stay. */
int find_answer_elements(struct find_answer *answer, struct record *record);

/* ---- C-GET and C-MOVE [PS3.4 C.4.3, C.4.2] ---- */

/* Counts of sub-operations, as the last response gave them. */
struct retrieve_counts {
    uint32_t completed, failed, warning;
    bool known; /* the final response had them */
};

/* What is asked for: one study, series, or instances of one series. */
struct retrieve_request {
    const char *destination;               /* C-MOVE's AE title; NULL for C-GET */
    uint16_t message_id;                   /* C-MOVE: what stores name as their originator */
    const struct trolley_ref *const *refs; /* count of them, of one level */
    size_t count;
    const struct trolley_dataset_sink *sink;
    /* C-MOVE: when stores last showed life, by channel_now_ms, and the status of one that nothing
     * can follow, else 0. NULL for C-GET. */
    int64_t (*last_store)(void *ctx, int *ret_stop);
    /* Gets each entry of the Failed SOP Instance UID List, trimmed. */
    void (*failed)(void *ctx, const char *instance);
    void *ctx;
};

struct retrieve_result {
    uint16_t status; /* the final one */
    struct retrieve_counts counts;
    int stop;         /* status of a store that nothing can follow (disk full), else 0 */
    char comment[65]; /* Error Comment (0000,0902), escaped; "" without */
};

/* Asks and waits for the final response. 0 when one came, whatever its status; else said to the
 * task. */
int association_retrieve(struct association *association, const struct retrieve_request *request,
                         struct retrieve_result *ret_result);

#ifdef __cplusplus
}
#endif
#endif
