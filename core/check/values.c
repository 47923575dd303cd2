/* SPDX-License-Identifier: MIT */
#include "core/check/values.h"

#include <inttypes.h>
#include <string.h>

#include "core/config/values.h"

#define VALUES_LONG 1000 /* characters of a long text */

uint64_t values_next(uint64_t *seed)
{
    uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* The bounds that the host holds the option to. */
static void values_range(const struct trolley_option *option, int64_t *ret_min, int64_t *ret_max)
{
    *ret_min = option->min;
    *ret_max = option->max;
    if (option->min || option->max) return;
    *ret_min = option->type == TROLLEY_OPTION_PORT ? 1 : 0;
    *ret_max = option->type == TROLLEY_OPTION_PORT ? 65535 : INT32_MAX;
}

static int values_number(const struct trolley_option *option, int64_t number,
                         struct kit_buffer *out)
{
    const char *unit = option->type == TROLLEY_OPTION_DURATION ? "ms" : "";

    return kit_buffer_printf(out, "%" PRId64 "%s", number, unit);
}

static int values_choice(const struct trolley_option *option, size_t i, struct kit_buffer *out)
{
    size_t length;
    const char *word = config_word_at(option->choices, i, &length);

    return word ? kit_buffer_append(out, word, length) : TROLLEY_ERR_NOT_FOUND;
}

static int values_repeat(struct kit_buffer *out, const char *piece, size_t count)
{
    int r = 0;

    while (r == 0 && count-- > 0)
        r = kit_buffer_text(out, piece);
    return r;
}

int values_plain(const struct trolley_option *option, const struct values_place *place,
                 struct kit_buffer *out)
{
    int64_t min, max;

    switch (option->type) {
    case TROLLEY_OPTION_INT:
    case TROLLEY_OPTION_DURATION:
    case TROLLEY_OPTION_SIZE:
        values_range(option, &min, &max);
        return values_number(option, min > 1 ? min : max >= 1 ? 1 : max, out);
    case TROLLEY_OPTION_BOOL:
        return kit_buffer_text(out, "yes");
    case TROLLEY_OPTION_CHOICE:
        return values_choice(option, 0, out);
    case TROLLEY_OPTION_PATH:
        return kit_buffer_text(out, option->flags & TROLLEY_OPTION_ROOT_PATH ? place->store
                                                                             : place->data);
    case TROLLEY_OPTION_URL:
        return kit_buffer_printf(out, "http://127.0.0.1:%u/dicom", place->port);
    case TROLLEY_OPTION_AE_TITLE:
        return kit_buffer_text(out, "CHECK");
    case TROLLEY_OPTION_PORT:
        return kit_buffer_printf(out, "%u", place->port);
    case TROLLEY_OPTION_COMPONENT:
        return kit_buffer_text(out, VALUES_PEER);
    default:
        return kit_buffer_text(out, strstr(option->key, "host") ? "127.0.0.1" : "check");
    }
}

static int values_extreme_text(const struct trolley_option *option, uint32_t i,
                               struct kit_buffer *out)
{
    const bool list = option->type == TROLLEY_OPTION_LIST;
    const bool filled = list || (option->flags & TROLLEY_OPTION_REQUIRED);

    switch (i) {
    case 0:
        return kit_buffer_text(out, filled ? "x" : "");
    case 1:
        return values_repeat(out, "y", VALUES_LONG);
    case 2:
        return kit_buffer_text(out, "%s%n \xc3\x9c\xe2\x82\xac\xf0\x9f\xa9\xbb ../\\ \"'`$(x)");
    default:
        return TROLLEY_ERR_NOT_FOUND;
    }
}

static int values_extreme_place(const struct trolley_option *option,
                                const struct values_place *place, uint32_t i,
                                struct kit_buffer *out)
{
    const char *root = option->flags & TROLLEY_OPTION_ROOT_PATH ? place->store : place->data;
    int r;

    if (i > 1) return TROLLEY_ERR_NOT_FOUND;
    if (option->type == TROLLEY_OPTION_PATH)
        return i ? kit_buffer_printf(out, "%s/absent \xc3\x9c/below", root)
                 : kit_buffer_text(out, root);
    if (i == 0) return kit_buffer_printf(out, "https://[::1]:%u", place->port);
    r = kit_buffer_printf(out, "http://127.0.0.1:%u/", place->port);
    return r < 0 ? r : values_repeat(out, "long/", VALUES_LONG / 5);
}

int values_extreme(const struct trolley_option *option, const struct values_place *place,
                   uint32_t i, struct kit_buffer *out)
{
    int64_t min, max;

    switch (option->type) {
    case TROLLEY_OPTION_INT:
    case TROLLEY_OPTION_DURATION:
    case TROLLEY_OPTION_SIZE:
    case TROLLEY_OPTION_PORT:
        values_range(option, &min, &max);
        return i > 1 ? TROLLEY_ERR_NOT_FOUND : values_number(option, i ? max : min, out);
    case TROLLEY_OPTION_BOOL:
        return i > 1 ? TROLLEY_ERR_NOT_FOUND : kit_buffer_text(out, i ? "yes" : "no");
    case TROLLEY_OPTION_CHOICE:
        return values_choice(option, i, out);
    case TROLLEY_OPTION_PATH:
    case TROLLEY_OPTION_URL:
        return values_extreme_place(option, place, i, out);
    case TROLLEY_OPTION_AE_TITLE:
        return i > 1 ? TROLLEY_ERR_NOT_FOUND : kit_buffer_text(out, i ? "ABCDEFGH IJKLMNO" : "A");
    case TROLLEY_OPTION_COMPONENT:
        return i > 0 ? TROLLEY_ERR_NOT_FOUND : kit_buffer_text(out, VALUES_PEER);
    default:
        return values_extreme_text(option, i, out);
    }
}

/* Up to 40 characters, some of them of two bytes. */
static int values_random_text(uint64_t *seed, struct kit_buffer *out)
{
    size_t length = 1 + values_next(seed) % 40;
    int r = 0;

    while (r == 0 && length-- > 0) {
        uint64_t pick = values_next(seed);

        if (pick % 8 == 0)
            r = kit_buffer_printf(out, "\xc3%c", (int)(0xa0 + (pick >> 8) % 31));
        else
            r = kit_buffer_printf(out, "%c", (int)(0x21 + (pick >> 8) % 94));
    }
    return r;
}

/* How many extremes an option has. */
static uint32_t values_count(const struct trolley_option *option, const struct values_place *place)
{
    struct kit_buffer scratch = {0};
    uint32_t count = 0;

    while (values_extreme(option, place, count, &scratch) == 0 && count < 64)
        count++;
    kit_buffer_free(&scratch);
    return count;
}

int values_random(const struct trolley_option *option, const struct values_place *place,
                  uint64_t *seed, struct kit_buffer *out)
{
    const uint64_t pick = values_next(seed);
    uint64_t span;
    uint32_t count;
    int64_t min, max;

    switch (option->type) {
    case TROLLEY_OPTION_INT:
    case TROLLEY_OPTION_DURATION:
    case TROLLEY_OPTION_SIZE:
    case TROLLEY_OPTION_PORT:
        values_range(option, &min, &max);
        span = (uint64_t)max - (uint64_t)min + 1; /* 0: all there are */
        return values_number(option, (int64_t)((uint64_t)min + (span ? pick % span : pick)), out);
    case TROLLEY_OPTION_STRING:
    case TROLLEY_OPTION_LIST:
        return values_random_text(seed, out);
    default:
        break;
    }
    count = values_count(option, place);
    return count ? values_extreme(option, place, (uint32_t)(pick % count), out)
                 : TROLLEY_ERR_NOT_FOUND;
}
