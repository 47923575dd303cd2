/* Path templates: what they render, what they refuse, what no value can do.
 * SPDX-License-Identifier: MIT */
#include <kit/path_template.h>
#include <kit/text.h>
#include <kit/uid.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <trolley/types.h>

#include <cmocka.h>

#include "core/trolley.h"

/* 2024-02-29 13:05:09 UTC, a Thursday */
#define NOW 1709211909

/* One attribute; the values of a sequence's are found by its own two tags. */
struct value {
    uint32_t outer, tag;
    const char *texts[3];
};

static const struct value known[] = {
    {0, 0x0020000d, {"1.2.3"}},
    {0, 0x0020000e, {"1.2.3.4"}},
    {0, 0x00080018, {"1.2.3.4.5"}},
    {0, 0x00081160, {"7"}},
    {0, 0x00100020, {"PAT-01"}},
    {0, 0x00100010, {"M\xc3\xbcller^J\xc3\xb6rg"}},
    {0, 0x00080020, {"20240131"}},
    {0, 0x00080030, {"081530.123"}},
    {0, 0x0008002a, {"20231231235959.5+0100"}},
    {0, 0x00080060, {"CT"}},
    {0, 0x00080008, {"ORIGINAL", "PRIMARY", "AXIAL"}},
    {0, 0x00200013, {"42"}},
    {0, 0x00201041, {"-1234567.891"}},
    {0, 0x00080050, {"a/b c&d"}},
    {0, 0x00080090, {""}},
    {0x00400275, 0x00400007, {"knee"}},
};

static const char *find(void *ctx, const uint32_t *tags, size_t depth, uint32_t index)
{
    const uint32_t outer = depth > 1 ? tags[0] : 0, tag = tags[depth - 1];
    size_t i;

    (void)ctx;
    for (i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].outer == outer && known[i].tag == tag)
            return index < 3 ? known[i].texts[index] : NULL;
    return NULL;
}

static const char *word(void *ctx, const char *name)
{
    (void)ctx;
    return strcmp(name, "suffix") == 0 ? ".jpg" : NULL;
}

static const char *const words[] = {"suffix", "variant", NULL};
static const struct kit_path_names names = {trolley_tag, words};
static const struct kit_path_values values = {NULL, find, word, NOW};

static void check(const char *format, bool path, const struct kit_path_values *from,
                  const char *expected)
{
    struct kit_path_template *template;
    struct kit_buffer out = {0}, problem = {0};
    int r = kit_path_parse(format, path, &names, &problem, &template);

    if (r < 0) fail_msg("%s: %s", format, problem.data);
    r = path ? kit_path_render(template, from, &out, NULL) : kit_path_text(template, from, &out);
    assert_int_equal(r, 0);
    assert_string_equal(out.data, expected);
    kit_path_free(template);
    kit_buffer_free(&out);
    kit_buffer_free(&problem);
}

static const struct {
    const char *format, *expected;
} vectors[] = {
    /* dcm4chee's own */
    {"{0020000D,hash}", "02C82A3A"},
    {"{0020000E,hash}", "71668980"},
    {"{00080018,md5}", "08vpsu2l2shpb0kc3orpgfnhv0"},
    {"{0020000D}/{0020000E}/{00080018}/{00081160}.jpeg", "1.2.3/1.2.3.4/1.2.3.4.5/7.jpeg"},
    {"{now,date,yyyy/MM/dd}/{0020000D,hash}/{0020000E,hash}/{00080018,hash}",
     "2024/02/29/02C82A3A/71668980/B1EA2F47"},
    /* names */
    {"plain", "plain"},
    {"{PatientID}/{StudyDate}/{SOPInstanceUID}.dcm", "PAT-01/20240131/1.2.3.4.5.dcm"},
    {"{00100020,none}", "PAT-01"},
    {"{0020000d}", "1.2.3"},
    {"{ImageType[2]}", "AXIAL"},
    {"{ImageType[0],upper}-{00080008[1]}", "ORIGINAL-PRIMARY"},
    {"{RequestAttributesSequence.ScheduledProcedureStepDescription}", "knee"},
    {"{00400275.00400007,upper}", "KNEE"},
    {"{SOPInstanceUID}{suffix}", "1.2.3.4.5.jpg"},
    /* without a value */
    {"{StudyID}/{ReferringPhysicianName}/x", "null/null/x"},
    {"{ImageType[9]}", "null"},
    {"{StudyID,number,000}.{StudyID,offset,5}", "000.5"},
    {"a{variant}", "anull"},
    {"{StudyID,date,yyyy}", "null"},
    {"{PatientID,date,yyyy}", "null"},
    /* types */
    {"{PatientName,upper}", "M\xc3\x9cLLER^J\xc3\x96RG"},
    {"{PatientID,slice,4}", "01"},
    {"{PatientID,slice,0,3}", "PAT"},
    {"{PatientID,slice,-2}", "01"},
    {"{PatientID,slice,0,-3}", "PAT"},
    {"{PatientName,slice,1,3}", "\xc3\xbcl"},
    {"{PatientID,slice,9,12}", "_"},
    {"{PatientID,slice,-99,99}", "PAT-01"},
    {"{InstanceNumber,number,0000}", "0042"},
    {"{InstanceNumber,number}", "42"},
    {"{SliceLocation,number}", "-1,234,567.891"},
    {"{SliceLocation,number,integer}", "-1,234,568"},
    {"{SliceLocation,number,#.00}", "-1234567.89"},
    {"{InstanceNumber,number,#.00##}", "42.00"},
    {"{InstanceNumber,offset,100}", "142"},
    {"{InstanceNumber,offset,-43}", "-1"},
    {"{StudyDate,date,yyyy/MM/dd}", "2024/01/31"},
    {"{StudyDate,date}", "20240131"},
    {"{StudyDate,date,EEE d MMM yy}", "Wed 31 Jan 24"},
    {"{StudyDate,date,EEEE MMMM D}", "Wednesday January 31"},
    {"{StudyTime,time,HH.mm.ss.SSS}", "08.15.30.123"},
    {"{StudyTime,time,h a}", "8 AM"},
    {"{StudyTime,time}", "081530"},
    {"{AcquisitionDateTime,date,yyyy-MM-dd'T'HH''mm}", "2023-12-31T23'59"},
    {"{AcquisitionDateTime,time,k K}", "23 11"},
    {"{now,date}-{now,time}", "20240229-130509"},
    {"{AccessionNumber}", "a_b c&d"},
    {"{AccessionNumber,urlencoded}", "a%2Fb+c%26d"},
    {"{PatientName,urlencoded}", "M%C3%BCller%5EJ%C3%B6rg"},
};

static void test_vectors(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < sizeof vectors / sizeof vectors[0]; i++)
        check(vectors[i].format, true, &values, vectors[i].expected);
}

static void test_plain_text_keeps_slashes(void **state)
{
    (void)state;
    check("--id={AccessionNumber}", false, &values, "--id=a/b c&d");
    check("", false, &values, "");
    check("/../{SliceLocation}//", false, &values, "/../-1234567.891//");
}

static const struct {
    const char *format, *problem;
} refused[] = {
    {"{Patientid}/x", "at 1: `{Patientid}`: unknown keyword or tag `Patientid`"},
    {"a/{PatientID,lower}", "at 3: `{PatientID,lower}`: unknown type `lower`"},
    {"a{PatientID", "at 2: `{PatientID`: the placeholder is not closed"},
    {"a{Patient{ID}}", "at 2: `{Patient`: the placeholder is not closed"},
    {"a}b", "at 2: `}`: closes no placeholder"},
    {"{}", "at 1: `{}`: names nothing"},
    {"{,upper}", "at 1: `{,upper}`: names nothing"},
    {"{PatientID.}", "at 1: `{PatientID.}`: unknown keyword or tag ``"},
    {"{PatientID[x]}", "at 1: `{PatientID[x]}`: no number of a value, from 0: `[x]`"},
    {"{PatientID[-1]}", "at 1: `{PatientID[-1]}`: no number of a value, from 0: `[-1]`"},
    {"{PatientID,slice}", "at 1: `{PatientID,slice}`: slice wants BEGIN or BEGIN,END"},
    {"{PatientID,slice,a}", "at 1: `{PatientID,slice,a}`: slice wants BEGIN or BEGIN,END `a`"},
    {"{PatientID,offset,1.5}", "at 1: `{PatientID,offset,1.5}`: offset wants an integer `1.5`"},
    {"{PatientID,number,0#}",
     "at 1: `{PatientID,number,0#}`: `#` behind `0` in a number's pattern: `0#`"},
    {"{PatientID,hash,1}", "at 1: `{PatientID,hash,1}`: this type takes no argument: `1`"},
    {"{StudyDate,date,yyyy-QQ}", "at 1: `{StudyDate,date,yyyy-QQ}`: a date's pattern has y M d D E "
                                 "a H h k K m s S and 'text': `yyyy-QQ`"},
    {"{StudyDate,date,'x}", "at 1: `{StudyDate,date,'x}`: a quote is not closed in the pattern of "
                            "a date: `'x`"},
    {"{now}", "at 1: `{now}`: now is a date or a time: {now,date,yyyy/MM/dd}"},
    {"{rnd,upper}", "at 1: `{rnd,upper}`: rnd has the types rnd, uuid and uid"},
    {"", "at 1: the path is empty or absolute"},
    {"/etc/{PatientID}", "at 1: the path is empty or absolute"},
    {"a//b", "at 3: an empty component"},
    {"{PatientID}/", "at 13: an empty component"},
    {"{PatientID}/../x", "at 13: `..`: leads nowhere below the root"},
    {"./x", "at 1: `.`: leads nowhere below the root"},
    {"a\x01", "at 2: a control character"},
    {"a\xff", "at 1: not UTF-8"},
};

static void test_refused(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct kit_path_template *template = NULL;
        struct kit_buffer problem = {0};

        assert_int_equal(kit_path_parse(refused[i].format, true, &names, &problem, &template),
                         TROLLEY_ERR_INVALID_CONFIG);
        assert_null(template);
        assert_string_equal(problem.data, refused[i].problem);
        kit_buffer_free(&problem);
    }
}

static void test_too_long_a_template(void **state)
{
    char text[1027];
    struct kit_path_template *template;

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(kit_path_parse(text, true, &names, NULL, &template),
                     TROLLEY_ERR_INVALID_CONFIG);
}

/* ---- hostile values ---- */

static const char *hostile; /* the one value there is */

static const char *give_hostile(void *ctx, const uint32_t *tags, size_t depth, uint32_t index)
{
    (void)ctx;
    (void)tags;
    (void)depth;
    return index == 0 ? hostile : NULL;
}

static const struct kit_path_values attack = {NULL, give_hostile, word, NOW};

static void test_S1_values_stay_below_the_root(void **state)
{
    static const struct {
        const char *value, *alone, *within;
    } cases[] = {
        {"..", "_.", "a.._.dcm"},
        {".", "_", "a._.dcm"},
        {"../../etc/passwd", "_._.._etc_passwd", "a.._.._etc_passwd_.dcm"},
        {"/etc/passwd", "_etc_passwd", "a_etc_passwd_.dcm"},
        {".trolley", "_trolley", "a.trolley_.dcm"},
        {"a\nb\x1b[2J\x7f", "a_b_[2J_", "aa_b_[2J__.dcm"},
        {"\xff\xfe\xc3", "___", "a____.dcm"},
        {"\xc2\x85x", "_x", "a_x_.dcm"},
        {"a\\b", "a\\b", "aa\\b_.dcm"},
        {"", "null", "anull_.dcm"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        hostile = cases[i].value;
        check("{PatientID}", true, &attack, cases[i].alone);
        check("a{PatientID}_.dcm", true, &attack, cases[i].within);
    }
    hostile = ".";
    check(".{PatientID}/x", true, &attack, "__/x");
    check("{PatientID}{PatientID}/x", true, &attack, "_./x");
    hostile = "x.";
    check("{PatientID,slice,1}{PatientID,slice,1}", true, &attack, "_.");
    hostile = "..";
    check("{PatientID,urlencoded}/{PatientID,slice,0,1}", true, &attack, "_./_");
    hostile = "-rf";
    check("{PatientID}", false, &attack, "_rf");
    check("x{PatientID}", false, &attack, "x-rf");
    check("{PatientID,slice,9}{PatientID}", false, &attack, "_rf");
}

static void test_S1_long_components(void **state)
{
    struct kit_path_template *template;
    struct kit_buffer first = {0}, second = {0};
    char long_value[1001];
    size_t i, tail;

    (void)state;
    for (i = 0; i + 2 < sizeof long_value; i += 2)
        memcpy(long_value + i, "\xc3\xa4", 2);
    long_value[1000] = '\0';
    hostile = long_value;
    assert_int_equal(kit_path_parse("{PatientID}.dcm", true, &names, NULL, &template), 0);
    assert_int_equal(kit_path_render(template, &attack, &first, &tail), 0);
    assert_true(first.length <= 255 && first.length > 250);
    assert_true(kit_text_utf8_valid(first.data, first.length));
    assert_string_equal(first.data + tail, ".dcm");
    /* The same beginning, another end: another name. */
    long_value[999] = '\xa5';
    assert_int_equal(kit_path_render(template, &attack, &second, &tail), 0);
    assert_int_equal(second.length, first.length);
    assert_string_not_equal(first.data, second.data);
    /* 255 bytes are left alone. */
    kit_buffer_reset(&first);
    memset(long_value, 'x', 251);
    long_value[251] = '\0';
    assert_int_equal(kit_path_render(template, &attack, &first, &tail), 0);
    assert_int_equal(first.length, 255);
    assert_int_equal(strspn(first.data, "x"), 251);
    kit_path_free(template);
    kit_buffer_free(&first);
    kit_buffer_free(&second);
}

static void test_long_paths_are_refused(void **state)
{
    struct kit_path_template *template;
    struct kit_buffer out = {0};
    char long_value[241];

    (void)state;
    memset(long_value, 'x', 240);
    long_value[240] = '\0';
    hostile = long_value;
    assert_int_equal(kit_path_parse("{PatientID}/{PatientID}/{PatientID}/{PatientID}", true, &names,
                                    NULL, &template),
                     0);
    assert_int_equal(kit_path_render(template, &attack, &out, NULL), 0);
    kit_path_free(template);
    kit_buffer_reset(&out);
    assert_int_equal(kit_buffer_text(&out, "before "), 0);
    assert_int_equal(kit_path_parse("{PatientID}/{PatientID}/{PatientID}/{PatientID}/{PatientID}",
                                    true, &names, NULL, &template),
                     0);
    assert_int_equal(kit_path_render(template, &attack, &out, NULL), TROLLEY_ERR_TOO_LARGE);
    assert_string_equal(out.data, "before ");
    kit_path_free(template);
    kit_buffer_free(&out);
}

static void test_tail_is_what_no_value_made(void **state)
{
    static const struct {
        const char *format, *tail;
    } cases[] = {
        {"{SOPInstanceUID}", ""},        {"{SOPInstanceUID}.dcm", ".dcm"},
        {"a/{PatientID}-x", "-x"},       {"{PatientID}{suffix}", ".jpg"},
        {"{PatientID}/b.c", "b.c"},      {"{now,date,yyyy/MM}.jpg", ".jpg"},
        {"{PatientID,slice,9}.d", ".d"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct kit_path_template *template;
        struct kit_buffer out = {0};
        size_t tail = 99;

        assert_int_equal(kit_path_parse(cases[i].format, true, &names, NULL, &template), 0);
        assert_int_equal(kit_path_render(template, &values, &out, &tail), 0);
        assert_string_equal(out.data + tail, cases[i].tail);
        kit_path_free(template);
        kit_buffer_free(&out);
    }
}

static void test_random_types(void **state)
{
    static const char *const formats[] = {"{rnd}", "{rnd,uuid}", "{uid}", "{PatientID,uid}"};
    static const size_t least[] = {8, 36, 6, 6};
    size_t i;

    (void)state;
    for (i = 0; i < 4; i++) {
        struct kit_path_template *template;
        struct kit_buffer one = {0}, two = {0};

        assert_int_equal(kit_path_parse(formats[i], true, &names, NULL, &template), 0);
        assert_true(kit_path_uses(template, "rnd"));
        assert_false(kit_path_uses(template, "now"));
        assert_int_equal(kit_path_render(template, &values, &one, NULL), 0);
        assert_int_equal(kit_path_render(template, &values, &two, NULL), 0);
        assert_string_not_equal(one.data, two.data);
        assert_true(one.length >= least[i]);
        if (least[i] == 6) assert_true(kit_uid_valid(one.data));
        if (least[i] == 6) assert_memory_equal(one.data, "2.25.", 5);
        kit_path_free(template);
        kit_buffer_free(&one);
        kit_buffer_free(&two);
    }
}

static void test_what_is_named(void **state)
{
    struct kit_path_template *template;
    const uint32_t *tags;

    (void)state;
    assert_int_equal(kit_path_parse("{PatientID}/{now,date}/{00400275.00400007,hash}{suffix}", true,
                                    &names, NULL, &template),
                     0);
    assert_int_equal(kit_path_attribute(template, 0, &tags), 1);
    assert_int_equal(tags[0], 0x00100020);
    assert_int_equal(kit_path_attribute(template, 1, &tags), 2);
    assert_int_equal(tags[1], 0x00400007);
    assert_int_equal(kit_path_attribute(template, 2, &tags), 0);
    assert_true(kit_path_uses(template, "now") && kit_path_uses(template, "suffix"));
    assert_false(kit_path_uses(template, "rnd") || kit_path_uses(template, "variant"));
    kit_path_free(template);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_plain_text_keeps_slashes),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_too_long_a_template),
        cmocka_unit_test(test_S1_values_stay_below_the_root),
        cmocka_unit_test(test_S1_long_components),
        cmocka_unit_test(test_long_paths_are_refused),
        cmocka_unit_test(test_tail_is_what_no_value_made),
        cmocka_unit_test(test_random_types),
        cmocka_unit_test(test_what_is_named),
    };

    (void)setenv("TZ", "UTC", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
