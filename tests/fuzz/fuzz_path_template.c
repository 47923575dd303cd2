/*
 * A path template on any bytes: the template up to a NUL, then the value of every attribute. What
 * it renders must be a path below a root whatever both say. SPDX-License-Identifier: MIT
 */
#include <kit/path_template.h>
#include <kit/text.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

/* Any keyword has a tag. */
static uint32_t some_tag(const char *keyword)
{
    return *keyword >= 'A' && *keyword <= 'Z' ? (uint32_t)strlen(keyword) : 0;
}

static const char *give(void *ctx, const uint32_t *tags, size_t depth, uint32_t index)
{
    if (depth == 0 || tags[depth - 1] == 0) abort();
    return index == 0 ? ctx : NULL;
}

static const char *give_word(void *ctx, const char *name)
{
    (void)name;
    return ctx;
}

static const char *const words[] = {"suffix", NULL};
static const struct kit_path_names names = {some_tag, words};

/* Every component is a name that leads nowhere but down. */
static void check_path(const char *path, size_t length, size_t tail)
{
    if (length == 0 || length > KIT_PATH_RENDERED_MAX || strlen(path) != length) abort();
    if (!kit_text_utf8_valid(path, length) || tail > length) abort();
    for (;;) {
        const size_t part = strcspn(path, "/");

        if (part == 0 || part > 255) abort();
        if (path[0] == '.' && (part == 1 || (part == 2 && path[1] == '.'))) abort();
        if (!path[part]) return;
        path += part + 1;
    }
}

static void try_as(const char *format, char *value, bool path)
{
    const struct kit_path_values values = {value, give, give_word, 1709211909};
    struct kit_buffer out = {0}, problem = {0};
    struct kit_path_template *template = NULL;
    size_t tail = 0;
    int r = kit_path_parse(format, path, &names, &problem, &template);

    if (r < 0 && (template || problem.length == 0)) abort();
    if (r == 0 && path) {
        if (kit_path_render(template, &values, &out, &tail) == 0)
            check_path(out.data, out.length, tail);
    } else if (r == 0) {
        r = kit_path_text(template, &values, &out);
        if (r == 0 && out.length > 4096) abort();
        if (r == 0 && !strchr(format, '-') && out.data[0] == '-') abort();
    }
    kit_path_free(template);
    kit_buffer_free(&out);
    kit_buffer_free(&problem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    char *format = malloc(length + 1), *value;

    if (!format) return 0;
    memcpy(format, data, length);
    format[length] = '\0';
    value = strlen(format) < length ? strdup(format + strlen(format) + 1) : NULL;
    try_as(format, value, true);
    try_as(format, value, false);
    free(value);
    free(format);
    return 0;
}
