/* SPDX-License-Identifier: MIT */
#include "core/cli/console.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <kit/json.h>
#include <kit/text.h>

#define CONSOLE_CLEAR "\r\033[K"
#define CONSOLE_CLEAR_ABOVE "\033[A\033[K" /* the line above, and go there */

bool console_may_colour(int fd)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

    if (no_color && *no_color) return false;
    if (!term || strcmp(term, "dumb") == 0) return false;
    return isatty(fd);
}

unsigned console_width(int fd, unsigned fallback)
{
    const char *columns = getenv("COLUMNS");
    struct winsize size;
    char *end;
    long width;

    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    if (!columns) return fallback;
    width = strtol(columns, &end, 10);
    return *end == '\0' && width > 0 && width < 100000 ? (unsigned)width : fallback;
}

unsigned console_height(int fd, unsigned fallback)
{
    struct winsize size;

    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : fallback;
}

void console_init(struct console *console, int fd)
{
    const char *term = getenv("TERM");

    *console = (struct console){.fd = fd};
    pthread_mutex_init(&console->lock, NULL);
    console->terminal = isatty(fd) && !(term && strcmp(term, "dumb") == 0);
    console->colour = console_may_colour(fd);
}

void console_destroy(struct console *console)
{
    pthread_mutex_destroy(&console->lock);
}

/* A message that cannot be written to standard error has nowhere else to go. */
static void console_write(const struct console *console, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t n = write(console->fd, data, length);

        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return;
        data += n;
        length -= (size_t)n;
    }
}

/* Takes the lines of the bar away. */
static void console_clear(const struct console *console)
{
    const char *at = console->bar;

    console_write(console, CONSOLE_CLEAR, strlen(CONSOLE_CLEAR));
    while ((at = strchr(at, '\n'))) {
        console_write(console, CONSOLE_CLEAR_ABOVE, strlen(CONSOLE_CLEAR_ABOVE));
        at++;
    }
}

/* Writes a whole line between taking the bar away and drawing it again. */
static void console_line(struct console *console, struct kit_buffer *line)
{
    if (kit_buffer_text(line, "\n") < 0) return;
    pthread_mutex_lock(&console->lock);
    if (console->bar[0]) console_clear(console);
    console_write(console, line->data, line->length);
    if (console->bar[0]) console_write(console, console->bar, strlen(console->bar));
    pthread_mutex_unlock(&console->lock);
}

static const char *console_level(uint32_t level)
{
    static const char *const names[] = {"error", "error", "warning", "info", "debug"};

    return names[level < sizeof names / sizeof names[0] ? level : 4];
}

static const char *console_level_colour(uint32_t level)
{
    switch (level) {
    case TROLLEY_LOG_ERROR:
        return "\033[31m";
    case TROLLEY_LOG_WARNING:
        return "\033[33m";
    default:
        return "";
    }
}

/* The time now in UTC with milliseconds [RFC 3339]. */
static void console_time(char *buf, size_t size)
{
    struct timespec now;
    struct tm tm;
    char seconds[32];

    clock_gettime(CLOCK_REALTIME, &now);
    if (!gmtime_r(&now.tv_sec, &tm) || !strftime(seconds, sizeof seconds, "%FT%T", &tm))
        seconds[0] = '\0';
    (void)snprintf(buf, size, "%s.%03ldZ", seconds, now.tv_nsec / 1000000);
}

/* `component`: "qido-rs pacs-search", its type and the name of its section. */
static void console_json(struct console *console, uint32_t level, const char *component,
                         const char *message)
{
    struct kit_buffer line = {0}, name = {0};
    struct kit_json json = {.out = &line};
    const char *section = component ? strchr(component, ' ') : NULL;
    int length = section ? (int)(section - component) : component ? (int)strlen(component) : 0;
    char now[64];

    console_time(now, sizeof now);
    kit_json_open(&json, NULL, '{');
    kit_json_text(&json, "time", now);
    kit_json_text(&json, "level", console_level(level));
    if (length && kit_buffer_printf(&name, "trolley.%.*s", length, component) == 0)
        kit_json_text(&json, "component", name.data);
    else
        kit_json_text(&json, "component", "trolley");
    if (section) kit_json_text(&json, "section", section + 1);
    kit_json_text(&json, "message", message);
    kit_json_close(&json);
    if (json.status == 0) console_line(console, &line);
    kit_buffer_free(&name);
    kit_buffer_free(&line);
}

/* `prefix` and the message, escaped, with the colour of its level (0 for none) on the prefix. */
static void console_text(struct console *console, uint32_t level, const char *prefix,
                         const char *message)
{
    struct kit_buffer line = {0};
    const char *colour = console->colour ? console_level_colour(level) : "";
    int r;

    r = kit_buffer_printf(&line, "%s%s%s", colour, prefix, *colour ? "\033[0m" : "");
    if (r == 0) r = kit_text_escape(&line, message, strlen(message));
    if (r == 0) console_line(console, &line);
    kit_buffer_free(&line);
}

void console_error(struct console *console, const char *message)
{
    if (console->json)
        console_json(console, TROLLEY_LOG_ERROR, NULL, message);
    else
        console_text(console, TROLLEY_LOG_ERROR, "trolley: ", message);
}

void console_note(struct console *console, const char *format, ...)
{
    char text[2048];
    va_list args;

    if (console->quiet) return;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (console->json)
        console_json(console, TROLLEY_LOG_INFO, NULL, text);
    else
        console_text(console, 0, "", text);
}

void console_verdict(struct console *console, const char *line)
{
    if (console->json)
        console_json(console, TROLLEY_LOG_INFO, NULL, line);
    else
        console_text(console, 0, "", line);
}

void console_log(struct console *console, uint32_t level, const char *component,
                 const char *message)
{
    struct kit_buffer prefix = {0};
    char now[64];
    int r;

    if (console->json) {
        console_json(console, level, component, message);
        return;
    }
    console_time(now, sizeof now);
    r = kit_buffer_printf(&prefix, "%s %s trolley%s", now, console_level(level),
                          component && *component ? "." : "");
    if (r == 0 && component) r = kit_text_escape(&prefix, component, strlen(component));
    if (r == 0) r = kit_buffer_text(&prefix, ": ");
    if (r == 0) console_text(console, level, prefix.data, message);
    kit_buffer_free(&prefix);
}

void console_bar(struct console *console, const char *text)
{
    if (!console->terminal || console->json) return;
    pthread_mutex_lock(&console->lock);
    if (console->bar[0] || *text) {
        console_clear(console);
        (void)snprintf(console->bar, sizeof console->bar, "%s", text);
        console_write(console, console->bar, strlen(console->bar));
    }
    pthread_mutex_unlock(&console->lock);
}
