/* Laying out tables: widths, cutting, wide and combining characters. SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/cli/table.h"
#include "core/cli/width.h"

#define HAN "\xe6\xbc\xa2"  /* one character, two columns */
#define ACUTE "e\xcc\x81"   /* e and a combining acute: one column */
#define DOTS "\xe2\x80\xa6" /* the ellipsis */
#define UID "1.2.826.0.1.3680043.8.498.12345678901234567890123456789012345678"

static void counts_columns_of_characters(void **state)
{
    (void)state;
    assert_int_equal(width_text(""), 0);
    assert_int_equal(width_text("abc"), 3);
    assert_int_equal(width_text(HAN HAN), 4);
    assert_int_equal(width_text(ACUTE "t" ACUTE), 3);
    assert_int_equal(width_text("\xff"
                                "a"),
                     2);
}

/* Counted by hand: letters one column each, marks none, Han, kana, Hangul and emoji two. */
static void counts_columns_in_every_script(void **state)
{
    static const struct {
        const char *text;
        size_t columns;
    } cases[] = {
        {"\xd7\xa9\xd6\xb8\xd7\x81", 1},             /* Hebrew shin with qamats and dot */
        {"\xd9\x82\xd9\x8e", 1},                     /* Arabic qaf with fatha */
        {"\xe0\xb8\x81\xe0\xb8\xb4\xe0\xb9\x88", 1}, /* Thai ko kai, sara i, mai ek */
        {"\xe0\xa4\x95\xe0\xa5\x8d", 1},             /* Devanagari ka, virama */
        {"\xce\x94\xce\xb9", 2},                     /* Greek */
        {"\xd0\x9b\xd1\x8e", 2},                     /* Cyrillic */
        {"\xea\xb9\x80\xed\x9d\xac", 4},             /* Hangul syllables */
        {"\xe1\x84\x80\xe1\x85\xa1\xe1\x86\xa8", 2}, /* Hangul: initial, vowel, final */
        {"\xe3\x82\x84\xe3\x83\xa4", 4},             /* hiragana, katakana */
        {"\xef\xbe\x94\xef\xbe\x8f", 2},             /* half-width katakana */
        {"\xef\xbc\xa1", 2},                         /* full-width A */
        {"\xf0\xa0\x80\x8b", 2},                     /* Han of plane 2 */
        {"\xf0\x9f\x98\x80", 2},                     /* an emoji */
        {"\xe2\x80\x8b", 0},                         /* zero width space */
        {"\xc3\x84\xc3\xa9", 2},                     /* Latin-1 */
        {"\xc2\xad", 1},                             /* soft hyphen */
        {"\xe4\xb8", 2},                             /* half a character */
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (width_text(cases[i].text) != cases[i].columns)
            fail_msg("case %zu: %zu columns, not %zu", i, width_text(cases[i].text),
                     cases[i].columns);
}

static void fits(const char *text, size_t width, bool pad, const char *expected)
{
    struct kit_buffer out = {0};

    assert_int_equal(text_fit(&out, text, width, pad), 0);
    assert_string_equal(out.data, expected);
    if (pad) assert_int_equal(width_text(out.data), width);
    kit_buffer_free(&out);
}

static void cuts_at_whole_characters(void **state)
{
    (void)state;
    fits("abcdef", 6, true, "abcdef");
    fits("abcdef", 5, true, "abcd" DOTS);
    fits("ab", 5, true, "ab   ");
    fits("ab", 5, false, "ab");
    /* Half a wide character is none; the gap is filled. */
    fits(HAN HAN HAN, 5, true, HAN HAN DOTS);
    fits(HAN HAN HAN, 4, true, HAN DOTS " ");
    /* A combining mark stays with its letter, and does not count. */
    fits("ab" ACUTE, 3, true, "ab" ACUTE);
    fits("a" ACUTE "bc", 3, true, "a" ACUTE DOTS);
}

/* Prints one row of a measured table. */
static void line_of(const struct table *table, const char *const *cells, struct kit_buffer *out)
{
    size_t i;

    for (i = 0; i < table->count; i++)
        assert_int_equal(table_cell(table, i, cells[i], out), 0);
    assert_int_equal(out->data[out->length - 1], '\n');
    out->data[--out->length] = '\0';
}

static const char *const headers[] = {"PatientID", "PatientName", "NumberOfStudyRelatedInstances",
                                      "StudyInstanceUID"};
static const char *const cells[] = {"1234", HAN HAN "^" HAN, "12", UID};

static void lays_out(size_t width, bool drop, struct table *table, struct kit_buffer *line)
{
    size_t i;

    assert_int_equal(table_init(table, headers, 4), 0);
    for (i = 0; i < 4; i++)
        table_measure(table, i, cells[i]);
    table_layout(table, width, drop);
    line_of(table, cells, line);
}

static void without_bound_nothing_is_cut(void **state)
{
    struct table table;
    struct kit_buffer line = {0};

    (void)state;
    lays_out(0, true, &table, &line);
    assert_string_equal(line.data, "1234       " HAN HAN "^" HAN "      12"
                                   "                             " UID);
    kit_buffer_free(&line);
    table_free(&table);
}

static void in_200_columns_everything_is_whole(void **state)
{
    struct table table;
    struct kit_buffer line = {0}, head = {0};

    (void)state;
    lays_out(200, true, &table, &line);
    assert_non_null(strstr(line.data, UID));
    assert_int_equal(table_headers(&table, &head), 0);
    assert_non_null(strstr(head.data, "NumberOfStudyRelatedInstances  StudyInstanceUID\n"));
    kit_buffer_free(&line);
    kit_buffer_free(&head);
    table_free(&table);
}

static void in_80_columns_headers_give_way_before_values(void **state)
{
    struct table table;
    struct kit_buffer line = {0}, head = {0};

    (void)state;
    lays_out(80, true, &table, &line);
    assert_int_equal(table.shown, 4);
    assert_int_equal(width_text(line.data), 80);
    assert_non_null(strstr(line.data, "1234 "));
    assert_non_null(strstr(line.data, HAN HAN "^" HAN));
    assert_non_null(strstr(line.data, DOTS));
    assert_int_equal(table_headers(&table, &head), 0);
    assert_non_null(strstr(head.data, "Number"));
    assert_null(strstr(head.data, "NumberOfStudyRelatedInstances"));
    kit_buffer_free(&line);
    kit_buffer_free(&head);
    table_free(&table);
}

static void what_does_not_fit_at_all_is_left_out_or_not(void **state)
{
    struct table table;
    struct kit_buffer line = {0};

    (void)state;
    lays_out(24, true, &table, &line);
    assert_int_equal(table.shown, 2);
    assert_true(width_text(line.data) <= 24);
    kit_buffer_free(&line);
    table_free(&table);
    line = (struct kit_buffer){0};
    lays_out(24, false, &table, &line);
    assert_int_equal(table.shown, 4);
    kit_buffer_free(&line);
    table_free(&table);
}

static void a_table_fits_every_width(void **state)
{
    size_t width;

    (void)state;
    for (width = 8; width < 200; width++) {
        struct table table;
        struct kit_buffer line = {0};

        lays_out(width, true, &table, &line);
        assert_in_range(width_text(line.data), 1, width);
        kit_buffer_free(&line);
        table_free(&table);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_columns_of_characters),
        cmocka_unit_test(counts_columns_in_every_script),
        cmocka_unit_test(cuts_at_whole_characters),
        cmocka_unit_test(without_bound_nothing_is_cut),
        cmocka_unit_test(in_200_columns_everything_is_whole),
        cmocka_unit_test(in_80_columns_headers_give_way_before_values),
        cmocka_unit_test(what_does_not_fit_at_all_is_left_out_or_not),
        cmocka_unit_test(a_table_fits_every_width),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
