/* accept.h: whether an answer is of a kind that was asked for. SPDX-License-Identifier: MIT */
#ifndef CORE_PREFETCH_ACCEPT_H
#define CORE_PREFETCH_ACCEPT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/prefetch/settings.h"

/*
 * Does the Content-Type of an answer fit the Accept of the URL [RFC 9110 12.5.1]? Media types and
 * ranges are compared without parameters; application/json and application/dicom+json are one, xml
 * alike. An HTML page fits only where HTML is asked for by name (in Accept, or as contentType of
 * WADO-URI): else it is a log-in page. Without a Content-Type nothing speaks against it.
 * @param problem  what is wrong, when false
 */
bool accept_judge(const struct prefetch_url *url, const char *content_type, char *problem,
                  size_t size);

/* What an image really is, by its first bytes: some servers send JPEG under the name of image/png.
 * NULL where the name is no image's, or the bytes do not tell. Static text. */
const char *accept_image(const char *content_type, const void *data, size_t length);

#endif
