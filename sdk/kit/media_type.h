/* media_type.h: values of Content-Type [RFC 9110 8.3.1; PS3.18 8.7]. SPDX-License-Identifier: MIT
 */
#ifndef KIT_MEDIA_TYPE_H
#define KIT_MEDIA_TYPE_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Is the media type of `value` (parameters aside, without case) `type`, "application/dicom"? With a
 * type that ends in a slash, "multipart/", every subtype counts. NULL values are nothing. */
bool kit_media_type_is(const char *value, const char *type);

/*
 * The parameter `name` (without case) of a Content-Type value, quoted or not, in any order. An
 * unquoted value may hold more than a token does, up to the next `;`: servers forget the quotes.
 * @param ret_text  the value without quotes and escapes, NUL-terminated, at most size - 1 bytes
 * Returns 0; TROLLEY_ERR_NOT_FOUND without that parameter; TROLLEY_ERR_TOO_LARGE;
 * TROLLEY_ERR_PROTOCOL when a quote is not closed.
 */
int kit_media_type_param(const char *value, const char *name, char *ret_text, size_t size);

#ifdef __cplusplus
}
#endif
#endif
