/* MINT's answers as a stream of nodes, in pieces of any size. SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trolley/helpers.h>

#include <cmocka.h>

#include "plugins/mint/answer.h"

#define RESULTS "<studySearchResults xmlns=\"http://medical.nema.org/mint\">"

struct trace {
    struct kit_buffer out;
    struct record_builder *builder;
    const char *skip; /* UID of a study to leave out */
    struct answer_counts counts;
};

static int32_t take_record(void *ctx, const struct trolley_record *record)
{
    struct kit_buffer *out = ctx;

    (void)kit_buffer_printf(out, "%u:", record->level);
    for (uint32_t i = 0; i < record->elements.count; i++) {
        const struct trolley_element *element = trolley_span_at(&record->elements, i);

        (void)kit_buffer_printf(out, " %08X%s%s", element->tag, element->vr,
                                element->flags & TROLLEY_ELEMENT_NULL ? "-" : "");
        for (uint32_t j = 0; j < element->values.count; j++)
            (void)kit_buffer_printf(out, "[%s]", trolley_span_text(&element->values, j));
    }
    return kit_buffer_text(out, "\n");
}

static int take_listed(void *ctx, const char *uuid, const char *modified)
{
    struct trace *trace = ctx;

    return kit_buffer_printf(&trace->out, "%s %s\n", uuid, modified);
}

static int take_study(void *ctx, const struct attributes *study)
{
    struct trace *trace = ctx;

    if (!trace->skip) return 0;
    return strcmp(attributes_text(study, MINT_STUDY_UID), trace->skip) == 0 ? ANSWER_SKIP : 0;
}

static uint32_t level;

static int take_node(void *ctx, const struct attributes *const *sets, uint32_t count)
{
    struct trace *trace = ctx;
    const struct trolley_record_sink sink = {&trace->out, take_record};

    return record_builder_emit(trace->builder, level, sets, count, &sink);
}

static int read_answer(enum answer_grammar grammar, const char *text, size_t length, size_t first,
                       size_t step, struct trace *trace)
{
    static const struct answer_handler handler = {take_listed, take_study, take_node};
    const struct answer_settings settings = {.grammar = grammar, .level = level};
    struct answer *answer = NULL;
    size_t at = 0, piece = first;
    int r = 0;

    assert_int_equal(answer_new(&settings, &handler, trace, &answer), 0);
    kit_buffer_reset(&trace->out);
    for (; r == 0 && at < length; piece = step) {
        if (piece > length - at) piece = length - at;
        r = answer_push(answer, text + at, piece);
        at += piece;
    }
    if (r == 0) r = answer_finish(answer);
    if (r < 0) assert_non_null(answer_problem(answer));
    trace->counts = *answer_counts(answer);
    answer_free(answer);
    return r;
}

static void expect(enum answer_grammar grammar, uint32_t wanted, const char *text,
                   const char *records)
{
    struct trace trace = {.skip = NULL};
    size_t length = strlen(text);

    level = wanted;
    assert_int_equal(record_builder_new(&trace.builder), 0);
    for (size_t first = 1; first <= length; first++) {
        assert_int_equal(read_answer(grammar, text, length, first, length, &trace), 0);
        assert_string_equal(trace.out.data ? trace.out.data : "", records);
    }
    assert_int_equal(read_answer(grammar, text, length, 1, 1, &trace), 0);
    assert_string_equal(trace.out.data ? trace.out.data : "", records);
    record_builder_free(trace.builder);
    kit_buffer_free(&trace.out);
}

/* Attributes of a node stand before, between and behind its children. */
static const char mixed[] =
    "<?xml version='1.0'?>" RESULTS "<attr tag='00100010' vr='PN' val='an echo'/>"
    "<study studyUUID='u-1' lastModified='2026' version='3'>"
    "<series><instance><attr tag='00080018' vr='UI' val='1.1.1'/>"
    "<attr tag='00020010' vr='UI' val='1.2.840.10008.1.2.1'/></instance>"
    "<attr tag='0020000e' vr='UI' val='1.1'/><instance><attr tag='00080018' vr='UI' val='1.1.2'/>"
    "</instance><attr tag='0008103E' vr='LO' val='a &gt; b\\c'/></series>"
    "<attr tag='0020000d' vr='UI' val='1'/>"
    "<series><attr tag='0020000E' vr='UI' val='1.2'/><later/></series>"
    "<attr tag='00100010' vr='PN'/></study></studySearchResults>";

static void test_mint_4_any_order_and_every_split(void **state)
{
    (void)state;
    expect(ANSWER_RESULTS, TROLLEY_LEVEL_STUDY, mixed, "1: 0020000DUI[1] 00100010PN-\n");
}

static void test_mint_4_series_before_the_study(void **state)
{
    (void)state;
    expect(ANSWER_RESULTS, TROLLEY_LEVEL_SERIES, mixed,
           "2: 0020000DUI[1] 00100010PN- 0020000EUI[1.1] 0008103ELO[a > b][c]\n"
           "2: 0020000DUI[1] 00100010PN- 0020000EUI[1.2]\n");
}

static void test_mint_4_instances_before_all(void **state)
{
    (void)state;
    expect(ANSWER_RESULTS, TROLLEY_LEVEL_INSTANCE, mixed,
           "3: 0020000DUI[1] 00100010PN- 0020000EUI[1.1] 0008103ELO[a > b][c] 00080018UI[1.1.1] "
           "00020010UI[1.2.840.10008.1.2.1]\n"
           "3: 0020000DUI[1] 00100010PN- 0020000EUI[1.1] 0008103ELO[a > b][c] "
           "00080018UI[1.1.2]\n");
}

static void test_mint_5_nodes_without_uid(void **state)
{
    static const char text[] =
        RESULTS "<study><series/></study>"
                "<study><attr tag='0020000D' vr='UI' val='1'/>"
                "<series><instance><attr tag='00080018' vr='UI' val='1.1.1'/></instance></series>"
                "<series><attr tag='0020000E' vr='UI' val='1.2'/><instance/>"
                "<instance><attr tag='00080018' val='1.2.1'/></instance></series></study>"
                "</studySearchResults>";
    struct trace trace = {.skip = NULL};

    (void)state;
    expect(ANSWER_RESULTS, TROLLEY_LEVEL_INSTANCE, text,
           "3: 0020000DUI[1] 0020000EUI[1.2] 00080018[1.2.1]\n");
    assert_int_equal(record_builder_new(&trace.builder), 0);
    assert_int_equal(read_answer(ANSWER_RESULTS, text, sizeof text - 1, 10, 10, &trace), 0);
    assert_int_equal(trace.counts.no_uid, 4); /* a study, two series, an instance */
    record_builder_free(trace.builder);
    kit_buffer_free(&trace.out);
}

/* More than may wait: nodes stream once the UIDs are known, and are refused where they are not. */
static void test_mint_12_what_waits_is_bounded(void **state)
{
    struct trace trace = {.skip = NULL};
    struct kit_buffer text = {.cap = (size_t)64 << 20};
    size_t uid_at;

    (void)state;
    level = TROLLEY_LEVEL_INSTANCE;
    assert_int_equal(record_builder_new(&trace.builder), 0);
    assert_int_equal(kit_buffer_text(&text, RESULTS "<study>"), 0);
    uid_at = text.length;
    assert_int_equal(kit_buffer_text(&text, "<attr tag='0020000D' val='1'/><series>"
                                            "<attr tag='0020000E' val='1.1'/>"),
                     0);
    for (int i = 0; i < 20000; i++)
        assert_int_equal(
            kit_buffer_printf(&text,
                              "<instance><attr tag='00080018' vr='UI' val='1.1.%d'/>"
                              "<attr tag='00204000' vr='LT' val='%01000d'/></instance>",
                              i, i),
            0);
    assert_int_equal(kit_buffer_text(&text, "</series></study></studySearchResults>"), 0);
    trace.out.cap = (size_t)64 << 20;
    assert_int_equal(read_answer(ANSWER_RESULTS, text.data, text.length, 65536, 65536, &trace), 0);
    assert_int_equal(trace.counts.nodes, 20000);
    memset(text.data + uid_at, ' ', strlen("<attr tag='0020000D' val='1'/>"));
    assert_int_equal(read_answer(ANSWER_RESULTS, text.data, text.length, 65536, 65536, &trace),
                     TROLLEY_ERR_TOO_LARGE);
    assert_int_equal(trace.out.length, 0);
    record_builder_free(trace.builder);
    kit_buffer_free(&trace.out);
    kit_buffer_free(&text);
}

static const char metadata[] =
    "<study xmlns='http://medical.nema.org/mint' studyInstanceUID='1'><attributes>"
    "<attr tag='00080020' vr='DA' val='20200301'/></attributes><seriesList>"
    "<series seriesInstanceUID='1.1'><attributes><attr tag='00080060' vr='CS' "
    "val='CT'/></attributes>"
    "<normalizedInstanceAttributes><attr tag='00280010' vr='US' val='4'/>"
    "<attr tag='00200013' vr='IS' val='0'/></normalizedInstanceAttributes><instances>"
    "<instance sopInstanceUID='1.1.1' transferSyntaxUID='1.2.840.10008.1.2.1'><attributes>"
    "<attr tag='00200013' vr='IS' val='7'/><attr tag='00020001' vr='OB' bytes='AAE='/>"
    "<attr tag='00204000' vr='LT' bytes='YVxiCg=='/>"
    "<attr tag='00081140' vr='SQ'><item><attributes><attr tag='00081155' vr='UI' val='1.9'/>"
    "<attr tag='00100010' vr='PN' val='A^B=C'/><attr tag='00280010' vr='US' val='1\\02'/>"
    "<attr tag='0040a730' vr='SQ'><item/></attr><attr tag='7FE00010' vr='OW' bid='2'/>"
    "<attr tag='00291010' vr='UN' bytes='AAE='/></attributes></item><item/></attr>"
    "<attr tag='7FE00010' vr='OW' bid='0' bsize='32768'/></attributes></instance>"
    "<instance exclude='true' sopInstanceUID='1.1.2'/></instances></series></seriesList></study>";

static void test_mint_10_study_document(void **state)
{
    (void)state;
    expect(ANSWER_STUDY, TROLLEY_LEVEL_SERIES, metadata,
           "2: 0020000DUI[1] 00080020DA[20200301] 0020000EUI[1.1] 00080060CS[CT]\n");
    expect(
        ANSWER_STUDY, TROLLEY_LEVEL_INSTANCE, metadata,
        "3: 0020000DUI[1] 00080020DA[20200301] 0020000EUI[1.1] 00080060CS[CT] 00280010US[4] "
        "00200013IS[7] 00080018UI[1.1.1] 00020010UI[1.2.840.10008.1.2.1] 00204000LT[a\\b\n] "
        "00081140SQ[[{\"00081155\":{\"vr\":\"UI\",\"Value\":[\"1.9\"]},"
        "\"00100010\":{\"vr\":\"PN\",\"Value\":[{\"Alphabetic\":\"A^B\",\"Ideographic\":\"C\"}]},"
        "\"00280010\":{\"vr\":\"US\",\"Value\":[1,\"02\"]},"
        "\"0040A730\":{\"vr\":\"SQ\",\"Value\":[{}]},"
        "\"00291010\":{\"vr\":\"UN\",\"InlineBinary\":\"AAE=\"}},{}]]\n");
}

static void test_mint_9_list(void **state)
{
    (void)state;
    expect(ANSWER_LIST, TROLLEY_LEVEL_STUDY,
           RESULTS "<study studyUUID='a' lastModified='2026' version='0'/><study/>"
                   "</studySearchResults>",
           "a 2026\n \n");
}

static void test_mint_4_other_documents_are_refused(void **state)
{
    static const struct {
        const char *text;
        int status;
    } cases[] = {
        {"<studySearchResults/>", TROLLEY_ERR_PROTOCOL},
        {"<results xmlns='http://medical.nema.org/mint'/>", TROLLEY_ERR_PROTOCOL},
        {RESULTS "<study></studySearchResults>", TROLLEY_ERR_PROTOCOL},
        {RESULTS, TROLLEY_ERR_TRUNCATED},
        {"<!DOCTYPE a [<!ENTITY b 'c'>]>" RESULTS "</studySearchResults>", TROLLEY_ERR_PROTOCOL},
    };
    struct trace trace = {.skip = NULL};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(
            read_answer(ANSWER_RESULTS, cases[i].text, strlen(cases[i].text), 3, 3, &trace),
            cases[i].status);
    kit_buffer_free(&trace.out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mint_4_any_order_and_every_split),
        cmocka_unit_test(test_mint_4_series_before_the_study),
        cmocka_unit_test(test_mint_4_instances_before_all),
        cmocka_unit_test(test_mint_4_other_documents_are_refused),
        cmocka_unit_test(test_mint_5_nodes_without_uid),
        cmocka_unit_test(test_mint_9_list),
        cmocka_unit_test(test_mint_10_study_document),
        cmocka_unit_test(test_mint_12_what_waits_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
