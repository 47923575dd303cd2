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

const char *name_suffix(const char *content_type, const char *dicom)
{
    if (!content_type || strcasecmp(content_type, "application/dicom") == 0) return dicom;
    return media_suffix(content_type);
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
    int r;

    if (!meta->instance || !kit_uid_valid(meta->instance)) return TROLLEY_ERR_INVALID_ARG;
    r = layout(meta, name.dir, sizeof name.dir);
    if (r < 0) return r;
    if (meta->frame) (void)snprintf(frame, sizeof frame, ".frame%u", meta->frame);
    if (meta->variant) plain_text(meta->variant, variant);
    (void)snprintf(name.stem, sizeof name.stem, "%s%s%s%s", meta->instance, frame,
                   variant[0] ? "." : "", variant);
    (void)snprintf(name.suffix, sizeof name.suffix, "%s", name_suffix(meta->content_type, suffix));
    *ret_name = name;
    return 0;
}

void name_file(const struct disk_name *name, uint32_t number, char *text, size_t size)
{
    char digits[16] = "";
    size_t stem = strlen(name->stem), rest;

    if (number > 1) (void)snprintf(digits, sizeof digits, "_%u", number);
    rest = strlen(digits) + strlen(name->suffix);
    if (stem + rest > DISK_FILE_MAX) stem = DISK_FILE_MAX - rest;
    /* Not within a character. */
    while (stem && (name->stem[stem] & 0xc0) == 0x80)
        stem--;
    (void)snprintf(text, size, "%.*s%s%s", (int)stem, name->stem, digits, name->suffix);
}

void name_path(const struct disk_name *name, uint32_t number, char *text, size_t size)
{
    char file[DISK_FILE_MAX + 1];

    name_file(name, number, file, sizeof file);
    if (strcmp(name->dir, ".") == 0)
        (void)snprintf(text, size, "%s", file);
    else
        (void)snprintf(text, size, "%s/%s", name->dir, file);
}
