/*
 * console.h: standard error: messages, log lines and the progress bar, one at a time.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CLI_CONSOLE_H
#define CLI_CONSOLE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/trolley.h"

#define CONSOLE_BAR_MAX 8192

struct console {
    int fd;
    bool terminal; /* the bar may be drawn */
    bool colour;
    bool json;      /* everything as JSON lines */
    bool quiet;     /* no notes */
    uint32_t level; /* the most verbose enum trolley_log_level shown */
    pthread_mutex_t lock;
    char bar[CONSOLE_BAR_MAX]; /* what stands in the last lines; empty for none */
};

/* Looks at `fd` and the environment (NO_COLOR, TERM). */
void console_init(struct console *console, int fd);
void console_destroy(struct console *console);

/* True when `fd` is a terminal that may be sent colour. */
bool console_may_colour(int fd);

/* Columns of the terminal behind `fd`, else of $COLUMNS, else `fallback`. */
unsigned console_width(int fd, unsigned fallback);

/* Lines of the terminal behind `fd`; `fallback` when it does not tell. */
unsigned console_height(int fd, unsigned fallback);

/* An error of the command: "trolley: message". [any] */
void console_error(struct console *console, const char *message);

/* A remark for the user, printf-like, unless quiet. [any] */
__attribute__((format(printf, 2, 3))) void console_note(struct console *console, const char *format,
                                                        ...);

/* The last word, printed when quiet, too. [any] */
void console_verdict(struct console *console, const char *line);

/* A log line with time and component. [any] */
void console_log(struct console *console, uint32_t level, const char *component,
                 const char *message);

/* Replaces the progress bar, of one line or more, none wider than the terminal; "" takes it away.
 * Nothing when this is no terminal. [any] */
void console_bar(struct console *console, const char *text);

#endif
