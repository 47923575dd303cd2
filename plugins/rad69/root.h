/*
 * root.h: the SOAP message of an answer, read as it comes [ITI TF-2 3.43.4.2; RAD TF-2 4.69.4.2]:
 * its status, its documents with the parts they mean, its errors, its fault. Elements are told by
 * their local names, since servers mix up name spaces. SPDX-License-Identifier: MIT
 */
#ifndef RAD69_ROOT_H
#define RAD69_ROOT_H

#include <kit/xml.h>
#include <stdbool.h>
#include <trolley/types.h>

#include "cid.h"
#include "refs.h"

#define ROOT_MARKUP_MAX ((uint64_t)16 << 20) /* most bytes without inline documents */
#define ROOT_TEXT_MAX 512                    /* most bytes kept of one text */

enum root_status { ROOT_UNKNOWN, ROOT_SUCCESS, ROOT_PARTIAL, ROOT_FAILURE };

/* One DocumentResponse whose instance was asked for. */
struct root_document {
    uint32_t ref;  /* index of the instance */
    bool arrived;  /* its part or its inline content came */
    char *include; /* decoded href of its xop:Include; NULL for none */
};

/* One rs:RegistryError. Texts may be "". */
struct root_error {
    char code[128]; /* without its name space: XDSMissingDocument */
    char context[ROOT_TEXT_MAX];
    char location[256];
    bool warning;    /* its severity */
    uint32_t ref;    /* the instance it speaks of, REFS_NONE when it names none */
    uint32_t series; /* an instance of the series it speaks of, REFS_NONE when it names none */
};

struct root_fault {
    bool present;
    char code[64]; /* local name: Sender, Receiver */
    char subcode[128];
    char reason[ROOT_TEXT_MAX];
};

/* Takes documents that stand in the message itself. Negative returns end root_push. */
struct root_handler {
    void *ctx;
    /* base64 text, `ref` as in root_document or REFS_NONE. */
    int (*content)(void *ctx, uint32_t ref, const char *text, size_t length);
    int (*content_end)(void *ctx);
};

struct root {
    struct root_handler handler;
    const struct refs *refs;
    struct kit_xml *xml;
    uint64_t markup; /* bytes without inline documents */
    bool late;       /* set by the owner: parts came before the message */
    bool begun, complete;
    bool broken; /* not to be read any further; what was read before stands */
    char problem[256];
    bool response; /* a RegistryResponse or RetrieveDocumentSetResponse came */
    enum root_status status;
    struct root_document *documents;
    struct root_error *errors;
    uint32_t document_count, document_room, error_count, error_room;
    uint32_t dropped; /* errors beyond the most that are kept */
    struct root_fault fault;

    /* where the reader stands */
    char *text; /* what takes the character data, NULL for none */
    size_t text_size, text_length;
    char uid[80];
    struct cid include;
    uint32_t current;         /* index of the DocumentResponse's instance */
    bool has_include, inside; /* inside: a Document */
    bool has_content;
    bool in_fault, in_subcode, in_detail;
};

/* @param refs  what was asked for; borrowed. Errors: NOMEM. */
int root_init(struct root *root, const struct refs *refs, const struct root_handler *handler);
void root_clear(struct root *root);

/* The next bytes. What is malformed or too large sets broken, and is no error. Errors: NOMEM, what
 * the handler returned. */
int root_push(struct root *root, const void *data, size_t length);

/* The message has ended: complete or broken is set. Errors: NOMEM. */
int root_finish(struct root *root);

/* The document that a part belongs to, by its Content-ID; NULL when none is known (yet). */
struct root_document *root_find(struct root *root, const char *content_id);

#endif
