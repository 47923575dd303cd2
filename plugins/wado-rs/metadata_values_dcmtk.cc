/* SPDX-License-Identifier: MIT */
#include "metadata_values_dcmtk.h"

#include <cerrno>
#include <climits>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <type_traits>

#include "kit/json_stream.h"

namespace metadata
{

const cJSON *member_of(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

/* A string or number as text; "" for null. */
const char *text_of(const cJSON *item)
{
    const char *text = cJSON_GetStringValue(item);

    if (!text) {
        if (item && !cJSON_IsNull(item)) throw Malformed{"a value is neither text nor number"};
        return "";
    }
    return text + (*text == KIT_JSON_NUMBER_MARK);
}

/* Value as an array, with or without its brackets. */
Values values_of(const cJSON *member)
{
    const cJSON *value = member_of(member, "Value");
    Values values;

    if (!value || cJSON_IsNull(value)) return values;
    if (!cJSON_IsArray(value)) return Values{value};
    for (const cJSON *item = value->child; item; item = item->next)
        values.push_back(item);
    return values;
}

bool is_name(const cJSON *item)
{
    return member_of(item, "Alphabetic") || member_of(item, "Ideographic") ||
           member_of(item, "Phonetic");
}

/* Component groups of a person name, empty ones at the end left out. */
std::string name_text(const cJSON *item)
{
    std::string name;

    if (!cJSON_IsObject(item)) return text_of(item);
    name += text_of(member_of(item, "Alphabetic"));
    name += '=';
    name += text_of(member_of(item, "Ideographic"));
    name += '=';
    name += text_of(member_of(item, "Phonetic"));
    name.erase(name.find_last_not_of('=') + 1);
    return name;
}

/* Decimal strings have 16 characters [PS3.5 6.2]; JSON numbers have as many as they like. */
std::string decimal_text(const char *text)
{
    char shorter[32];
    int digits = 16;

    if (strlen(text) <= 16) return text;
    do
        (void)snprintf(shorter, sizeof shorter, "%.*g", digits, strtod(text, nullptr));
    while (strlen(shorter) > 16 && --digits > 0);
    return shorter;
}

/* A number without fraction, however it is written. Negative values in unsigned VRs and the reverse
 * are seen in the wild: two's complement. */
template <typename T> static T integer(const char *text)
{
    using Unsigned = typename std::make_unsigned<T>::type;
    using Signed = typename std::make_signed<T>::type;
    const bool wide_signed = std::is_signed<T>::value && sizeof(T) == 8;
    const double least = static_cast<double>(std::numeric_limits<Signed>::min());
    char *end = nullptr;

    errno = 0;
    if (*text == '-') {
        const long long number = strtoll(text, &end, 10);

        if (!errno && !*end && number >= std::numeric_limits<Signed>::min())
            return static_cast<T>(number);
    } else {
        const unsigned long long number = strtoull(text, &end, 10);

        if (!errno && end != text && !*end && number <= std::numeric_limits<Unsigned>::max() &&
            !(wide_signed && number > LLONG_MAX))
            return static_cast<T>(number);
    }
    const double number = strtod(text, &end);
    if (end == text || *end || number != std::floor(number) || std::fabs(number) > 1e15 ||
        number < least || number > static_cast<double>(std::numeric_limits<Unsigned>::max()))
        throw Malformed{"a number is out of its VR's range"};
    return static_cast<T>(static_cast<long long>(number));
}

template <typename T> std::vector<T> integers(const Values &values)
{
    std::vector<T> numbers;

    for (const cJSON *value : values)
        numbers.push_back(integer<T>(text_of(value)));
    return numbers;
}

template <typename T> std::vector<T> reals(const Values &values)
{
    std::vector<T> numbers;

    for (const cJSON *value : values) {
        const char *text = text_of(value);
        char *end = nullptr;
        double number = strtod(text, &end);

        if (end == text || *end) throw Malformed{"a value is no number"};
        numbers.push_back(static_cast<T>(number));
    }
    return numbers;
}

/* "00100010" */
DcmTagKey tag_of(const char *text)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    unsigned long tag;

    if (strlen(text) != 8 || strspn(text, digits) != 8) throw Malformed{"a value is no tag"};
    tag = strtoul(text, nullptr, 16);
    return DcmTagKey(static_cast<Uint16>(tag >> 16), static_cast<Uint16>(tag & 0xffff));
}

std::vector<Uint16> tags(const Values &values)
{
    std::vector<Uint16> pairs;

    for (const cJSON *value : values) {
        DcmTagKey key = tag_of(text_of(value));

        pairs.push_back(key.getGroup());
        pairs.push_back(key.getElement());
    }
    return pairs;
}

void check(const OFCondition &condition, const char *problem)
{
    if (condition == EC_MemoryExhausted) throw std::bad_alloc();
    if (condition.bad()) throw Malformed{problem};
}

template std::vector<Uint16> integers<Uint16>(const Values &);
template std::vector<Sint16> integers<Sint16>(const Values &);
template std::vector<Uint32> integers<Uint32>(const Values &);
template std::vector<Sint32> integers<Sint32>(const Values &);
template std::vector<Uint64> integers<Uint64>(const Values &);
template std::vector<Sint64> integers<Sint64>(const Values &);
template std::vector<Float32> reals<Float32>(const Values &);
template std::vector<Float64> reals<Float64>(const Values &);

} // namespace metadata
