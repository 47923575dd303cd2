/* SPDX-License-Identifier: MIT */
#include "verdict.h"

#include <kit/buffer.h>
#include <kit/text.h>
#include <stdlib.h>
#include <string.h>
#include <trolley/helpers.h>

/* What errors mean [ITI TF-3 table 4.2.4.1-2], and SOAP faults [SOAP 1.2 part 1, 5.4.6]. A code
 * that is not here is REMOTE: asking again may help. */
static const struct verdict_code {
    const char *code;
    int32_t status;
} verdict_codes[] = {
    {"XDSMissingDocument", TROLLEY_ERR_NOT_FOUND},
    {"XDSDocumentUniqueIdError", TROLLEY_ERR_NOT_FOUND},
    {"XDSUnknownRepositoryId", TROLLEY_ERR_INVALID_ARG},
    {"XDSRepositoryUniqueIdMismatch", TROLLEY_ERR_INVALID_ARG},
    {"XDSUnknownCommunity", TROLLEY_ERR_INVALID_ARG},
    {"XDSMissingHomeCommunityId", TROLLEY_ERR_INVALID_ARG},
    {"XDSUnavailableCommunity", TROLLEY_ERR_UNAVAILABLE},
    {"XDSRegistryBusy", TROLLEY_ERR_UNAVAILABLE},
    {"XDSRepositoryBusy", TROLLEY_ERR_UNAVAILABLE},
    {"XDSRegistryOutOfResources", TROLLEY_ERR_UNAVAILABLE},
    {"XDSRepositoryOutOfResources", TROLLEY_ERR_UNAVAILABLE},
    {"Sender", TROLLEY_ERR_INVALID_ARG},
    {"Client", TROLLEY_ERR_INVALID_ARG},
    {"MustUnderstand", TROLLEY_ERR_INVALID_ARG},
    {"VersionMismatch", TROLLEY_ERR_INVALID_ARG},
    {"DataEncodingUnknown", TROLLEY_ERR_INVALID_ARG},
};

static int32_t verdict_status(const char *code)
{
    size_t i;

    for (i = 0; i < sizeof verdict_codes / sizeof verdict_codes[0]; i++)
        if (strcmp(verdict_codes[i].code, code) == 0) return verdict_codes[i].status;
    return TROLLEY_ERR_REMOTE;
}

static bool verdict_ignored(const struct verdict *verdict, const char *code)
{
    size_t i;

    for (i = 0; i < verdict->ignore->count; i++)
        if (strcmp(verdict->ignore->codes[i], code) == 0) return true;
    return false;
}

/* "POST URL: CODE: WORDS", safe for a terminal, the URL without its query. */
static int verdict_text(const struct verdict *verdict, const char *code, const char *words,
                        const char *place, struct kit_buffer *out)
{
    struct kit_buffer line = {0};
    int r = kit_buffer_printf(&line, "POST %.*s: ", (int)strcspn(verdict->url, "?#"), verdict->url);

    if (r == 0 && verdict->http >= 400) r = kit_buffer_printf(&line, "%d ", (int)verdict->http);
    if (r == 0) r = kit_buffer_text(&line, code);
    if (r == 0 && *words) r = kit_buffer_printf(&line, ": %s", words);
    if (r == 0 && *place) r = kit_buffer_printf(&line, " (at %s)", place);
    if (r == 0) r = kit_text_escape(out, line.data, line.length);
    kit_buffer_free(&line);
    return r;
}

static int verdict_failed(const struct verdict *verdict, uint32_t ref,
                          const struct trolley_failure *failure)
{
    int32_t r = verdict->sink->failed(verdict->sink->ctx, &verdict->refs->items[ref], failure);

    return r == TROLLEY_ERR_CANCELLED ? r : 0;
}

int verdict_all(const struct verdict *verdict, const struct trolley_failure *failure)
{
    uint32_t i;
    int r = 0;

    for (i = 0; r == 0 && i < verdict->refs->count; i++)
        r = verdict_failed(verdict, i, failure);
    return r;
}

static struct trolley_failure verdict_failure(const struct verdict *verdict, const char *code,
                                              const char *message)
{
    struct trolley_failure failure = {
        .size = sizeof failure,
        .status = verdict_status(code),
        .code = verdict->http >= 400 ? verdict->http : 0,
        .message = message,
    };

    failure.flags = trolley_status_flags(failure.status);
    if (verdict_ignored(verdict, code))
        failure.flags = TROLLEY_FAILURE_PERMANENT | TROLLEY_FAILURE_IGNORE;
    return failure;
}

/* Does the error concern this instance? */
static bool verdict_concerns(const struct verdict *verdict, const struct root_error *error,
                             uint32_t ref)
{
    const struct trolley_ref *items = verdict->refs->items;

    if (error->ref != REFS_NONE) return error->ref == ref;
    return error->series == REFS_NONE ||
           strcmp(items[ref].series, items[error->series].series) == 0;
}

/* How much an error says about one instance: more when it names it, or its series, and when it is
 * not to be ignored. 0: nothing. */
static unsigned verdict_rank(const struct verdict *verdict, const struct root_error *error)
{
    unsigned rank = error->ref != REFS_NONE ? 5 : error->series != REFS_NONE ? 3 : 1;

    if (error->warning) return 0;
    return rank + (verdict_ignored(verdict, error->code) ? 0 : 1);
}

/* For each instance the error that says most about it, REFS_NONE for none. */
static void verdict_choose(const struct verdict *verdict, const struct root *root, bool whole,
                           uint32_t *ret_chosen)
{
    unsigned best, rank;
    uint32_t i, ref;

    for (ref = 0; ref < verdict->refs->count; ref++) {
        ret_chosen[ref] = REFS_NONE;
        for (i = 0, best = whole ? 0 : 4; i < root->error_count; i++) {
            if (!verdict_concerns(verdict, &root->errors[i], ref)) continue;
            rank = verdict_rank(verdict, &root->errors[i]);
            if (rank <= best) continue;
            best = rank;
            ret_chosen[ref] = i;
        }
    }
}

/* Tells one error to the instances that chose it; a warning becomes a note. */
static int verdict_error(const struct verdict *verdict, const struct root *root, uint32_t index,
                         const uint32_t *chosen)
{
    const struct root_error *error = &root->errors[index];
    const struct trolley_ref *ref =
        error->ref == REFS_NONE ? NULL : &verdict->refs->items[error->ref];
    struct trolley_failure failure;
    struct kit_buffer text = {0};
    uint32_t i;
    int r = verdict_text(verdict, error->code, error->context, error->location, &text);

    if (r == 0 && error->warning)
        trolley_note(verdict->task, TROLLEY_LOG_WARNING, 0, ref, "%s", text.data);
    if (r == 0) failure = verdict_failure(verdict, error->code, text.data);
    for (i = 0; r == 0 && i < verdict->refs->count; i++)
        if (chosen[i] == index) r = verdict_failed(verdict, i, &failure);
    kit_buffer_free(&text);
    return r;
}

static int verdict_errors(const struct verdict *verdict, const struct root *root, bool whole)
{
    uint32_t *chosen = calloc(verdict->refs->count, sizeof *chosen);
    uint32_t i;
    int r = 0;

    if (!chosen) return TROLLEY_ERR_NOMEM;
    verdict_choose(verdict, root, whole, chosen);
    for (i = 0; r == 0 && i < root->error_count; i++)
        r = verdict_error(verdict, root, i, chosen);
    free(chosen);
    if (root->dropped)
        trolley_note(verdict->task, TROLLEY_LOG_WARNING, 0, NULL,
                     "%u more errors of the answer are not told", (unsigned)root->dropped);
    return r;
}

/* A fault concerns all of the request. */
static int verdict_fault(const struct verdict *verdict, const struct root_fault *fault)
{
    const char *code = *fault->code ? fault->code : "Fault";
    struct kit_buffer name = {0}, text = {0};
    struct trolley_failure failure;
    int r = kit_buffer_printf(&name, "SOAP fault %s%s%s", code, *fault->subcode ? " " : "",
                              fault->subcode);

    if (r == 0) r = verdict_text(verdict, name.data, fault->reason, "", &text);
    if (r == 0) {
        failure = verdict_failure(verdict, code, text.data);
        if (verdict_ignored(verdict, fault->subcode))
            failure.flags = TROLLEY_FAILURE_PERMANENT | TROLLEY_FAILURE_IGNORE;
        r = verdict_all(verdict, &failure);
    }
    kit_buffer_free(&name);
    kit_buffer_free(&text);
    return r;
}

/* The status alone says that it failed. */
static int verdict_silent_failure(const struct verdict *verdict)
{
    struct trolley_failure failure;
    struct kit_buffer text = {0};
    int r = verdict_text(verdict, "Failure", "the server gives no reason", "", &text);

    if (r == 0) {
        failure = verdict_failure(verdict, "Failure", text.data);
        r = verdict_all(verdict, &failure);
    }
    kit_buffer_free(&text);
    return r;
}

/* Documents that the message announces and no part holds. */
static int verdict_lost(const struct verdict *verdict, const struct root *root)
{
    uint32_t i;
    int r = 0;

    for (i = 0; r == 0 && i < root->document_count; i++) {
        const struct root_document *document = &root->documents[i];
        struct trolley_failure failure = {.size = sizeof failure,
                                          .status = TROLLEY_ERR_NOT_FOUND,
                                          .flags = TROLLEY_FAILURE_PERMANENT};
        struct kit_buffer text = {0};

        if (document->arrived || !document->include) continue;
        r = verdict_text(verdict, "the answer announces it in a part that it does not have",
                         document->include, "", &text);
        failure.message = text.data;
        if (r == 0) r = verdict_failed(verdict, document->ref, &failure);
        kit_buffer_free(&text);
    }
    return r;
}

bool verdict_says(const struct root *root)
{
    return root->response || root->fault.present || root->error_count > 0;
}

int verdict_tell(const struct verdict *verdict, const struct root *root, bool whole)
{
    int r = 0;

    if (whole && root->fault.present) r = verdict_fault(verdict, &root->fault);
    if (r == 0 && whole && root->status == ROOT_FAILURE && root->error_count == 0)
        r = verdict_silent_failure(verdict);
    if (r == 0 && whole && !root->late) r = verdict_lost(verdict, root);
    return r == 0 && root->error_count ? verdict_errors(verdict, root, whole) : r;
}
