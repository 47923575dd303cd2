/* trace.h: what a plugin of the tests was called for, a line a call, in the file that its option
 * `trace` names. SPDX-License-Identifier: MIT */
#ifndef TESTS_PLUGINS_TRACE_H
#define TESTS_PLUGINS_TRACE_H

#include <fcntl.h>
#include <unistd.h>

#include "sound.h"

#define TRACE_OPTION                                                  \
    {                                                                 \
        SOUND_OPTION(PATH, "trace"), .help = "file for a line a call" \
    }

__attribute__((unused, format(printf, 2, 3))) static void trace(const struct trolley_config *config,
                                                                const char *format, ...)
{
    const char *path = config->text(config, "trace");
    int fd = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
    char line[1024];
    va_list args;
    int length;

    if (fd < 0) return;
    va_start(args, format);
    length = vsnprintf(line, sizeof line - 1, format, args);
    va_end(args);
    if (length > (int)sizeof line - 2) length = (int)sizeof line - 2;
    line[length++] = '\n';
    if (write(fd, line, (size_t)length) < 0) line[0] = '\0';
    (void)close(fd);
}

/* open and close of a section, and the lives of its instances. */
__attribute__((unused)) static int32_t trace_open(const struct trolley_host *host,
                                                  const struct trolley_config *config,
                                                  struct trolley_task *task, void **shared)
{
    (void)host, (void)task;
    trace(config, "open");
    *shared = (void *)(uintptr_t)config;
    return 0;
}

__attribute__((unused)) static void trace_close(void *shared)
{
    trace(shared, "close");
}

__attribute__((unused)) static int32_t trace_create(const struct trolley_host *host,
                                                    const struct trolley_config *config,
                                                    void *shared, struct trolley_task *task,
                                                    void **self)
{
    trace(config, shared == (const void *)config ? "create" : "create without shared");
    return sound_create(host, config, shared, task, self);
}

__attribute__((unused)) static void trace_destroy(void *self)
{
    if (self) trace(((struct sound *)self)->config, "destroy");
    free(self);
}

#endif
