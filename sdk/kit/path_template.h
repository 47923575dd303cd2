/*
 * path_template.h: file names made from attributes, in the notation of dcm4chee's pathFormat:
 * literal text and `{path[,type[,argument]]}`. A template is parsed once and then immutable, so it
 * may be shared by threads. SPDX-License-Identifier: MIT
 *
 * path is a keyword (PatientID), a tag (00100020), either of them joined by '.' to reach into the
 * first item of a sequence, with `[n]` behind it for the value n from 0; or `now`, the time of
 * rendering; or `rnd`, which has no value; or a word of the caller's own ("suffix"). An attribute
 * without a value reads "null", as it does there.
 *
 * type        argument                                  renders
 * (none)                                                the value
 * upper                                                 in upper case
 * slice       BEGIN[,END]                               characters from BEGIN up to END; negative
 *                                                       ones, and END 0, count from the value's end
 * number      pattern of `0 # , .`, or integer          a number; absent is 0
 * offset      N                                         an integer with N added; absent is 0
 * date, time  y M d H h m s S a E k K D and 'text'      of now, or of a DA, TM or DT value in local
 *                                                       time; default yyyyMMdd, HHmmss
 * urlencoded                                            as a form's field is
 * hash                                                  s * 31 + c over UTF-16, 8 hex digits
 * md5                                                   26 characters of 0-9a-v
 * rnd, uuid, uid                                        8 hex digits, a UUID, 2.25.N, all random
 */
#ifndef KIT_PATH_TEMPLATE_H
#define KIT_PATH_TEMPLATE_H

#include <stdbool.h>
#include <stdint.h>

#include "buffer.h"

#ifdef __cplusplus
extern "C" {
#endif

#define KIT_PATH_FORMAT_MAX 1024   /* bytes of a template */
#define KIT_PATH_RENDERED_MAX 1000 /* bytes of a path; 4096 of a text */
#define KIT_PATH_DEPTH_MAX 8       /* tags of one dotted path */

struct kit_path_template;

/* What a placeholder may name. Closed. */
struct kit_path_names {
    /* The tag of a keyword, 0 when unknown; NULL: only tags are taken. */
    uint32_t (*tag)(const char *keyword);
    const char *const *words; /* the caller's own, NULL-terminated; NULL for none */
};

/* Where the values come from while rendering. Closed. */
struct kit_path_values {
    void *ctx;
    /* Value `index` (from 0) of an attribute in UTF-8; NULL when it has none. Asked of one thread;
     * the text lives until the next call. `tags` has more than one where it lies in sequences. */
    const char *(*attribute)(void *ctx, const uint32_t *tags, size_t depth, uint32_t index);
    /* The value of one of the caller's words; NULL for none. May be NULL without words. */
    const char *(*word)(void *ctx, const char *name);
    int64_t now; /* seconds since 1970-01-01 UTC; -1: the clock's */
};

/*
 * Reads a template. `path`: it names a file below some root: a template that is absolute or empty,
 * has an empty component, "." or ".." is refused. Otherwise it makes any text.
 * @param problem  gets what is wrong and where ("at 7: `{Foo}`: unknown keyword `Foo`"); may be
 *                 NULL
 * @return 0, TROLLEY_ERR_INVALID_CONFIG or TROLLEY_ERR_NOMEM
 */
int kit_path_parse(const char *text, bool path, const struct kit_path_names *names,
                   struct kit_buffer *problem, struct kit_path_template **ret_template);
void kit_path_free(struct kit_path_template *path);

/* Attribute i that the template names, as tags; 0 past the last, else its depth. */
size_t kit_path_attribute(const struct kit_path_template *path, uint32_t i, const uint32_t **tags);

/* Does it name this word (`now` and `rnd` too, the latter also for types that are random)? */
bool kit_path_uses(const struct kit_path_template *path, const char *word);

/*
 * Appends a path: relative, without "." and "..", of components of 1 to 255 bytes of UTF-8. In
 * values '/', control characters and invalid bytes become '_'; a '.' of a value that would begin a
 * component does, too. A component that is too long is cut and gets a hash of the whole before its
 * last literal part; an empty one reads "_".
 * @param ret_tail  where in `out` the text begins that no value has part in (but those of words),
 *                  up to the end: ".jpeg"; may be NULL
 * @return 0, TROLLEY_ERR_NOMEM, TROLLEY_ERR_TOO_LARGE past KIT_PATH_RENDERED_MAX
 */
int kit_path_render(const struct kit_path_template *path, const struct kit_path_values *values,
                    struct kit_buffer *out, size_t *ret_tail);

/* Appends a text: values as they are but for control characters and invalid UTF-8, which read '_'.
 * A '-' that a value would put at its beginning reads '_': it makes an argument, not an option. */
int kit_path_text(const struct kit_path_template *path, const struct kit_path_values *values,
                  struct kit_buffer *out);

#ifdef __cplusplus
}
#endif
#endif
