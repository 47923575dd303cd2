/* command.h: the storage `command` from inside. SPDX-License-Identifier: MIT */
#ifndef COMMAND_COMMAND_H
#define COMMAND_COMMAND_H

#include "plugins/dataset/path_values.h"
#include "plugins/disk/index.h"

#define WORDS_MAX 128 /* the program and its arguments; lines of `environment` */

struct command_storage {
    char *section, *program, *spool;
    int64_t timeout_ms;
    struct kit_path_template *arguments[WORDS_MAX];
    uint32_t argument_count;
    char **environment; /* NULL-terminated */
    struct path_needs needs;
    struct trolley_span needs_span;
    char *index_path; /* NULL: nothing is remembered */
    struct disk_index index;
};

/* words.c: reads `argument` and `environment`; told to the task. */
int words_read(struct command_storage *storage, const struct trolley_host *host,
               const struct trolley_config *config, struct trolley_task *task);
void words_free(struct command_storage *storage);

/* The command line for one item, NULL-terminated; free it with line_free. */
int line_make(const struct command_storage *storage, const struct trolley_meta *meta,
              struct trolley_task *task, char ***ret_line);
void line_free(char **line);

#endif
