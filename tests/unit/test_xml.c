/* XML that is not trusted, in pieces of any size. SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <trolley/types.h>

#include <cmocka.h>
#include <kit/buffer.h>
#include <kit/xml.h>

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

struct trace {
    struct kit_buffer out;
    int refuse_at; /* the start that fails; -1 for none */
    int starts;
};

static int on_start(void *ctx, const struct kit_xml_element *element)
{
    struct trace *trace = ctx;

    if (trace->starts++ == trace->refuse_at) return TROLLEY_ERR_CANCELLED;
    (void)kit_buffer_printf(&trace->out, "<{%s}%s", element->space, element->name);
    for (size_t i = 0; i < element->attribute_count; i++) {
        assert_int_equal(strlen(element->attributes[i].value), element->attributes[i].length);
        (void)kit_buffer_printf(&trace->out, " {%s}%s=[%s]", element->attributes[i].space,
                                element->attributes[i].name, element->attributes[i].value);
    }
    return kit_buffer_text(&trace->out, ">");
}

static int on_end(void *ctx, const char *name, const char *space)
{
    struct trace *trace = ctx;

    return kit_buffer_printf(&trace->out, "</{%s}%s>", space, name);
}

static int on_text(void *ctx, const char *text, size_t length)
{
    struct trace *trace = ctx;

    return kit_buffer_append(&trace->out, text, length);
}

static const struct kit_xml_handler handler = {on_start, on_end, on_text};

/* Reads `text` cut after `first` bytes and then every `step`; returns the status. */
static int read_xml(const struct kit_xml_limits *limits, const char *text, size_t length,
                    size_t first, size_t step, struct trace *trace, struct kit_buffer *problem)
{
    struct kit_xml *xml = NULL;
    size_t at = 0, piece = first;
    int r = kit_xml_new(limits, &handler, trace, &xml);

    assert_int_equal(r, 0);
    kit_buffer_reset(&trace->out);
    trace->starts = 0;
    while (r == 0 && at < length) {
        if (piece > length - at) piece = length - at;
        r = kit_xml_push(xml, text + at, piece);
        at += piece;
        piece = step;
    }
    if (r == 0) r = kit_xml_finish(xml);
    if (r < 0) assert_int_equal(kit_xml_push(xml, "<a/>", 4), r);
    kit_buffer_reset(problem);
    if (kit_xml_problem(xml)) assert_int_equal(kit_buffer_text(problem, kit_xml_problem(xml)), 0);
    kit_xml_free(xml);
    return r;
}

static const char small[] =
    "\xef\xbb\xbf" HEAD "<?xml-stylesheet type=\"text/xsl\" href=\"style.xsl\"?>\n"
    "<!-- > a comment - -> with <tags> -->"
    "<m:a xmlns:m=\"urn:m\" xmlns='urn:d' x='1' m:y=\"a &amp; b &lt; c > &quot;q&quot; 'r' "
    "&#xe4;\">"
    "\n t&amp;\xe6\xbc\xa2\xf0\x9f\x98\x80\xc3\xa9 <b z=''/><![CDATA[ <no> ]] ]>&amp; ]]>]&gt;"
    "<c\n\tv = \"\xe5\xad\x97\"\n></c ></m:a>\n<!-- end --><?p i?>\n";
static const char small_trace[] =
    "<{urn:m}a {}x=[1] {urn:m}y=[a & b < c > \"q\" 'r' \xc3\xa4]>"
    "\n t&\xe6\xbc\xa2\xf0\x9f\x98\x80\xc3\xa9 <{urn:d}b {}z=[]></{urn:d}b> <no> ]] ]>&amp; ]>"
    "<{urn:d}c {}v=[\xe5\xad\x97]></{urn:d}c></{urn:m}a>";

static void test_every_split_reads_the_same(void **state)
{
    struct trace trace = {.refuse_at = -1};
    struct kit_buffer problem = {0};

    (void)state;
    for (size_t step = 1; step < sizeof small; step++)
        for (size_t first = step == 1 ? 1 : step; first < sizeof small; first++) {
            int r = read_xml(NULL, small, sizeof small - 1, first, step, &trace, &problem);

            if (r < 0) fail_msg("first %zu, step %zu: %d %s", first, step, r, problem.data);
            assert_string_equal(trace.out.data, small_trace);
            if (step > 8 && step < sizeof small - 1) break;
        }
    kit_buffer_free(&trace.out);
    kit_buffer_free(&problem);
}

static void test_truncated_at_every_byte(void **state)
{
    struct trace trace = {.refuse_at = -1};
    struct kit_buffer problem = {0};
    size_t whole = (size_t)(strstr(small, "</m:a>") - small) + 6;

    (void)state;
    for (size_t length = 0; length < whole; length++)
        assert_int_equal(read_xml(NULL, small, length, 7, 7, &trace, &problem),
                         TROLLEY_ERR_TRUNCATED);
    assert_int_equal(read_xml(NULL, small, whole, 7, 7, &trace, &problem), 0);
    kit_buffer_free(&trace.out);
    kit_buffer_free(&problem);
}

struct refusal {
    const char *text;
    int status;
    const char *problem; /* within the words */
};

static const struct refusal refusals[] = {
    {"", TROLLEY_ERR_TRUNCATED, "line 1: the document is empty"},
    {"  \n", TROLLEY_ERR_TRUNCATED, "too early"},
    {"{\"json\": 1}", TROLLEY_ERR_PROTOCOL, "line 1: not an XML document"},
    {"\xff\xfe<\0a\0", TROLLEY_ERR_PROTOCOL, "not an XML document in UTF-8"},
    {"<?xml version='1.0' encoding='UTF-7'?><a/>", TROLLEY_ERR_PROTOCOL, "encoding"},
    {"<?xml version='1.0' encoding='Shift_JIS'?><a/>", TROLLEY_ERR_PROTOCOL, "encoding"},
    {HEAD "\n<!DOCTYPE a [<!ENTITY b \"c\">]>\n<a>&b;</a>", TROLLEY_ERR_PROTOCOL,
     "line 3: a document type declaration"},
    {"<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>", TROLLEY_ERR_PROTOCOL,
     "a document type declaration"},
    {"<a><!ENTITY b 'c'></a>", TROLLEY_ERR_PROTOCOL, "a declaration that does not belong"},
    {"<a>\n\n&bomb;</a>", TROLLEY_ERR_PROTOCOL, "line 3: an entity"},
    {"<a b='&bomb;'/>", TROLLEY_ERR_PROTOCOL, "an entity"},
    {"<a>\xff</a>", TROLLEY_ERR_PROTOCOL, "line 1: invalid UTF-8"},
    {"<?xml version='1.0' encoding='US-ASCII'?><a>\xff\xf4</a>", TROLLEY_ERR_PROTOCOL, "encoding"},
    {"<a b='\xc3'/>", TROLLEY_ERR_PROTOCOL, "invalid UTF-8"},
    {"<a>\xc3</a>", TROLLEY_ERR_PROTOCOL, "invalid UTF-8"},
    {"<a>&#0;</a>", TROLLEY_ERR_PROTOCOL, "line 1: "},
    {"<a b='1' b='2'/>", TROLLEY_ERR_PROTOCOL, "redefined"},
    {"<m:a/>", TROLLEY_ERR_PROTOCOL, "prefix is not declared"},
    {"<a>\n<b></a>", TROLLEY_ERR_PROTOCOL, "line 2: "},
    {"<a/>\n<b/>", TROLLEY_ERR_PROTOCOL, "line 2: "},
    {"<a\n<b/>", TROLLEY_ERR_PROTOCOL, "line 2: '<' within a tag"},
    {"<a></a", TROLLEY_ERR_TRUNCATED, "too early"},
    {"<d><d><d><d><d/></d></d></d></d>", TROLLEY_ERR_TOO_LARGE, "nested too deep"},
    {"<a b='1' c='2' d='3' e='4'/>", TROLLEY_ERR_TOO_LARGE, "too many attributes"},
    {"<a b='01234567890123456789x'/>", TROLLEY_ERR_TOO_LARGE, "value is too long"},
    {"<a>012345678901234567890<b/>1234567890</a>", TROLLEY_ERR_TOO_LARGE, "text is too long"},
    {"<a><!-- 0123456789012345678901234567890123456789012345678901234567890 --></a>",
     TROLLEY_ERR_TOO_LARGE, "tag or comment is too long"},
    {"<a0123456789012345678901234567890123456789012345678901234567890/>", TROLLEY_ERR_TOO_LARGE,
     "tag or comment is too long"},
    {"<a>0<b/>1<b/>2<b/>3<b/>4<b/>5<b/>6<b/>7<b/>8<b/>9<b/>0<b/>1<b/>2<b/>3<b/>4<b/>5<b/>6<b/>7"
     "<b/>8<b/>9<b/></a>",
     TROLLEY_ERR_TOO_LARGE, "the document is too long"},
};

static const struct kit_xml_limits tight = {.document = 100,
                                            .text = 30,
                                            .depth = 4,
                                            .attributes = 3,
                                            .attribute_size = 20,
                                            .markup_size = 60};

static void test_refused_by_name(void **state)
{
    struct trace trace = {.refuse_at = -1};
    struct kit_buffer problem = {0};

    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const struct refusal *refusal = &refusals[i];
        size_t length = strlen(refusal->text);

        for (size_t step = 1; step <= length + 1; step += length > 1 ? length - 1 : 1) {
            int r = read_xml(&tight, refusal->text, length, step, step, &trace, &problem);

            if (r != refusal->status || !problem.data || !strstr(problem.data, refusal->problem))
                fail_msg("case %zu step %zu: %d \"%s\"", i, step, r,
                         problem.data ? problem.data : "");
        }
    }
    kit_buffer_free(&trace.out);
    kit_buffer_free(&problem);
}

static void test_bounds_themselves_are_legal(void **state)
{
    static const char text[] = "<a b='1' c='2' d='01234567890123456789'>"
                               "012345678901234567890123456789<b><c><d/></c></b></a>   \n\n\n\n\n";
    struct trace trace = {.refuse_at = -1};
    struct kit_buffer problem = {0};

    (void)state;
    assert_int_equal(sizeof text - 1, tight.document);
    assert_int_equal(read_xml(&tight, text, sizeof text - 1, 100, 100, &trace, &problem), 0);
    kit_buffer_free(&trace.out);
    kit_buffer_free(&problem);
}

static void test_latin1_is_decoded(void **state)
{
    static const char text[] =
        "<?xml version='1.0' encoding='ISO-8859-1'?><a b='\xe4\xe9'>\xdf</a>";
    struct trace trace = {.refuse_at = -1};
    struct kit_buffer problem = {0};

    (void)state;
    for (size_t step = 1; step < sizeof text; step++) {
        assert_int_equal(read_xml(NULL, text, sizeof text - 1, step, step, &trace, &problem), 0);
        assert_string_equal(trace.out.data, "<{}a {}b=[\xc3\xa4\xc3\xa9]>\xc3\x9f</{}a>");
    }
    kit_buffer_free(&trace.out);
    kit_buffer_free(&problem);
}

static void test_a_callback_ends_it(void **state)
{
    struct trace trace = {.refuse_at = 1};
    struct kit_buffer problem = {0};

    (void)state;
    assert_int_equal(read_xml(NULL, "<a><b/><c/></a>", 15, 15, 15, &trace, &problem),
                     TROLLEY_ERR_CANCELLED);
    assert_int_equal(trace.starts, 2);
    assert_int_equal(problem.length, 0);
    kit_buffer_free(&trace.out);
    kit_buffer_free(&problem);
}

/* Text of any length comes in pieces: nothing is collected. */
static void test_long_text_streams(void **state)
{
    static char piece[65536];
    const struct kit_xml_limits limits = {.text = UINT64_C(64) << 20};
    struct kit_xml *xml = NULL;
    const struct kit_xml_handler none = {0};

    (void)state;
    memset(piece, 'x', sizeof piece);
    assert_int_equal(kit_xml_new(&limits, &none, NULL, &xml), 0);
    assert_int_equal(kit_xml_push(xml, "<a>", 3), 0);
    for (int i = 0; i < 1024; i++)
        assert_int_equal(kit_xml_push(xml, piece, sizeof piece), 0);
    assert_int_equal(kit_xml_push(xml, "y", 1), 0);
    assert_int_equal(kit_xml_push(xml, "</a>", 4), TROLLEY_ERR_TOO_LARGE);
    kit_xml_free(xml);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_split_reads_the_same),
        cmocka_unit_test(test_truncated_at_every_byte),
        cmocka_unit_test(test_refused_by_name),
        cmocka_unit_test(test_bounds_themselves_are_legal),
        cmocka_unit_test(test_latin1_is_decoded),
        cmocka_unit_test(test_a_callback_ends_it),
        cmocka_unit_test(test_long_text_streams),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
