/* charset_dcmtk.h: text in DICOM's character sets [PS3.3 C.12.1.1.2] to UTF-8.
 * SPDX-License-Identifier: MIT */
#ifndef DATASET_CHARSET_DCMTK_H
#define DATASET_CHARSET_DCMTK_H

#include <stddef.h>

#include "kit/buffer.h"

#ifdef __cplusplus
extern "C" {
#endif

struct charset;

/*
 * A converter for the value of Specific Character Set, "" for none. Never NULL but when out of
 * memory: terms that nobody knows give one that keeps ASCII.
 */
struct charset *charset_new(const char *terms);
void charset_free(struct charset *charset);

/*
 * Appends the text as valid UTF-8. Bytes that cannot be read in their set become U+FFFD.
 * @param delimiters  characters at which code extensions end, by VR: "\\^=" for PN, "\\" for
 *                    other texts with several values, "" for the rest
 * @return 0, TROLLEY_ERR_NOMEM or TROLLEY_ERR_TOO_LARGE
 */
int charset_append(struct charset *charset, const char *text, size_t length, const char *delimiters,
                   struct kit_buffer *out);

#ifdef __cplusplus
}
#endif
#endif
