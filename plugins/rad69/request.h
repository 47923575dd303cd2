/* request.h: the SOAP message of RAD-69 [IHE RAD TF-2 4.69.4.1]. SPDX-License-Identifier: MIT */
#ifndef RAD69_REQUEST_H
#define RAD69_REQUEST_H

#include <stddef.h>

#include "refs.h"

#define RAD69_ACTION "urn:ihe:rad:2009:RetrieveImagingDocumentSet"
#define RAD69_CONTENT_TYPE "application/soap+xml; charset=UTF-8; action=\"" RAD69_ACTION "\""

/* What requests of one section have in common. Borrowed. */
struct request_settings {
    const char *url;             /* of the endpoint */
    const char *repository;      /* RepositoryUniqueId */
    const char *community;       /* HomeCommunityId; NULL for none */
    const char *const *syntaxes; /* UIDs of transfer syntaxes, the one liked best first */
    size_t syntax_count;
};

/*
 * The message that asks for `refs`: UTF-8 with its XML declaration, a MessageID of its own.
 * @param ret_text  free with request_free
 * Errors: NOMEM; IO without random numbers.
 */
int request_make(const struct request_settings *settings, const struct refs *refs, char **ret_text,
                 size_t *ret_length);
void request_free(char *text); /* NULL is a no-op */

#endif
