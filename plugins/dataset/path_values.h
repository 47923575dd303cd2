/*
 * path_values.h: path templates over what a storage is told of an item: UIDs, frame and the
 * elements of its head, whose text is made UTF-8 here. SPDX-License-Identifier: MIT
 */
#ifndef DATASET_PATH_VALUES_H
#define DATASET_PATH_VALUES_H

#include <kit/path_template.h>
#include <trolley/plugin.h>

/* The text of an option as a template. */
struct path_option {
    const char *type, *section, *key; /* for messages */
    const struct trolley_host *host;  /* whose dictionary knows keywords */
    const char *const *words;         /* of "suffix", "variant", "contentType"; NULL-terminated */
    bool path;
};

/* Parses it. A template that names what no storage is told (attributes within sequences, private
 * ones, binary ones) is refused. INVALID_CONFIG, NOMEM; told to the task. */
int path_option_parse(const struct path_option *option, const char *text, struct trolley_task *task,
                      struct kit_path_template **ret_template);

/* Adds the tags that a template wants of an item's head to a list, each once; what `meta` tells
 * itself is left out. NOMEM. */
struct path_needs {
    uint32_t *tags;
    uint32_t count;
};
int path_needs_add(struct path_needs *needs, const struct kit_path_template *path);

/* One item's values. */
struct path_values {
    struct kit_path_values values; /* for kit_path_render */
    const struct trolley_meta *meta;
    const char *suffix;
    struct charset *charset;
    bool looked; /* for the character set */
    struct kit_buffer text;
    char frame[12];
};

/* `meta` and `suffix` (the word's value, may be NULL) are borrowed until path_values_clear. */
void path_values_init(struct path_values *values, const struct trolley_meta *meta,
                      const char *suffix);
void path_values_clear(struct path_values *values);

#endif
