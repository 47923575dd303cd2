/* path_internal.h: a path template from inside. SPDX-License-Identifier: MIT */
#ifndef KIT_PATH_INTERNAL_H
#define KIT_PATH_INTERNAL_H

#include <time.h>

#include "path_template.h"

enum path_type {
    PATH_NONE,
    PATH_UPPER,
    PATH_SLICE,
    PATH_NUMBER,
    PATH_OFFSET,
    PATH_DATE,
    PATH_TIME,
    PATH_URLENCODED,
    PATH_HASH,
    PATH_MD5,
    PATH_RND,
    PATH_UUID,
    PATH_UID
};

enum path_source { PATH_LITERAL, PATH_ATTRIBUTE, PATH_NOW, PATH_RANDOM, PATH_WORD };

/* How many digits a number is written with. */
struct path_number {
    uint8_t least_integer, least_fraction, most_fraction;
    uint8_t group; /* digits between commas, 0 none */
};

struct path_piece {
    enum path_source source;
    enum path_type type;
    const char *text; /* LITERAL, WORD; the pattern of a date */
    uint32_t tags[KIT_PATH_DEPTH_MAX];
    uint8_t depth;
    uint32_t index;     /* of the value, from 0 */
    int32_t begin, end; /* slice; begin: offset */
    struct path_number number;
};

struct kit_path_template {
    struct path_piece *pieces;
    uint32_t count;
    char *text; /* what the pieces' texts point into, NUL-separated */
};

/* path_date.c. Checks a pattern: NULL, or what is wrong with it. */
const char *path_date_problem(const char *pattern);
/* Appends a time as the pattern says. */
int path_date_format(const char *pattern, const struct tm *when, int millisecond,
                     struct kit_buffer *out);
/* Reads a DA, TM or DT value [PS3.5 6.2]; `time`: digits without a date are a TM. False when it is
 * none. */
bool path_date_read(const char *value, bool time, struct tm *ret_when, int *ret_millisecond);

/* path_number.c. Reads a pattern: NULL, or what is wrong with it. */
const char *path_number_read(const char *pattern, struct path_number *ret_number);
int path_number_format(const struct path_number *number, const char *value, struct kit_buffer *out);

/* path_value.c. Appends what one placeholder stands for, before it is made safe. */
int path_value(const struct path_piece *piece, const struct kit_path_values *values,
               struct kit_buffer *out);

#endif
