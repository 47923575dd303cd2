/* excerpt.h: the beginning of an answer that is not what was asked for, to quote in an error.
 * SPDX-License-Identifier: MIT */
#ifndef KIT_EXCERPT_H
#define KIT_EXCERPT_H

#include <stdbool.h>
#include <stddef.h>

#include "trolley/host.h"

#ifdef __cplusplus
extern "C" {
#endif

struct kit_excerpt {
    char text[2049]; /* NUL-terminated once anything came */
    size_t length;
    bool full;
};

/* The next bytes: collected up to the first line's end, of an HTML page up to its title's, leading
 * white space left out. Returns whether no more are wanted. */
bool kit_excerpt_add(struct kit_excerpt *excerpt, const void *data, size_t length);

/* Does it begin as an HTML page does? */
bool kit_excerpt_is_html(const struct kit_excerpt *excerpt);

/* Fails the task with TROLLEY_ERR_PROTOCOL: what `url` (shown without its query) answered with in
 * place of `wanted`, quoting its first line and the title of an HTML page. Returns that status. */
int32_t kit_excerpt_fail(const struct kit_excerpt *excerpt, struct trolley_task *task,
                         const char *url, const char *content_type, const char *wanted);

#ifdef __cplusplus
}
#endif
#endif
