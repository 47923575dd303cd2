/* SPDX-License-Identifier: MIT */
#include "request.h"

#include <libxml/tree.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define UUID_SIZE sizeof "urn:uuid:00000000-0000-4000-8000-000000000000"

/* The first thing that fails makes all else a no-op. */
struct request {
    xmlDocPtr document;
    xmlNsPtr soap, addressing, imaging, xds;
    bool failed;
};

static const xmlChar *request_text(const char *text)
{
    return (const xmlChar *)text;
}

/* A random UUID as a URN [RFC 4122 4.4]. */
static int request_uuid(char ret_text[UUID_SIZE])
{
    unsigned char b[16];

    if (getrandom(b, sizeof b, 0) != (ssize_t)sizeof b) return TROLLEY_ERR_IO;
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    (void)snprintf(ret_text, UUID_SIZE,
                   "urn:uuid:%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                   b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
                   b[13], b[14], b[15]);
    return 0;
}

/* Adds an element, with `text` escaped as its content; NULL for none. */
static xmlNodePtr request_add(struct request *request, xmlNodePtr parent, xmlNsPtr space,
                              const char *name, const char *text)
{
    xmlNodePtr node = NULL;

    if (!request->failed && parent)
        node = xmlNewTextChild(parent, space, request_text(name), text ? request_text(text) : NULL);
    if (!node) request->failed = true;
    return node;
}

static void request_attribute(struct request *request, xmlNodePtr node, xmlNsPtr space,
                              const char *name, const char *value)
{
    if (request->failed || !xmlNewNsProp(node, space, request_text(name), request_text(value)))
        request->failed = true;
}

static xmlNsPtr request_space(struct request *request, xmlNodePtr node, const char *uri,
                              const char *prefix)
{
    xmlNsPtr space =
        request->failed ? NULL : xmlNewNs(node, request_text(uri), request_text(prefix));

    if (!space) request->failed = true;
    return space;
}

/* WS-Addressing [RAD TF-2 4.69.4.1.2: the action must be understood]. */
static void request_header(struct request *request, xmlNodePtr envelope, const char *url,
                           const char *message_id)
{
    xmlNodePtr header = request_add(request, envelope, request->soap, "Header", NULL);
    xmlNodePtr action = request_add(request, header, request->addressing, "Action", RAD69_ACTION);

    request_attribute(request, action, request->soap, "mustUnderstand", "1");
    request_add(request, header, request->addressing, "To", url);
    request_add(request, header, request->addressing, "MessageID", message_id);
}

static void request_document(struct request *request, xmlNodePtr series,
                             const struct request_settings *settings, const char *instance)
{
    xmlNodePtr document = request_add(request, series, request->xds, "DocumentRequest", NULL);

    if (settings->community)
        request_add(request, document, request->xds, "HomeCommunityId", settings->community);
    request_add(request, document, request->xds, "RepositoryUniqueId", settings->repository);
    request_add(request, document, request->xds, "DocumentUniqueId", instance);
}

/* Studies and series open where the sorted references enter them. */
static void request_refs(struct request *request, xmlNodePtr set,
                         const struct request_settings *settings, const struct refs *refs)
{
    const struct trolley_ref *last = NULL;
    xmlNodePtr study = NULL, series = NULL;
    uint32_t i;

    for (i = 0; i < refs->count && !request->failed; last = &refs->items[i++]) {
        const struct trolley_ref *ref = &refs->items[i];

        if (!last || strcmp(last->study, ref->study) != 0) {
            study = request_add(request, set, request->imaging, "StudyRequest", NULL);
            request_attribute(request, study, NULL, "studyInstanceUID", ref->study);
            series = NULL;
        }
        if (!series || strcmp(last->series, ref->series) != 0) {
            series = request_add(request, study, request->imaging, "SeriesRequest", NULL);
            request_attribute(request, series, NULL, "seriesInstanceUID", ref->series);
        }
        request_document(request, series, settings, ref->instance);
    }
}

static void request_body(struct request *request, xmlNodePtr envelope,
                         const struct request_settings *settings, const struct refs *refs)
{
    xmlNodePtr body = request_add(request, envelope, request->soap, "Body", NULL);
    xmlNodePtr set =
        request_add(request, body, request->imaging, "RetrieveImagingDocumentSetRequest", NULL);
    xmlNodePtr syntaxes;
    size_t i;

    request_refs(request, set, settings, refs);
    syntaxes = request_add(request, set, request->imaging, "TransferSyntaxUIDList", NULL);
    for (i = 0; i < settings->syntax_count; i++)
        request_add(request, syntaxes, request->imaging, "TransferSyntaxUID",
                    settings->syntaxes[i]);
}

/* The root with its name spaces; belongs to the document. */
static xmlNodePtr request_envelope(struct request *request)
{
    xmlNodePtr envelope = NULL;

    request->document = xmlNewDoc(request_text("1.0"));
    if (request->document)
        envelope = xmlNewDocNode(request->document, NULL, request_text("Envelope"), NULL);
    if (!envelope) {
        request->failed = true;
        return NULL;
    }
    (void)xmlDocSetRootElement(request->document, envelope);
    request->soap =
        request_space(request, envelope, "http://www.w3.org/2003/05/soap-envelope", "soap");
    request->addressing =
        request_space(request, envelope, "http://www.w3.org/2005/08/addressing", "wsa");
    request->imaging = request_space(request, envelope, "urn:ihe:rad:xdsi-b:2009", "rad");
    request->xds = request_space(request, envelope, "urn:ihe:iti:xds-b:2007", "xds");
    xmlSetNs(envelope, request->soap);
    return envelope;
}

int request_make(const struct request_settings *settings, const struct refs *refs, char **ret_text,
                 size_t *ret_length)
{
    struct request request = {0};
    char message_id[UUID_SIZE];
    xmlChar *text = NULL;
    xmlNodePtr envelope;
    int length = 0;
    int r = request_uuid(message_id);

    if (r < 0) return r;
    envelope = request_envelope(&request);
    request_header(&request, envelope, settings->url, message_id);
    request_body(&request, envelope, settings, refs);
    if (!request.failed) xmlDocDumpMemoryEnc(request.document, &text, &length, "UTF-8");
    xmlFreeDoc(request.document);
    if (!text) return TROLLEY_ERR_NOMEM;
    *ret_text = (char *)text;
    *ret_length = (size_t)length;
    return 0;
}

void request_free(char *text)
{
    if (text) xmlFree(text);
}
