/* SPDX-License-Identifier: MIT */
#include "core/model/dictionary.h"

#include <string.h>

#include <kit/text.h>

#include "core/model/dictionary_table.h"
#include "core/model/error.h"

const struct dictionary_entry *dictionary_entry(size_t i)
{
    return i < dictionary_count ? &dictionary_table[i] : NULL;
}

static const struct dictionary_entry *dictionary_find(uint32_t tag)
{
    size_t low = 0, high = dictionary_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (dictionary_table[middle].tag == tag) return &dictionary_table[middle];
        if (dictionary_table[middle].tag < tag)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

uint32_t trolley_tag(const char *keyword)
{
    size_t low = 0, high = dictionary_count;

    while (keyword && low < high) {
        size_t middle = low + (high - low) / 2;
        const struct dictionary_entry *entry = &dictionary_table[dictionary_by_keyword[middle]];
        int order = strcmp(entry->keyword, keyword);

        if (order == 0) return entry->tag;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

const char *trolley_keyword(uint32_t tag)
{
    const struct dictionary_entry *entry = dictionary_find(tag);

    return entry ? entry->keyword : NULL;
}

const char *trolley_keyword_at(uint32_t i)
{
    return i < dictionary_count ? dictionary_table[i].keyword : NULL;
}

const char *trolley_vr(uint32_t tag)
{
    const struct dictionary_entry *entry = dictionary_find(tag);

    return entry && *entry->vr ? entry->vr : "UN";
}

/* Reads four hexadecimal digits into the lower half of *tag. */
static bool dictionary_hex4(const char *text, uint32_t *tag)
{
    uint32_t number = *tag << 16;
    int i;

    for (i = 0; i < 4; i++) {
        char c = text[i];
        uint32_t digit;

        if (c >= '0' && c <= '9')
            digit = (uint32_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            digit = (uint32_t)(c - 'a') + 10;
        else if (c >= 'A' && c <= 'F')
            digit = (uint32_t)(c - 'A') + 10;
        else
            return false;
        number |= digit << (12 - 4 * i);
    }
    *tag = number;
    return true;
}

static const char *dictionary_next_keyword(void *ctx, size_t i)
{
    (void)ctx;
    return i < dictionary_count ? dictionary_table[i].keyword : NULL;
}

int trolley_parse_attribute(const char *text, uint32_t *ret_tag, struct trolley_error *error)
{
    uint32_t tag = trolley_tag(text);
    const char *nearest;

    if (tag == 0 && dictionary_hex4(text, &tag)) {
        const char *rest = text + 4 + (text[4] == ',');

        if (!dictionary_hex4(rest, &tag) || rest[4]) tag = 0;
    }
    if (tag != 0) {
        *ret_tag = tag;
        return 0;
    }
    nearest = error ? kit_text_nearest(text, dictionary_next_keyword, NULL) : NULL;
    if (nearest)
        return error_set(error, TROLLEY_ERR_INVALID_ARG,
                         "%s: no such DICOM keyword; did you mean %s?", text, nearest);
    return error_set(error, TROLLEY_ERR_INVALID_ARG, "%s: no such DICOM keyword or tag", text);
}

const struct trolley_dictionary_service dictionary_service = {
    .size = sizeof dictionary_service,
    .tag = trolley_tag,
    .keyword = trolley_keyword,
    .vr = trolley_vr,
};
