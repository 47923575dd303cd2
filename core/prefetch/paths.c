/* paths.c: where the objects of a URL would be stored, as far as the INI file tells.
 * SPDX-License-Identifier: MIT */
#include "core/prefetch/paths.h"

#include <kit/buffer.h>
#include <kit/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config/file.h"
#include "core/model/error.h"

/* One path format, written so that equal paths read equal. */
struct path_form {
    struct kit_buffer text;
    uint32_t levels; /* bit set of enum prefetch_grain: what it names */
    bool unlike;     /* no two paths of it are the same, or they differ by URL */
};

void prefetch_url_variant(uint32_t i, char variant[24])
{
    if (i)
        (void)snprintf(variant, 24, "wado-%u", i);
    else
        (void)snprintf(variant, 24, "wado");
}

/* A key of a section as written; NULL when it is not. */
static const char *path_entry(const struct config_section *section, const char *key)
{
    size_t i;

    for (i = 0; i < section->count; i++)
        if (kit_text_key_equal(section->entries[i].key, key)) return section->entries[i].value;
    return NULL;
}

/* What an attribute names: an object of a level, 0 when it is none that a request knows. */
static enum prefetch_grain path_grain(uint32_t tag)
{
    switch (tag) {
    case 0x0020000d:
        return PREFETCH_GRAIN_STUDY;
    case 0x0020000e:
        return PREFETCH_GRAIN_SERIES;
    case 0x00080018:
        return PREFETCH_GRAIN_INSTANCE;
    case 0x00081160: /* Referenced Frame Number */
        return PREFETCH_GRAIN_FRAME;
    default:
        return PREFETCH_GRAIN_ONE;
    }
}

/* Words that differ from one file, or from one URL, to the next. */
static bool path_differs(const char *name, const char *type)
{
    static const char *const types[] = {"rnd", "uuid", "uid"};
    size_t i;

    if (strcmp(name, "rnd") == 0 || strcmp(name, "variant") == 0) return true;
    for (i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strncmp(type, types[i], strlen(types[i])) == 0 &&
            strchr(", \t", type[strlen(types[i])]))
            return true;
    return false;
}

/* One `{name[,type[,argument]]}` without its braces, as the objects of a URL have it. The storage's
 * own words (suffix, contentType) follow from what is asked for. */
static int path_placeholder(struct path_form *form, char *text, const struct prefetch_url *url)
{
    const size_t name_length = strcspn(text, ",");
    const char *type = text[name_length] ? text + name_length + 1 : "";
    enum prefetch_grain names;
    uint32_t tag = 0;

    text[name_length] = '\0';
    type += strspn(type, " \t");
    form->unlike |= path_differs(text, type);
    (void)trolley_parse_attribute(text, &tag, NULL);
    names = tag ? path_grain(tag) : PREFETCH_GRAIN_ONE;
    form->levels |= UINT32_C(1) << names;
    if (tag && (names == PREFETCH_GRAIN_ONE || names > url->grain))
        return kit_buffer_printf(&form->text, "{null,%s}", type);
    if (tag) return kit_buffer_printf(&form->text, "{%08X,%s}", (unsigned)tag, type);
    return kit_buffer_printf(&form->text, "{%s,%s%s}", text, type,
                             strcmp(text, "now") == 0 || !url->accept ? "" : url->accept);
}

static int path_template(struct path_form *form, const char *format, const struct prefetch_url *url)
{
    const char *open, *close;
    char *inside;
    int r = 0;

    for (; r == 0 && *format; format = close + 1) {
        open = strchr(format, '{');
        close = open ? strchr(open, '}') : NULL;
        if (!close) return kit_buffer_text(&form->text, format);
        r = kit_buffer_append(&form->text, format, (size_t)(open - format));
        inside = strndup(open + 1, (size_t)(close - open - 1));
        if (!inside) return TROLLEY_ERR_NOMEM;
        if (r == 0) r = path_placeholder(form, inside, url);
        free(inside);
    }
    return r;
}

/* The root's absolute path, without slashes at its end. */
static int path_root(struct path_form *form, const struct config_file *file,
                     const struct config_section *storage)
{
    const char *path = path_entry(storage, "path");
    char *root = config_path_join(config_file_directory(file), path ? path : "");
    size_t length;
    int r;

    if (!root) return TROLLEY_ERR_NOMEM;
    length = strlen(root);
    while (length > 1 && root[length - 1] == '/')
        length--;
    r = kit_buffer_append(&form->text, root, length);
    free(root);
    return r < 0 ? r : kit_buffer_text(&form->text, "/");
}

/* Where the objects of a URL lie. Other storages than `template` name files after the variant. */
static int path_form(struct path_form *form, const struct config_file *file,
                     const struct prefetch_url *url)
{
    const struct config_section *storage = config_file_section(file, "storage", url->storage);
    const char *type = storage ? path_entry(storage, "type") : NULL;
    const char *format = storage ? path_entry(storage, "path_format") : NULL;
    int r;

    if (storage && !format) format = path_entry(storage, "pathformat");
    if (!type || strcmp(type, "template") != 0 || !format) {
        form->unlike = true;
        return 0;
    }
    r = path_root(form, file, storage);
    return r < 0 ? r : path_template(form, format, url);
}

static int paths_compare(const struct config_file *file, const struct prefetch_exporter *exporter,
                         uint32_t a, uint32_t b, struct trolley_error *error)
{
    const struct prefetch_url *one = &exporter->urls[a], *other = &exporter->urls[b];
    struct path_form first = {0}, second = {0};
    int r = path_form(&first, file, one);

    if (r == 0) r = path_form(&second, file, other);
    if (r < 0) {
        r = error_set(error, r, "out of memory");
    } else if (!first.unlike && !second.unlike && strcmp(first.text.data, second.text.data) == 0) {
        char key[24];

        (void)snprintf(key, sizeof key, a ? "url.%u" : "uri", a);
        r = error_set(error, TROLLEY_ERR_INVALID_CONFIG,
                      "%s: [exporter %s] key `url.%u`: what it brings would take the place of what "
                      "`%s` brings, since both are stored as %s; give it a storage.%u of its own",
                      section_where(exporter->section, "url."), exporter->id, b, key,
                      first.text.data, b);
    }
    kit_buffer_free(&first.text);
    kit_buffer_free(&second.text);
    return r;
}

int prefetch_paths_check(const struct config_file *file, const struct prefetch_exporter *exporter,
                         struct trolley_error *error)
{
    uint32_t a, b;
    int r = 0;

    for (b = 1; r == 0 && b < exporter->url_count; b++)
        for (a = 0; r == 0 && a < b; a++)
            if (exporter->urls[a].storage && exporter->urls[b].storage)
                r = paths_compare(file, exporter, a, b, error);
    return r;
}

bool prefetch_paths_overwrite(const struct config_file *file, const struct prefetch_url *url)
{
    struct path_form form = {0};
    uint32_t wanted;
    int r;

    if (!url->storage) return false;
    r = path_form(&form, file, url);
    kit_buffer_free(&form.text);
    if (r < 0 || form.unlike) return false;
    /* An instance UID is as good as those above it. */
    wanted = UINT32_C(1) << url->grain;
    if (url->grain == PREFETCH_GRAIN_FRAME) wanted |= UINT32_C(1) << PREFETCH_GRAIN_INSTANCE;
    return url->grain > PREFETCH_GRAIN_ONE && (form.levels & wanted) != wanted;
}
