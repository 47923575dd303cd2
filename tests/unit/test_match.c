/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* cmocka's fail() is a macro that breaks task->fail() when it comes first. */
#include <kit/match.h>
#include <trolley/helpers.h>

#include <cmocka.h>

/* PS3.4 C.2.2.2: C.2.2.2.1 single value, .2 UID list, .3 universal, .4 wildcard, .5 range. */
static const struct {
    const char *vr, *key, *value;
    bool match;
} cases[] = {
    /* single value: byte for byte, padding aside */
    {"LO", "Brain MR", "Brain MR", true},
    {"LO", "Brain MR", "brain mr", false},
    {"LO", "Brain MR ", " Brain MR", true},
    {"LO", "Brain", "Brain MR", false},
    {"LT", "a", " a", false},
    {"LT", "a", "a ", true},
    {"CS", "MR", "MR ", true},
    {"CS", "MR", "CT", false},
    {"SH", "A1", "", false},
    {"UI", "1.2.3", "1.2.3", true},
    {"UI", "1.2.3", "1.2.30", false},
    {"UI", "1.2.*", "1.2.3", false},
    {"AS", "018M", "018M", true},
    {"AS", "0*", "018M", false},
    {"AT", "00100010", "00100010", true},
    {"", "x", "x", true},
    {NULL, "x", "y", false},

    /* universal */
    {"LO", "", "anything", true},
    {"LO", "", "", true},
    {"LO", "  ", "anything", true},
    {"DA", "", "20150301", true},
    {"DA", "*", "20150301", true},
    {"UI", "*", "1.2.3", true},
    {"PN", "*", "", true},

    /* wildcards */
    {"LO", "B*", "Brain", true},
    {"LO", "*", "", true},
    {"LO", "*ain", "Brain", true},
    {"LO", "*ain", "Brain MR", false},
    {"LO", "B*a*n", "Brain", true},
    {"LO", "B**n", "Brain", true},
    {"LO", "Br?in", "Brain", true},
    {"LO", "Br?in", "Brin", false},
    {"LO", "?????", "Brain", true},
    {"LO", "??????", "Brain", false},
    {"LO", "b*", "Brain", false},
    {"LO", "*ab", "aab", true},
    {"LO", "a*b?d", "axxbcbed", true},
    {"LO", "\xE5?", "\xE5\xB1", true}, /* a cut sequence counts by byte */
    {"LO", "?", "\xE5\xB1\xB1", true},
    {"LO", "??", "\xE5\xB1\xB1", false},
    {"CS", "M?", "MR", true},
    {"UR", "http*", "http://x", true},
    {"UT", "*x*", " x", true},

    /* dates */
    {"DA", "20150301", "20150301", true},
    {"DA", "20150301", "2015.03.01", true},
    {"DA", "20150301", "20150302", false},
    {"DA", "20150301-20150331", "20150301", true},
    {"DA", "20150301-20150331", "20150331", true},
    {"DA", "20150301-20150331", "20150401", false},
    {"DA", "20150301-20150331", "20150228", false},
    {"DA", "20150301-", "20150301", true},
    {"DA", "20150301-", "20150228", false},
    {"DA", "-20150331", "20150331", true},
    {"DA", "-20150331", "20150401", false},
    {"DA", "2015-2016", "20161231", true},
    {"DA", "2015-2016", "20170101", false},
    {"DA", "20240228-20240301", "20240229", true},
    {"DA", "20230228-20230301", "20230229", false},
    {"DA", "20150301-20150331", "", false},
    {"DA", "20150301-20150331", "not a date", false},
    {"DA", "odd", "odd", true},
    {"DA", "-", "20150301", false},
    {"DA", "20150301-2015033", "20150301", false},

    /* times */
    {"TM", "101500", "101500", true},
    {"TM", "10", "105959.999999", true},
    {"TM", "10", "110000", false},
    {"TM", "1015", "10:15:30", true},
    {"TM", "1000-1200", "1200", true},
    {"TM", "1000-1200", "120059.9", true},
    {"TM", "1000-1200", "120100", false},
    {"TM", "1000-1200", "095959.999999", false},
    {"TM", "-1200", "000000", true},
    {"TM", "2200-", "235960", true},
    {"TM", "101010.5", "101010.54", true},
    {"TM", "101010.5", "101010.6", false},
    {"TM", "101010.50-101010.59", "101010.599999", true},
    {"TM", "25-26", "10", false},

    /* date and time */
    {"DT", "20150301", "20150301123000", true},
    {"DT", "201503", "20150331235959", true},
    {"DT", "201503", "20150401000000", false},
    {"DT", "2015-2016", "20160101", true},
    {"DT", "20150301120000-20150301130000", "20150301123000", true},
    {"DT", "20150301120000-20150301130000", "20150301130001", false},
    {"DT", "20150301120000+0100", "20150301110000+0000", true},
    {"DT", "20150301120000+0100", "20150301120000+0000", false},
    {"DT", "20150301120000-0500", "20150301170000+0000", true},
    {"DT", "20150301120000-0500-20150301130000-0500", "20150301173000+0000", true},
    {"DT", "20150301120000-0500-20150301130000-0500", "20150301183000+0000", false},
    {"DT", "20150301120000-0500-", "20150301165959+0000", false},
    {"DT", "20150301120000+0100", "20150301120000", true},
    {"DT", "-20150301120000-0500", "20150301170000+0000", true},
    {"DT", "20150301120000-1500", "20150301120000", false}, /* a range that runs backwards */

    /* person names */
    {"PN", "doe^john", "Doe^John", true},
    {"PN", "Doe", "Doe^John", false},
    {"PN", "Doe*", "DOE^John", true},
    {"PN", "Doe^*", "Doe", true},
    {"PN", "Doe^?", "Doe", false},
    {"PN", "Doe^John^^^", "Doe^John", true},
    {"PN", "Doe^John", "Doe^John^^", true},
    {"PN", "Doe^John^^Dr", "Doe^John", false},
    {"PN", "M\xC3\x9CLLER*", "M\xC3\xBCller^Jan", true},
    {"PN", "\xD0\x9B\xD1\x8E\xD0\xBA*", "\xD0\xBB\xD0\xAE\xD0\x9A^A", true},
    {"PN", "\xC4\xB9\xC5\xBD*", "\xC4\xBA\xC5\xBE^A", true},
    {"PN", "\xE5\xB1\xB1\xE7\x94\xB0*", "Yamada^Tarou=\xE5\xB1\xB1\xE7\x94\xB0^X=y", true},
    {"PN", "y*", "A=b=Yamada", true},
    {"PN", "y*", "A=b=c", false},
    {"PN", "=b*", "A=Bc", true},
    {"PN", "=b*", "Bc", false},
    {"PN", "a=b", "A=B=C", true},
    {"PN", "a==c", "A=B=C", true},
    {"PN", "a==d", "A=B=C", false},

    /* numbers by value */
    {"IS", "7", "007", true},
    {"IS", "7", " +7 ", true},
    {"IS", "7", "70", false},
    {"DS", "1.5", "1.50", true},
    {"DS", "150", "1.5e2", true},
    {"DS", "0", "-0.0", true},
    {"DS", "abc", "abc", true},
    {"DS", "1", "1x", false},
    {"DS", "1", "", false},
    {"US", "512", "512.0", true},
    {"UV", "9007199254740993", "9007199254740992", false},
    {"UV", "9007199254740993", "9007199254740993", true},
    {"DS", "nan", "NAN", false},
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (kit_match_value(cases[i].vr, cases[i].key, cases[i].value) != cases[i].match)
            fail_msg("%s key \"%s\" value \"%s\": expected %d", cases[i].vr ? cases[i].vr : "NULL",
                     cases[i].key, cases[i].value, cases[i].match);
}

/* Backtracking over every '*' would take longer than the age of the universe. */
static void test_hostile_pattern(void **state)
{
    static char value[100001], key[2001];
    clock_t start = clock();

    (void)state;
    memset(value, 'a', sizeof value - 1);
    assert_false(kit_match_value("UT", "*a*a*a*a*b", value));
    assert_false(kit_match_value("PN", "*a*a*a*a*b", value));
    for (size_t i = 0; i + 1 < sizeof key; i += 2)
        memcpy(key + i, "*a", 2);
    assert_true(kit_match_value("UT", key, value));
    memcpy(key + sizeof key - 3, "*b", 2);
    assert_false(kit_match_value("UT", key, value));
    assert_true((double)(clock() - start) / CLOCKS_PER_SEC < 5.0);
}

static void test_lists(void **state)
{
    static const char *const uids[] = {"1.2.3", "1.2.4"}, *const modalities[] = {"CT", "MR"},
                             *const one[] = {"1.2.4"}, *const other[] = {"1.2"},
                             *const any[] = {"*"}, *const empty[] = {""};
    const struct trolley_span none = {NULL, 0, 0}, uid_list = TROLLEY_SPAN(uids),
                              modality_list = TROLLEY_SPAN(modalities),
                              one_list = TROLLEY_SPAN(one), other_list = TROLLEY_SPAN(other),
                              any_list = TROLLEY_SPAN(any), empty_list = TROLLEY_SPAN(empty);

    (void)state;
    assert_true(kit_match("UI", &uid_list, &one_list));
    assert_false(kit_match("UI", &uid_list, &other_list));
    assert_true(kit_match("CS", &modality_list, &modality_list));
    assert_false(kit_match("CS", &uid_list, &modality_list));
    assert_false(kit_match("UI", &uid_list, &none));
    assert_false(kit_match("UI", &uid_list, &empty_list));
    assert_true(kit_match("UI", &any_list, &none));
    assert_true(kit_match("LO", &empty_list, &none));
    assert_true(kit_match("LO", &none, &none));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_hostile_pattern),
        cmocka_unit_test(test_lists),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
