/*
 * manual.h: manual pages for man(7), made of prose and of the tables of options.
 *
 * Prose is lines of text. "# X" and "## X" are headings; "@X" begins an entry of a list, whose text
 * follows; a line with four blanks in front is shown as it is; "%X" is where the page's own
 * function writes X; an empty line ends a paragraph. `X` is bold. SPDX-License-Identifier: MIT
 */
#ifndef CLI_MANUAL_H
#define CLI_MANUAL_H

#include <kit/buffer.h>

#include "core/cli/cli.h"

struct manual {
    struct cli *cli;
    struct kit_buffer *out;
    int status; /* of the first failure; nothing is written after it */
    bool verbatim;
    void (*insert)(struct manual *manual, const char *what);
};

/* "trolley 1" and what it is about. */
void manual_title(struct manual *manual, const char *name, const char *section, const char *about);
void manual_prose(struct manual *manual, const char *text);

/* Begins an entry: `term` bold, `rest` (may be NULL) in italics behind it. */
void manual_entry(struct manual *manual, const char *term, const char *rest);

/* Text of one paragraph, marks ` resolved, with a line's end. */
void manual_line(struct manual *manual, const char *text);
__attribute__((format(printf, 2, 3))) void manual_printf(struct manual *manual, const char *format,
                                                         ...);

/* Ends a line of running text. */
void manual_break(struct manual *manual);

/* The pages. Page 5 has the keys of plugins `types`, of all installed ones when `count` is 0.
 * Return 0 or a negative status with `error` set. */
int manual_program(struct manual *manual);
int manual_config(struct manual *manual, const char *const *types, size_t count,
                  struct trolley_error *error);
int manual_plugin(struct manual *manual);

#endif
