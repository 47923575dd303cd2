/* SPDX-License-Identifier: MIT */
#include "name.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "kit/uid.h"

#define VARIANT_MAX 32

/* Suffixes of what is no DICOM file. */
static const char *media_suffix(const char *content_type)
{
    static const struct {
        const char *type, *suffix;
    } table[] = {
        {"image/jpeg", ".jpg"},        {"image/png", ".png"},
        {"image/gif", ".gif"},         {"image/jp2", ".jp2"},
        {"application/json", ".json"}, {"application/dicom+json", ".json"},
        {"application/xml", ".xml"},   {"application/dicom+xml", ".xml"},
        {"application/pdf", ".pdf"},   {"text/html", ".html"},
        {"text/plain", ".txt"},        {"video/mpeg", ".mpg"},
        {"video/mp4", ".mp4"},
    };
    size_t i;

    for (i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strcasecmp(content_type, table[i].type) == 0) return table[i].suffix;
    return ".bin";
}

static bool plain_character(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-';
}

/* Copies the variant's name, anything but plain characters as '-'. */
static void plain_text(const char *text, char out[VARIANT_MAX + 1])
{
    size_t i;

    for (i = 0; text[i] && i < VARIANT_MAX; i++)
        out[i] = plain_character(text[i]) ? text[i] : '-';
    out[i] = '\0';
}

int name_make(disk_layout_dir layout, const char *suffix, const struct trolley_meta *meta,
              struct disk_name *ret_name)
{
    struct disk_name name;
    char frame[24] = "", variant[VARIANT_MAX + 1] = "";
    const char *type = meta->content_type ? meta->content_type : "application/dicom";
    int r;

    if (!meta->instance || !kit_uid_valid(meta->instance)) return TROLLEY_ERR_INVALID_ARG;
    r = layout(meta, name.dir, sizeof name.dir);
    if (r < 0) return r;
    if (meta->frame) (void)snprintf(frame, sizeof frame, ".frame%u", meta->frame);
    if (meta->variant) plain_text(meta->variant, variant);
    (void)snprintf(name.stem, sizeof name.stem, "%s%s%s%s", meta->instance, frame,
                   variant[0] ? "." : "", variant);
    if (strcasecmp(type, "application/dicom") != 0) suffix = media_suffix(type);
    (void)snprintf(name.suffix, sizeof name.suffix, "%s", suffix);
    *ret_name = name;
    return 0;
}

void name_file(const struct disk_name *name, uint32_t number, char *text, size_t size)
{
    if (number > 1)
        (void)snprintf(text, size, "%s_%u%s", name->stem, number, name->suffix);
    else
        (void)snprintf(text, size, "%s%s", name->stem, name->suffix);
}

void name_path(const struct disk_name *name, uint32_t number, char *text, size_t size)
{
    char file[DISK_PATH_MAX];

    name_file(name, number, file, sizeof file);
    if (strcmp(name->dir, ".") == 0)
        (void)snprintf(text, size, "%s", file);
    else
        (void)snprintf(text, size, "%s/%s", name->dir, file);
}
