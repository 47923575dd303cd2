/*
 * xml.h: reads XML from servers that are not trusted, in pieces of any size (libxml2's SAX2 push
 * parser behind a guard that bounds each piece of markup before libxml2 sees it).
 *
 * Refused, each with its own words in kit_xml_problem: document type declarations (so there are no
 * entities but the five of XML and character references, no external references, no network),
 * encodings other than UTF-8 and ISO-8859-1, invalid UTF-8, undeclared name space
 * prefixes, whatever is not well-formed, and what goes past the limits. Processing instructions and
 * comments are skipped. Memory is bounded by the limits, not by the document.
 * SPDX-License-Identifier: MIT
 */
#ifndef KIT_XML_H
#define KIT_XML_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bounds; 0 takes the default. */
struct kit_xml_limits {
    uint64_t document;   /* most bytes altogether; default KIT_XML_DOCUMENT */
    uint64_t text;       /* most bytes of character data within one element, its children's apart */
    uint32_t depth;      /* most nested elements */
    uint32_t attributes; /* most attributes of one element, name space declarations with them */
    uint32_t attribute_size; /* most bytes of one attribute's value as it stands in the document */
    uint32_t markup_size; /* most bytes of a tag, comment, CDATA section, processing instruction */
};
#define KIT_XML_DOCUMENT ((uint64_t)256 << 20)
#define KIT_XML_TEXT ((uint64_t)16 << 20)
#define KIT_XML_DEPTH 64
#define KIT_XML_ATTRIBUTES 64
#define KIT_XML_ATTRIBUTE_SIZE (1u << 20)
#define KIT_XML_MARKUP_SIZE (4u << 20)

/* One attribute. Name space declarations are not among them. */
struct kit_xml_attribute {
    const char *name;  /* local name */
    const char *space; /* name space URI; "" for none */
    const char *value; /* NUL-terminated UTF-8, references resolved */
    size_t length;     /* of value */
};

/* An element's beginning. Borrowed for the call. */
struct kit_xml_element {
    const char *name;  /* local name */
    const char *space; /* name space URI; "" for none */
    const struct kit_xml_attribute *attributes;
    size_t attribute_count;
};

/* What happens with the document; each may be NULL. A negative return ends push with that status.
 */
struct kit_xml_handler {
    int (*start)(void *ctx, const struct kit_xml_element *element);
    int (*end)(void *ctx, const char *name, const char *space);
    /* Character data, CDATA too, in pieces; not NUL-terminated. White space between elements comes
     * as well. A piece never ends within a character. */
    int (*text)(void *ctx, const char *text, size_t length);
};

struct kit_xml;

/* @param limits   NULL for the defaults; copied
 * @param handler  copied
 * @param ret_xml  free with kit_xml_free. Errors: NOMEM. [any] */
int kit_xml_new(const struct kit_xml_limits *limits, const struct kit_xml_handler *handler,
                void *ctx, struct kit_xml **ret_xml);
void kit_xml_free(struct kit_xml *xml); /* NULL is a no-op; not from within a callback */

/* The next bytes. Errors: PROTOCOL (malformed or refused), TOO_LARGE (past a limit), NOMEM, or what
 * a callback returned; after an error the parser takes no more and says the same again. */
int kit_xml_push(struct kit_xml *xml, const void *data, size_t length);

/* The document has ended. Errors: TRUNCATED (root element missing or open), and those of push. */
int kit_xml_finish(struct kit_xml *xml);

/* What was wrong, in words, with its line; NULL when it was a callback or memory. Lives as long as
 * xml. */
const char *kit_xml_problem(const struct kit_xml *xml);

/* The line (from 1) that is being read, or where the problem lay. */
uint32_t kit_xml_line(const struct kit_xml *xml);

/* The value of an element's attribute of that local name and of no name space; NULL when it has
 * none. */
const char *kit_xml_value(const struct kit_xml_element *element, const char *name);

#ifdef __cplusplus
}
#endif
#endif
