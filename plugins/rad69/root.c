/* SPDX-License-Identifier: MIT */
#include "root.h"

#include <kit/uid.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ROOT_WORDS_MAX 8    /* UIDs looked up in one text of an error */
#define ROOT_ERRORS_MORE 16 /* errors kept beyond one for each instance */

/* ---- texts ---- */

/* How much of a text fits into size bytes with its NUL, whole UTF-8 characters only. */
static size_t root_fit(const char *text, size_t length, size_t size)
{
    if (length < size) return length;
    length = size - 1;
    while (length && ((unsigned char)text[length] & 0xc0) == 0x80)
        length--;
    return length;
}

/* `text` may lie within `out`; NULL reads as "". */
static void root_copy(char *out, size_t size, const char *text)
{
    size_t length = root_fit(text ? text : "", text ? strlen(text) : 0, size);

    memmove(out, text ? text : "", length);
    out[length] = '\0';
}

/* Without the name space before the last ':' or '#'. */
static const char *root_local(const char *name)
{
    const char *colon = strrchr(name, ':');
    const char *hash = strrchr(name, '#');

    if (hash > colon) colon = hash;
    return colon ? colon + 1 : name;
}

/* The character data that follows goes to `text`. */
static void root_capture(struct root *root, char *text, size_t size)
{
    root->text = text;
    root->text_size = size;
    root->text_length = 0;
    text[0] = '\0';
}

static void root_collect(struct root *root, const char *text, size_t length)
{
    size_t fit = root_fit(text, length, root->text_size - root->text_length);

    memcpy(root->text + root->text_length, text, fit);
    root->text_length += fit;
    root->text[root->text_length] = '\0';
    if (fit < length) root->text = NULL; /* the rest is cut */
}

/* Cuts white space off both ends. */
static void root_trim(char *text)
{
    size_t skip = strspn(text, " \t\r\n");
    size_t length = strlen(text + skip);

    memmove(text, text + skip, length + 1);
    while (length && strchr(" \t\r\n", text[length - 1]))
        text[--length] = '\0';
}

/* ---- tables ---- */

static int root_room(void *table, uint32_t count, uint32_t *room, size_t size)
{
    uint32_t more = *room ? *room * 2 : 16;
    void *grown;

    if (count < *room) return 0;
    grown = reallocarray(*(void **)table, more, size);
    if (!grown) return TROLLEY_ERR_NOMEM;
    *(void **)table = grown;
    *room = more;
    return 0;
}

/* One document an instance is kept, so the table is as long as the request at most. */
static int root_keep_document(struct root *root)
{
    struct root_document document = {.ref = root->current, .arrived = root->has_content};
    int r;

    if (root->current == REFS_NONE || root->document_count >= root->refs->count) return 0;
    r = root_room(&root->documents, root->document_count, &root->document_room,
                  sizeof *root->documents);
    if (r < 0) return r;
    if (root->has_include) {
        document.include = strdup(root->include.decoded);
        if (!document.include) return TROLLEY_ERR_NOMEM;
    }
    root->documents[root->document_count++] = document;
    return 0;
}

struct root_document *root_find(struct root *root, const char *content_id)
{
    struct cid cid;
    uint32_t i;

    if (!content_id || !cid_read(content_id, &cid)) return NULL;
    for (i = 0; i < root->document_count; i++) {
        struct root_document *document = &root->documents[i];

        if (document->include && !document->arrived && cid_names(document->include, &cid))
            return document;
    }
    return NULL;
}

/* ---- errors ---- */

/* The next run of digits and dots that is a UID, without a full stop behind it; NULL at the end. */
static const char *root_next_uid(const char *text, char ret_uid[KIT_UID_MAX + 1])
{
    for (;;) {
        size_t length;

        text += strcspn(text, "0123456789");
        length = strspn(text, "0123456789.");
        if (length == 0) return NULL;
        while (text[length - 1] == '.')
            length--;
        if (length >= 3 && length <= KIT_UID_MAX) {
            memcpy(ret_uid, text, length);
            ret_uid[length] = '\0';
            return text + length;
        }
        text += length;
    }
}

/* Ties an error to what its words name. */
static void root_tie(struct root *root, struct root_error *error, const char *text)
{
    char uid[KIT_UID_MAX + 1];
    int left = ROOT_WORDS_MAX;

    while (error->ref == REFS_NONE && left-- && (text = root_next_uid(text, uid))) {
        error->ref = refs_find(root->refs, uid, root->error_count);
        if (error->series == REFS_NONE) error->series = refs_find_series(root->refs, uid);
    }
}

static int root_registry_error(struct root *root, const struct kit_xml_element *element)
{
    static const struct root_error empty = {.ref = REFS_NONE, .series = REFS_NONE};
    const char *context = kit_xml_value(element, "codeContext");
    const char *location = kit_xml_value(element, "location");
    const char *severity = kit_xml_value(element, "severity");
    const char *code = kit_xml_value(element, "errorCode");
    struct root_error *error;
    int r;

    if (root->error_count >= root->refs->count + ROOT_ERRORS_MORE) {
        root->dropped++;
        return 0;
    }
    r = root_room(&root->errors, root->error_count, &root->error_room, sizeof *root->errors);
    if (r < 0) return r;
    error = &root->errors[root->error_count];
    *error = empty;
    root_copy(error->code, sizeof error->code, root_local(code ? code : "RegistryError"));
    root_copy(error->context, sizeof error->context, context);
    root_copy(error->location, sizeof error->location, location);
    error->warning = severity && strcmp(root_local(severity), "Warning") == 0;
    if (context) root_tie(root, error, context);
    if (location) root_tie(root, error, location);
    root->error_count++;
    return 0;
}

static void root_registry_response(struct root *root, const struct kit_xml_element *element)
{
    const char *status = kit_xml_value(element, "status");

    root->response = true;
    status = root_local(status ? status : "");
    if (strcmp(status, "Success") == 0) root->status = ROOT_SUCCESS;
    if (strcmp(status, "PartialSuccess") == 0) root->status = ROOT_PARTIAL;
    if (strcmp(status, "Failure") == 0) root->status = ROOT_FAILURE;
}

/* ---- elements ---- */

/* Within a Fault of SOAP 1.2 (Code, Subcode, Reason) or of SOAP 1.1 (faultcode, faultstring). */
static void root_start_in_fault(struct root *root, const char *name)
{
    struct root_fault *fault = &root->fault;

    if (root->in_detail) return;
    if (strcasecmp(name, "detail") == 0) root->in_detail = true;
    if (strcmp(name, "Subcode") == 0) root->in_subcode = true;
    if (strcmp(name, "Value") == 0 && root->in_subcode)
        root_capture(root, fault->subcode, sizeof fault->subcode);
    else if (strcmp(name, "Value") == 0 || strcmp(name, "faultcode") == 0)
        root_capture(root, fault->code, sizeof fault->code);
    else if ((strcmp(name, "Text") == 0 && !*fault->reason) || strcmp(name, "faultstring") == 0)
        root_capture(root, fault->reason, sizeof fault->reason);
}

static void root_start_document(struct root *root, const struct kit_xml_element *element)
{
    const char *href;

    if (strcmp(element->name, "DocumentUniqueId") == 0) {
        root_capture(root, root->uid, sizeof root->uid);
    } else if (strcmp(element->name, "Document") == 0) {
        root->inside = true;
    } else if (strcmp(element->name, "Include") == 0 && root->inside) {
        href = kit_xml_value(element, "href");
        root->has_include = href && cid_read(href, &root->include);
    }
}

static int root_start(void *ctx, const struct kit_xml_element *element)
{
    struct root *root = ctx;

    root->text = NULL;
    if (strcmp(element->name, "RegistryError") == 0) return root_registry_error(root, element);
    if (strcmp(element->name, "RegistryResponse") == 0) root_registry_response(root, element);
    if (strcmp(element->name, "RetrieveDocumentSetResponse") == 0) root->response = true;
    if (strcmp(element->name, "Fault") == 0) root->fault.present = root->in_fault = true;
    if (strcmp(element->name, "DocumentResponse") == 0) {
        root->current = REFS_NONE;
        root->has_include = root->has_content = root->inside = false;
    }
    if (root->in_fault)
        root_start_in_fault(root, element->name);
    else
        root_start_document(root, element);
    return 0;
}

static int root_end_document(struct root *root)
{
    bool content = root->inside && root->has_content;

    root->inside = false;
    return content ? root->handler.content_end(root->handler.ctx) : 0;
}

static void root_end_uid(struct root *root)
{
    root_trim(root->uid);
    root->current = refs_find(root->refs, root->uid, root->document_count);
}

static int root_end(void *ctx, const char *name, const char *space)
{
    struct root *root = ctx;
    struct root_fault *fault = &root->fault;

    (void)space;
    root->text = NULL;
    if (strcasecmp(name, "detail") == 0) root->in_detail = false;
    if (strcmp(name, "Subcode") == 0) root->in_subcode = false;
    if (strcmp(name, "DocumentUniqueId") == 0 && !root->in_fault) root_end_uid(root);
    if (strcmp(name, "Document") == 0) return root_end_document(root);
    if (strcmp(name, "DocumentResponse") == 0) return root_keep_document(root);
    if (strcmp(name, "Fault") == 0 && !root->in_detail) {
        root->in_fault = false;
        root_trim(fault->code);
        root_trim(fault->subcode);
        root_trim(fault->reason);
        root_copy(fault->code, sizeof fault->code, root_local(fault->code));
        root_copy(fault->subcode, sizeof fault->subcode, root_local(fault->subcode));
    }
    return 0;
}

static int root_characters(void *ctx, const char *text, size_t length)
{
    struct root *root = ctx;
    size_t i = 0;

    if (root->text) root_collect(root, text, length);
    if (!root->inside) return 0;
    if (!root->has_content) {
        while (i < length && memchr(" \t\r\n", text[i], 4))
            i++;
        if (i == length) return 0; /* white space around an Include */
        root->has_content = true;
    }
    root->markup -= length < root->markup ? length : root->markup;
    return root->handler.content(root->handler.ctx, root->current, text + i, length - i);
}

/* ---- the message ---- */

int root_init(struct root *root, const struct refs *refs, const struct root_handler *handler)
{
    /* Inline documents have no bounds; the rest is counted here. */
    static const struct kit_xml_limits limits = {.document = UINT64_MAX, .text = UINT64_MAX};
    static const struct kit_xml_handler elements = {root_start, root_end, root_characters};

    memset(root, 0, sizeof *root);
    root->refs = refs;
    root->handler = *handler;
    root->current = REFS_NONE;
    return kit_xml_new(&limits, &elements, root, &root->xml);
}

void root_clear(struct root *root)
{
    uint32_t i;

    for (i = 0; i < root->document_count; i++)
        free(root->documents[i].include);
    free(root->documents);
    free(root->errors);
    kit_xml_free(root->xml);
    memset(root, 0, sizeof *root);
}

static void root_break(struct root *root, const char *problem)
{
    root->broken = true;
    root_copy(root->problem, sizeof root->problem, problem);
}

/* The parser's own verdict breaks the message; a callback's or memory's is handed on. */
static int root_judge(struct root *root, int status)
{
    const char *problem = kit_xml_problem(root->xml);

    if (status == 0 || !problem) return status;
    root_break(root, problem);
    return 0;
}

int root_push(struct root *root, const void *data, size_t length)
{
    if (root->broken) return 0;
    root->begun = true;
    if (root->markup > ROOT_MARKUP_MAX) {
        root_break(root, "larger than 16 MiB");
        return 0;
    }
    root->markup += length;
    return root_judge(root, kit_xml_push(root->xml, data, length));
}

int root_finish(struct root *root)
{
    int r;

    if (root->broken || root->complete) return 0;
    r = root_judge(root, kit_xml_finish(root->xml));
    root->complete = r == 0 && !root->broken;
    return r;
}
