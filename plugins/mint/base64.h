/* base64.h: text that stands in an answer as base64 [RFC 4648]. SPDX-License-Identifier: MIT */
#ifndef MINT_BASE64_H
#define MINT_BASE64_H

#include <kit/buffer.h>
#include <stdbool.h>

/* Appends what `text` stands for. Returns 0, PROTOCOL for anything that is no base64, NOMEM,
 * TOO_LARGE. White space is passed over. */
int base64_decode(struct kit_buffer *out, const char *text);

#endif
