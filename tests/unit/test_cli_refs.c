/* Lists of references: csv and JSON lines. SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/cli/refs.h"

static struct trolley_error error;

/* A list of this text, open. */
static struct refs *list_of(const char *text, size_t length)
{
    char path[] = "/tmp/trolley-refs-XXXXXX";
    int fd = mkstemp(path);
    struct refs *refs = NULL;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, length), (ssize_t)length);
    close(fd);
    memset(&error, 0, sizeof error);
    assert_int_equal(refs_open(path, &refs, &error), 0);
    unlink(path);
    return refs;
}

/* Reads a list into "study/series/instance;...", or up to the failure; returns the last status. */
static int read_all(const char *text, size_t length, char *buf, size_t size)
{
    struct refs *refs = list_of(text, length);
    struct trolley_ref ref;
    size_t at = 0;
    int r;

    buf[0] = '\0';
    while ((r = refs_next(refs, &ref, &error)) == 1) {
        assert_int_equal(ref.size, sizeof ref);
        assert_int_equal(ref.level, 1 + (ref.series != NULL) + (ref.instance != NULL));
        at += (size_t)snprintf(buf + at, size - at, "%s%s%s%s%s;", ref.study, ref.series ? "/" : "",
                               ref.series ? ref.series : "", ref.instance ? "/" : "",
                               ref.instance ? ref.instance : "");
        assert_true(at < size);
    }
    assert_int_equal(refs_failed(refs), r < 0);
    refs_close(refs);
    return r;
}

static void reads(const char *text, const char *expected)
{
    char got[1024];

    if (read_all(text, strlen(text), got, sizeof got) != 0) fail_msg("%s", error.message);
    assert_string_equal(got, expected);
}

static void refuses(const char *text, const char *first, const char *part)
{
    char got[1024];

    assert_int_equal(read_all(text, strlen(text), got, sizeof got), TROLLEY_ERR_INVALID_ARG);
    assert_string_equal(got, first);
    if (!strstr(error.message, part)) fail_msg("\"%s\" lacks \"%s\"", error.message, part);
}

static void csv_reads_all_levels_and_any_order_of_columns(void **state)
{
    (void)state;
    reads("StudyInstanceUID\n1.2\n1.3\n", "1.2;1.3;");
    reads("StudyInstanceUID,SeriesInstanceUID,SOPInstanceUID\r\n1,2,3\r\n4,5,\r\n6,,\r\n",
          "1/2/3;4/5;6;");
    reads("PatientName,SOPInstanceUID,StudyInstanceUID,SeriesInstanceUID\n\"DOE, J\",3,1,2",
          "1/2/3;");
}

static void csv_reads_quotes_newlines_in_cells_blank_lines_and_a_mark(void **state)
{
    (void)state;
    reads("\xef\xbb\xbf\"StudyInstanceUID\",StudyDescription\n\n\"1.2\",\"a \"\"b\"\",\nc\"\n\n"
          " 1.3 ,\n",
          "1.2;1.3;");
}

static void csv_names_the_line_of_a_fault(void **state)
{
    (void)state;
    refuses("1.2\n1.3\n", "", "line 1: no column StudyInstanceUID");
    refuses("StudyInstanceUID,StudyInstanceUID\n", "", "two columns");
    refuses("StudyInstanceUID,A\n1,2\n1\n", "1;", "line 3: 1 cells where the header row has 2");
    refuses("StudyInstanceUID,A\n1,\"x\ny\"\n../etc,\n", "1;",
            "line 4: StudyInstanceUID is no UID");
    refuses("StudyInstanceUID,SOPInstanceUID\n1,2\n", "", "line 2: no SeriesInstanceUID");
    refuses("StudyInstanceUID,A\n,2\n", "", "line 2: no StudyInstanceUID");
    refuses("StudyInstanceUID\n\"1.2\n", "", "line 2: a quoted cell has no end");
    refuses("StudyInstanceUID\n\"1.2\"3\n", "", "behind its closing quote");
    refuses("StudyInstanceUID,A\n1,\xff\n", "", "line 2: not UTF-8");
    refuses("StudyInstanceUID\n"
            "1.2345678901234567890123456789012345678901234567890123456789012345\n",
            "", "longer than 64");
}

static void csv_refuses_nul_bytes_and_endless_lines(void **state)
{
    static const char nul[] = "StudyInstanceUID\n1.2\0.3\n";
    size_t length = (size_t)2 << 20;
    char *text = malloc(length), got[64];

    (void)state;
    assert_int_equal(read_all(nul, sizeof nul - 1, got, sizeof got), TROLLEY_ERR_INVALID_ARG);
    assert_non_null(strstr(error.message, "line 2: a NUL byte"));
    assert_non_null(text);
    memset(text, '1', length);
    assert_int_equal(read_all(text, length, got, sizeof got), TROLLEY_ERR_TOO_LARGE);
    memset(text, ',', length);
    assert_int_equal(read_all(text, length, got, sizeof got), TROLLEY_ERR_TOO_LARGE);
    free(text);
}

static void jsonl_reads_flat_objects(void **state)
{
    (void)state;
    reads("{\"StudyInstanceUID\":\"1.2\"}\n", "1.2;");
    reads("\n {\"StudyInstanceUID\":\"1\",\"SeriesInstanceUID\":null}\r\n\n"
          "{\"SOPInstanceUID\":\"3\",\"x\":[1,{\"StudyInstanceUID\":\"9\"}],"
          "\"SeriesInstanceUID\":\"2\",\"StudyInstanceUID\":\"1\"}",
          "1;1/2/3;");
}

static void jsonl_names_the_line_of_a_fault(void **state)
{
    (void)state;
    refuses("{\"StudyInstanceUID\":\"1\"}\n{\"StudyInstanceUID\":1.2}\n", "1;", "line 2: Study");
    refuses("{\"studyinstanceuid\":\"1\"}\n", "", "line 1: no StudyInstanceUID");
    refuses("{\"StudyInstanceUID\":\"1\"}\n1.2\n", "1;", "line 2: no JSON object");
    refuses("{\"StudyInstanceUID\":\"1\"} {}\n", "", "line 1: no JSON object");
    refuses("{\"StudyInstanceUID\":\"1\n\"}\n", "", "no JSON object");
    refuses("{\"StudyInstanceUID\":\"1\\u0000.2\"}\n", "", "a NUL character");
    refuses("{\"StudyInstanceUID\":\"1\",\"x\":\"\xc3\"}\n", "", "not UTF-8");
    refuses("[{\"StudyInstanceUID\":\"1\"}]\n", "", "--format jsonl");
    refuses("{\"StudyInstanceUID\":\"1/2\"}\n", "", "no UID");
}

static void an_empty_list_is_no_fault(void **state)
{
    (void)state;
    reads("", "");
    reads("\n\n", "");
    reads("StudyInstanceUID\n", "");
}

static void a_failure_is_final(void **state)
{
    struct refs *refs;
    struct trolley_ref ref;
    static const char text[] = "StudyInstanceUID\nx\n1.2\n";

    (void)state;
    refs = list_of(text, sizeof text - 1);
    assert_int_equal(refs_next(refs, &ref, &error), TROLLEY_ERR_INVALID_ARG);
    assert_int_equal(refs_next(refs, &ref, &error), TROLLEY_ERR_INVALID_ARG);
    refs_close(refs);
}

static void a_file_that_cannot_be_read_is_an_error(void **state)
{
    struct refs *refs = NULL;
    struct trolley_ref ref;

    (void)state;
    assert_int_equal(refs_open("/nonexistent/list", &refs, &error), TROLLEY_ERR_INVALID_ARG);
    assert_null(refs);
    assert_int_equal(refs_open("/", &refs, &error), 0);
    assert_int_equal(refs_next(refs, &ref, &error), TROLLEY_ERR_IO);
    refs_close(refs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_reads_all_levels_and_any_order_of_columns),
        cmocka_unit_test(csv_reads_quotes_newlines_in_cells_blank_lines_and_a_mark),
        cmocka_unit_test(csv_names_the_line_of_a_fault),
        cmocka_unit_test(csv_refuses_nul_bytes_and_endless_lines),
        cmocka_unit_test(jsonl_reads_flat_objects),
        cmocka_unit_test(jsonl_names_the_line_of_a_fault),
        cmocka_unit_test(an_empty_list_is_no_fault),
        cmocka_unit_test(a_failure_is_final),
        cmocka_unit_test(a_file_that_cannot_be_read_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
