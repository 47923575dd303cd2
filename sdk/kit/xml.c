/* SPDX-License-Identifier: MIT */
#include "xml.h"

#include <libxml/parser.h>
#include <libxml/xmlerror.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buffer.h"
#include "trolley/types.h"
#include "xml_guard.h"

/* Names, prefixes and values in libxml2's array of attributes: five pointers each. */
enum { SAX_NAME, SAX_PREFIX, SAX_SPACE, SAX_VALUE, SAX_VALUE_END, SAX_FIELDS };

struct kit_xml {
    struct kit_xml_limits limits;
    struct kit_xml_handler handler;
    void *ctx;
    xmlParserCtxtPtr parser;
    struct xml_guard guard;
    struct kit_buffer pending;            /* markup whose end has not come yet */
    struct kit_buffer values;             /* of the element being started */
    struct kit_xml_attribute *attributes; /* limits.attributes of them */
    uint64_t *text;                       /* bytes of character data by depth */
    uint64_t bytes;
    uint32_t depth;
    int status; /* the first error */
    bool root;  /* has been seen */
    char problem[160];
    uint32_t line;
};

static void xml_once(void)
{
    xmlInitParser();
}

/* The first error counts: `words` NULL when a callback or memory failed. */
static int xml_fail(struct kit_xml *xml, int status, uint32_t line, const char *words)
{
    if (xml->status < 0) return xml->status;
    xml->status = status;
    xml->line = line;
    if (words) (void)snprintf(xml->problem, sizeof xml->problem, "line %u: %s", line, words);
    return status;
}

static uint32_t xml_parser_line(const struct kit_xml *xml)
{
    const xmlParserInput *input = xml->parser->input;

    return input && input->line > 0 ? (uint32_t)input->line : 1;
}

/* Ends the parse from within one of libxml2's callbacks. */
static void xml_stop(struct kit_xml *xml, int status, const char *words)
{
    (void)xml_fail(xml, status, xml_parser_line(xml), words);
    xmlStopParser(xml->parser);
}

static const char *xml_space(const xmlChar *uri)
{
    return uri ? (const char *)uri : "";
}

/* Copies the attributes out of libxml2's buffers, where values have no NUL at their end. */
static int xml_attributes(struct kit_xml *xml, int count, const xmlChar **sax)
{
    size_t offset = 0;
    int r = 0;

    kit_buffer_reset(&xml->values);
    for (int i = 0; r == 0 && i < count; i++) {
        const xmlChar **field = sax + (size_t)i * SAX_FIELDS;
        size_t length = (size_t)(field[SAX_VALUE_END] - field[SAX_VALUE]);

        xml->attributes[i].name = (const char *)field[SAX_NAME];
        xml->attributes[i].space = xml_space(field[SAX_SPACE]);
        xml->attributes[i].length = length;
        r = kit_buffer_append(&xml->values, field[SAX_VALUE], length);
        if (r == 0) r = kit_buffer_append(&xml->values, "", 1);
    }
    for (int i = 0; r == 0 && i < count; i++) {
        xml->attributes[i].value = xml->values.data + offset;
        offset += xml->attributes[i].length + 1;
    }
    return r;
}

static void xml_start(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *space,
                      int space_count, const xmlChar **spaces, int count, int defaulted,
                      const xmlChar **sax)
{
    struct kit_xml *xml = ctx;
    struct kit_xml_element element = {(const char *)name, xml_space(space), xml->attributes, 0};
    int r;

    (void)prefix, (void)space_count, (void)spaces, (void)defaulted;
    if (xml->status < 0) return;
    if (xml->depth == xml->limits.depth) {
        xml_stop(xml, TROLLEY_ERR_TOO_LARGE, "elements are nested too deep");
        return;
    }
    if (count < 0 || (uint32_t)count > xml->limits.attributes) {
        xml_stop(xml, TROLLEY_ERR_TOO_LARGE, "an element has too many attributes");
        return;
    }
    xml->text[xml->depth++] = 0;
    xml->root = true;
    r = xml_attributes(xml, count, sax);
    element.attribute_count = (size_t)count;
    if (r == 0 && xml->handler.start) r = xml->handler.start(xml->ctx, &element);
    if (r < 0) xml_stop(xml, r, NULL);
}

static void xml_end(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *space)
{
    struct kit_xml *xml = ctx;
    int r = 0;

    (void)prefix;
    if (xml->status < 0) return;
    if (xml->depth > 0) xml->depth--;
    if (xml->handler.end) r = xml->handler.end(xml->ctx, (const char *)name, xml_space(space));
    if (r < 0) xml_stop(xml, r, NULL);
}

static void xml_text(void *ctx, const xmlChar *text, int length)
{
    struct kit_xml *xml = ctx;
    int r = 0;

    if (xml->status < 0 || xml->depth == 0 || length <= 0) return;
    xml->text[xml->depth - 1] += (uint64_t)length;
    if (xml->text[xml->depth - 1] > xml->limits.text) {
        xml_stop(xml, TROLLEY_ERR_TOO_LARGE, "an element's text is too long");
        return;
    }
    if (xml->handler.text) r = xml->handler.text(xml->ctx, (const char *)text, (size_t)length);
    if (r < 0) xml_stop(xml, r, NULL);
}

/* The guard has refused it already; should the two ever read a document differently, this holds. */
static void xml_document_type(void *ctx, const xmlChar *name, const xmlChar *external,
                              const xmlChar *system)
{
    (void)name, (void)external, (void)system;
    xml_stop(ctx, TROLLEY_ERR_PROTOCOL, "a document type declaration, which is refused");
}

/* Markup stands at the same bytes in these encodings, so the guard reads what libxml2 reads. */
static void xml_begin(void *ctx)
{
    static const char *const known[] = {"UTF-8", "UTF8", "ISO-8859-1"};
    struct kit_xml *xml = ctx;
    const xmlChar *encoding = xml->parser->encoding;

    if (!encoding && xml->parser->input) encoding = xml->parser->input->encoding;
    if (!encoding) return;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (xmlStrcasecmp(encoding, BAD_CAST known[i]) == 0) return;
    xml_stop(xml, TROLLEY_ERR_PROTOCOL, "an encoding other than UTF-8");
}

static const char *xml_words(const xmlError *error)
{
    switch (error->code) {
    case XML_ERR_UNDECLARED_ENTITY:
    case XML_WAR_UNDECLARED_ENTITY:
        return "an entity, which is refused";
    case XML_ERR_INVALID_ENCODING:
    case XML_ERR_UNKNOWN_ENCODING:
        return "invalid UTF-8";
    case XML_NS_ERR_UNDEFINED_NAMESPACE:
        return "a name space prefix is not declared";
    case XML_ERR_INVALID_CHAR:
        return error->message && strstr(error->message, "not proper UTF-8") ? "invalid UTF-8"
                                                                            : NULL;
    default:
        return NULL;
    }
}

/* libxml2's own words, cut at the line's end, where there are none of ours. */
static void xml_error(void *ctx, xmlErrorPtr error)
{
    struct kit_xml *xml = ctx;
    const char *words = xml_words(error);
    char text[120];

    if (error->level == XML_ERR_WARNING && !words) return;
    if (error->code == XML_ERR_NO_MEMORY) {
        (void)xml_fail(xml, TROLLEY_ERR_NOMEM, xml_parser_line(xml), NULL);
        return;
    }
    if (!words) {
        const char *said = error->message ? error->message : "not well-formed";

        (void)snprintf(text, sizeof text, "%.*s", (int)strcspn(said, "\r\n"), said);
        words = text;
    }
    (void)xml_fail(xml, TROLLEY_ERR_PROTOCOL, error->line > 0 ? (uint32_t)error->line : 1, words);
}

static int xml_parser_new(struct kit_xml *xml)
{
    xmlSAXHandler sax = {
        .initialized = XML_SAX2_MAGIC,
        .startDocument = xml_begin,
        .startElementNs = xml_start,
        .endElementNs = xml_end,
        .characters = xml_text,
        .ignorableWhitespace = xml_text,
        .cdataBlock = xml_text,
        .internalSubset = xml_document_type,
        .serror = xml_error,
    };

    xml->parser = xmlCreatePushParserCtxt(&sax, xml, NULL, 0, NULL);
    if (!xml->parser) return TROLLEY_ERR_NOMEM;
    /* NOENT resolves &amp; in attributes; without a document type there are no other entities. */
    (void)xmlCtxtUseOptions(xml->parser, XML_PARSE_NONET | XML_PARSE_NOENT);
    return 0;
}

static void xml_defaults(struct kit_xml_limits *limits)
{
    if (limits->document == 0) limits->document = KIT_XML_DOCUMENT;
    if (limits->text == 0) limits->text = KIT_XML_TEXT;
    if (limits->depth == 0) limits->depth = KIT_XML_DEPTH;
    if (limits->attributes == 0) limits->attributes = KIT_XML_ATTRIBUTES;
    if (limits->attribute_size == 0) limits->attribute_size = KIT_XML_ATTRIBUTE_SIZE;
    if (limits->markup_size == 0) limits->markup_size = KIT_XML_MARKUP_SIZE;
}

int kit_xml_new(const struct kit_xml_limits *limits, const struct kit_xml_handler *handler,
                void *ctx, struct kit_xml **ret_xml)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct kit_xml *xml = calloc(1, sizeof *xml);

    (void)pthread_once(&once, xml_once);
    if (!xml) return TROLLEY_ERR_NOMEM;
    if (limits) xml->limits = *limits;
    xml_defaults(&xml->limits);
    xml->handler = *handler;
    xml->ctx = ctx;
    xml->guard.limits = &xml->limits;
    xml->pending.cap = (size_t)xml->limits.markup_size + 1;
    xml->values.cap = 2 * (size_t)xml->limits.markup_size + 1;
    xml->attributes = calloc(xml->limits.attributes, sizeof *xml->attributes);
    xml->text = calloc(xml->limits.depth, sizeof *xml->text);
    if (!xml->attributes || !xml->text || xml_parser_new(xml) < 0) {
        kit_xml_free(xml);
        return TROLLEY_ERR_NOMEM;
    }
    *ret_xml = xml;
    return 0;
}

void kit_xml_free(struct kit_xml *xml)
{
    if (!xml) return;
    if (xml->parser) xmlFreeParserCtxt(xml->parser);
    kit_buffer_free(&xml->pending);
    kit_buffer_free(&xml->values);
    free(xml->attributes);
    free(xml->text);
    free(xml);
}

/* Some errors of libxml2 know no parser (an encoding's); they would be printed. The two settings
 * are the thread's own. */
static int xml_feed(struct kit_xml *xml, const char *data, size_t length, bool last)
{
    xmlStructuredErrorFunc outer = xmlStructuredError;
    void *outer_context = xmlStructuredErrorContext;

    xmlSetStructuredErrorFunc(xml, xml_error);
    while (xml->status == 0 && length > 0) {
        int n = length > INT_MAX / 4 ? INT_MAX / 4 : (int)length;

        (void)xmlParseChunk(xml->parser, data, n, 0);
        data += n;
        length -= (size_t)n;
    }
    if (xml->status == 0 && last) (void)xmlParseChunk(xml->parser, NULL, 0, 1);
    xmlSetStructuredErrorFunc(outer_context, outer);
    if (xml->status == 0 && !xml->parser->wellFormed)
        (void)xml_fail(xml, TROLLEY_ERR_PROTOCOL, xml_parser_line(xml), "not well-formed");
    return xml->status;
}

/* How many of the bytes at the end belong to a character that is not complete. */
static size_t xml_open_character(const char *data, size_t length)
{
    for (size_t back = 1; back <= 3 && back <= length; back++) {
        unsigned char c = (unsigned char)data[length - back];

        if (c < 0x80) return 0;
        if (c >= 0xC0) return back < (c >= 0xF0 ? 4u : c >= 0xE0 ? 3u : 2u) ? back : 0;
    }
    return 0;
}

/* The rest of a piece: text goes on as far as its characters are whole, markup waits. */
static int xml_keep(struct kit_xml *xml, const char *data, size_t length)
{
    size_t wait = xml->guard.state == GUARD_TEXT ? xml_open_character(data, length) : length;
    int r;

    if (wait < length && xml_feed(xml, data, length - wait, false) < 0) return xml->status;
    r = kit_buffer_append(&xml->pending, data + length - wait, wait);
    return r < 0 ? xml_fail(xml, r, xml_parser_line(xml), NULL) : 0;
}

/* What the guard refuses lies behind what libxml2 has read: the lines between are counted. */
static int xml_refuse(struct kit_xml *xml, int status, const char *data, const char *at)
{
    uint32_t line = xml_parser_line(xml);

    for (size_t i = 0; i < xml->pending.length; i++)
        line += xml->pending.data[i] == '\n';
    for (; data < at; data++)
        line += *data == '\n';
    return xml_fail(xml, status, line, xml->guard.problem);
}

static int xml_feed_pending(struct kit_xml *xml)
{
    int r = xml_feed(xml, xml->pending.data, xml->pending.length, false);

    kit_buffer_reset(&xml->pending);
    return r;
}

/* Goes on with what waits in `pending`: a character that was cut, or markup. */
static int xml_join(struct kit_xml *xml, const char **at, const char *end)
{
    bool text = xml->guard.state == GUARD_TEXT;
    const char *from = *at;
    int r = 0;

    while (text && *at < end && (**at & 0xC0) == 0x80 && *at - from < 3)
        (*at)++;
    while (r == 0 && *at < end && xml->guard.state != GUARD_TEXT)
        r = xml_guard_step(&xml->guard, at, end);
    if (r < 0) return xml_refuse(xml, r, from, *at);
    r = kit_buffer_append(&xml->pending, from, (size_t)(*at - from));
    if (r < 0) return xml_fail(xml, r, xml_parser_line(xml), NULL);
    if (xml->guard.state != GUARD_TEXT) return 0;
    if (*at == end && xml_open_character(xml->pending.data, xml->pending.length) > 0) return 0;
    return xml_feed_pending(xml);
}

/* Whole markup and text go to libxml2 in one run, without a copy. */
static int xml_run(struct kit_xml *xml, const char *at, const char *end)
{
    const char *from = at;
    const char *whole = at; /* so far nothing is cut */

    while (at < end) {
        int r = xml_guard_step(&xml->guard, &at, end);

        if (r < 0) {
            if (xml_feed(xml, from, (size_t)(whole - from), false) < 0) return xml->status;
            return xml_refuse(xml, r, whole, at);
        }
        if (xml->guard.state == GUARD_TEXT) whole = at;
        if (xml->guard.state == GUARD_OPEN) whole = at - 1;
    }
    if (xml->guard.state == GUARD_TEXT) return xml_keep(xml, from, (size_t)(at - from));
    if (xml_feed(xml, from, (size_t)(whole - from), false) < 0) return xml->status;
    return xml_keep(xml, whole, (size_t)(at - whole));
}

int kit_xml_push(struct kit_xml *xml, const void *data, size_t length)
{
    const char *at = data;
    const char *end = at + length;

    if (xml->status < 0) return xml->status;
    if (length > xml->limits.document - xml->bytes)
        return xml_fail(xml, TROLLEY_ERR_TOO_LARGE, xml_parser_line(xml),
                        "the document is too long");
    xml->bytes += length;
    while (xml->pending.length > 0 && at < end)
        if (xml_join(xml, &at, end) < 0) return xml->status;
    return at < end ? xml_run(xml, at, end) : 0;
}

int kit_xml_finish(struct kit_xml *xml)
{
    if (xml->status < 0) return xml->status;
    if (xml->pending.length > 0 || xml->depth > 0 || !xml->root)
        return xml_fail(xml, TROLLEY_ERR_TRUNCATED, xml_parser_line(xml),
                        xml->bytes == 0 ? "the document is empty" : "the document ends too early");
    return xml_feed(xml, NULL, 0, true);
}

const char *kit_xml_problem(const struct kit_xml *xml)
{
    return xml->problem[0] ? xml->problem : NULL;
}

uint32_t kit_xml_line(const struct kit_xml *xml)
{
    return xml->status < 0 ? xml->line : xml_parser_line(xml);
}

const char *kit_xml_value(const struct kit_xml_element *element, const char *name)
{
    for (size_t i = 0; i < element->attribute_count; i++)
        if (!*element->attributes[i].space && strcmp(element->attributes[i].name, name) == 0)
            return element->attributes[i].value;
    return NULL;
}
