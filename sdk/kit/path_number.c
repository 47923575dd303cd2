/* path_number.c: numbers in a path template. SPDX-License-Identifier: MIT */
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "path_internal.h"

const char *path_number_read(const char *pattern, struct path_number *ret_number)
{
    const bool integer = strcmp(pattern, "integer") == 0;
    const char *at = integer ? "#,##0" : pattern, *comma;
    struct path_number number = {0};
    size_t length = strspn(at, "#,0"), i;

    comma = memrchr(at, ',', length);
    if (comma) number.group = (uint8_t)(at + length - comma - 1);
    for (i = 0; i < length; i++) {
        if (at[i] == '0') number.least_integer++;
        if (at[i] == '#' && number.least_integer) return "`#` behind `0` in a number's pattern:";
    }
    if (length == 0 || length > 40 || (comma && number.group == 0))
        return "a number's pattern is like 0000 or #,##0.00:";
    at += length;
    if (*at == '.') {
        number.least_fraction = (uint8_t)strspn(at + 1, "0");
        number.most_fraction =
            (uint8_t)(number.least_fraction + strspn(at + 1 + number.least_fraction, "#"));
        at += 1 + number.most_fraction;
        if (number.most_fraction > 20) return "too many decimals in a number's pattern:";
    }
    if (*at) return "a number's pattern is like 0000 or #,##0.00:";
    *ret_number = number;
    return NULL;
}

/* The value rounded to the most decimals, with a point whatever the locale says. */
static void decimal_text(const char *value, int decimals, char *text, size_t size)
{
    const locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    const locale_t before = plain ? uselocale(plain) : (locale_t)0;
    double number = strtod(value, NULL);

    if (!isfinite(number)) number = 0;
    (void)snprintf(text, size, "%.*f", decimals, number);
    if (!plain) return;
    (void)uselocale(before);
    freelocale(plain);
}

static int put_integer(const struct path_number *number, const char *digits, size_t length,
                       struct kit_buffer *out)
{
    size_t total = length > number->least_integer ? length : number->least_integer, left;
    int r = 0;

    for (left = total; r == 0 && left > 0; left--) {
        r = kit_buffer_append(out, left > length ? "0" : &digits[length - left], 1);
        if (r == 0 && number->group && left > 1 && (left - 1) % number->group == 0)
            r = kit_buffer_text(out, ",");
    }
    return r;
}

int path_number_format(const struct path_number *number, const char *value, struct kit_buffer *out)
{
    char text[400];
    char *digits = text, *point;
    size_t length, decimals;
    int r = 0;

    decimal_text(value, number->most_fraction, text, sizeof text);
    if (*digits == '-') digits++;
    length = strcspn(digits, ".");
    point = digits + length;
    decimals = *point ? strlen(point + 1) : 0;
    while (decimals > number->least_fraction && point[decimals] == '0')
        decimals--;
    if (digits[strspn(digits, "0.")] && digits != text) r = kit_buffer_text(out, "-");
    if (length == 1 && *digits == '0' && number->least_integer == 0 && decimals) length = 0;
    if (r == 0) r = put_integer(number, digits, length, out);
    if (r == 0 && decimals) r = kit_buffer_append(out, point, decimals + 1);
    return r;
}
