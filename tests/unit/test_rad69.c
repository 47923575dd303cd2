/* test_rad69.c: the pieces of a RAD-69 answer: Content-IDs, the SOAP message, its errors.
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <kit/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/rad69/verdict.h"

/* ---- Content-IDs ---- */

static void test_cid_forms(void **state)
{
    static const struct {
        const char *href, *id;
        bool names;
    } cases[] = {
        {"cid:a@b", "<a@b>", true},
        {"CID:a@b", "a@b", true},
        {" cid:a@b\r\n", " <a@b> ", true},
        {"a@b", "<a@b>", true},
        {"cid:1.urn%3auuid%3Ax%40b", "<1.urn:uuid:x@b>", true},
        {"cid:1.urn%3Ax@b", "<1.urn%3Ax@b>", true}, /* the id encoded too, against RFC 2392 */
        {"cid:a%2541", "<a%41>", true},             /* an id that holds a percent sign */
        {"cid:100%", "<100%>", true},
        {"cid:a%zz", "<a%zz>", true},
        {"cid:a%00b", "<a>", false},
        {"cid:a", "<b>", false},
        {"cid:a", "<A>", false},
    };
    struct cid href, id;
    char large[CID_MAX + 8];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(cid_read(cases[i].href, &href));
        assert_true(cid_read(cases[i].id, &id));
        if (cid_names(href.decoded, &id) != cases[i].names)
            fail_msg("%s and %s", cases[i].href, cases[i].id);
    }
    assert_false(cid_read("", &id));
    assert_false(cid_read("cid:<>", &id));
    memset(large, 'a', sizeof large);
    large[sizeof large - 1] = '\0';
    assert_false(cid_read(large, &id));
}

/* ---- the message ---- */

static const struct trolley_ref items[] = {
    {sizeof(struct trolley_ref), TROLLEY_LEVEL_INSTANCE, "1.1", "1.1.1", "1.1.1.1", 0, 0, 0, 0},
    {sizeof(struct trolley_ref), TROLLEY_LEVEL_INSTANCE, "1.1", "1.1.1", "1.1.1.10", 0, 0, 0, 0},
    {sizeof(struct trolley_ref), TROLLEY_LEVEL_INSTANCE, "1.1", "1.1.2", "1.1.2.1", 0, 0, 0, 0},
};
static const struct refs refs = {items, 3};

/* Inline documents as text: "ref:base64;". */
static int inline_content(void *ctx, uint32_t ref, const char *text, size_t length)
{
    struct kit_buffer *out = ctx;

    if (!out->length || out->data[out->length - 1] == ';')
        assert_int_equal(kit_buffer_printf(out, "%d:", (int)ref), 0);
    return kit_buffer_append(out, text, length);
}

static int inline_end(void *ctx)
{
    return kit_buffer_text(ctx, ";");
}

static void read_message(struct root *root, const char *text, size_t piece, struct kit_buffer *out)
{
    const struct root_handler handler = {out, inline_content, inline_end};
    size_t at, length = strlen(text), take;

    assert_int_equal(root_init(root, &refs, &handler), 0);
    for (at = 0; at < length; at += take) {
        take = length - at < piece ? length - at : piece;
        assert_int_equal(root_push(root, text + at, take), 0);
    }
    assert_int_equal(root_finish(root), 0);
}

#define RESPONSE                                                   \
    "<?xml version='1.0' encoding='UTF-8'?>\n<s:Envelope "         \
    "xmlns:s='http://www.w3.org/2003/05/soap-envelope'><s:Body>"   \
    "<RetrieveDocumentSetResponse xmlns='urn:ihe:iti:xds-b:2007' " \
    "xmlns:r='urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0'>"        \
    "<r:RegistryResponse status='urn:ihe:iti:2007:ResponseStatusType:PartialSuccess'>"
#define RESPONSE_END "</RetrieveDocumentSetResponse></s:Body></s:Envelope>"

static const char message[] = RESPONSE
    "<r:RegistryErrorList>"
    "<r:RegistryError errorCode='urn:x:XDSMissingDocument' codeContext='UID 1.1.1.10.' "
    "location='' severity='urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Error'/>"
    "<r:RegistryError errorCode='XDSRepositoryError' codeContext='v 2.0 a&lt;b' "
    "location='urn:oid:1.1.2'/>"
    "<r:RegistryError errorCode='X' codeContext='' severity='a:Warning'/>"
    "</r:RegistryErrorList></r:RegistryResponse>"
    "<DocumentResponse><DocumentUniqueId> 1.1.1.1\n</DocumentUniqueId><Document>\n"
    "<x:Include xmlns:x='http://www.w3.org/2004/08/xop/include' href='cid:a%40b'/></Document>"
    "</DocumentResponse><DocumentResponse><DocumentUniqueId>1.1.2.1</DocumentUniqueId>"
    "<Document>\n Zm9v\nYmFy</Document></DocumentResponse>"
    "<DocumentResponse><DocumentUniqueId>9.9</DocumentUniqueId><Document>Zg==</Document>"
    "</DocumentResponse>" RESPONSE_END;

static void test_message_by_any_pieces(void **state)
{
    size_t piece;

    (void)state;
    for (piece = 1; piece <= sizeof message; piece++) {
        struct kit_buffer out = {0};
        struct root_document *document;
        struct root root;

        read_message(&root, message, piece, &out);
        assert_true(root.complete && root.response && !root.broken && !root.fault.present);
        assert_int_equal(root.status, ROOT_PARTIAL);
        assert_int_equal(root.document_count, 2);
        document = root_find(&root, "<a@b>");
        assert_non_null(document);
        assert_int_equal(document->ref, 0);
        assert_null(root_find(&root, "<other@b>"));
        assert_int_equal(root.documents[1].ref, 2);
        assert_true(root.documents[1].arrived);
        assert_string_equal(out.data, "2:Zm9v\nYmFy;-1:Zg==;");
        assert_int_equal(root.error_count, 3);
        assert_string_equal(root.errors[0].code, "XDSMissingDocument");
        assert_int_equal(root.errors[0].ref, 1);
        assert_string_equal(root.errors[1].context, "v 2.0 a<b");
        assert_int_equal(root.errors[1].ref, REFS_NONE);
        assert_int_equal(root.errors[1].series, 2);
        assert_true(root.errors[2].warning && !root.errors[1].warning);
        root_clear(&root);
        kit_buffer_free(&out);
    }
}

static void test_faults(void **state)
{
    static const struct {
        const char *text, *code, *subcode, *reason;
    } cases[] = {
        {"<e:Envelope xmlns:e='u'><e:Body><e:Fault><e:Code><e:Value>e:Receiver</e:Value><e:Subcode>"
         "<e:Value>w:Busy</e:Value></e:Subcode></e:Code><e:Reason><e:Text>no\n</e:Text>"
         "<e:Text>nein</e:Text></e:Reason><e:Detail><e:Value>x</e:Value><e:Text>y</e:Text>"
         "</e:Detail></e:Fault></e:Body></e:Envelope>",
         "Receiver", "Busy", "no"},
        {"<E><Fault><faultcode>s:Client</faultcode><faultstring>bad</faultstring><detail>"
         "<faultcode>z</faultcode></detail></Fault></E>",
         "Client", "", "bad"},
        {"<E><Fault/></E>", "", "", ""},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct kit_buffer out = {0};
        struct root root;

        read_message(&root, cases[i].text, 7, &out);
        assert_true(root.fault.present && root.complete);
        assert_string_equal(root.fault.code, cases[i].code);
        assert_string_equal(root.fault.subcode, cases[i].subcode);
        assert_string_equal(root.fault.reason, cases[i].reason);
        root_clear(&root);
        kit_buffer_free(&out);
    }
}

static void test_long_texts_are_cut_between_characters(void **state)
{
    struct kit_buffer text = {0}, out = {0};
    struct root root;
    int i;

    (void)state;
    assert_int_equal(kit_buffer_text(&text, "<E><Fault><faultstring>x"), 0);
    for (i = 0; i < 1000; i++)
        assert_int_equal(kit_buffer_text(&text, "\xc3\xa4"), 0);
    assert_int_equal(kit_buffer_text(&text, "</faultstring></Fault></E>"), 0);
    read_message(&root, text.data, 100, &out);
    assert_int_equal(strlen(root.fault.reason), ROOT_TEXT_MAX - 1);
    assert_memory_equal(root.fault.reason + ROOT_TEXT_MAX - 3, "\xc3\xa4", 3);
    root_clear(&root);
    kit_buffer_free(&text);
    kit_buffer_free(&out);
}

static void test_errors_are_bounded(void **state)
{
    struct kit_buffer text = {0}, out = {0};
    struct root root;
    int i;

    (void)state;
    assert_int_equal(kit_buffer_text(&text, RESPONSE), 0);
    for (i = 0; i < 5000; i++)
        assert_int_equal(kit_buffer_text(&text, "<RegistryError errorCode='E'/>"), 0);
    assert_int_equal(kit_buffer_text(&text, "</r:RegistryResponse>" RESPONSE_END), 0);
    read_message(&root, text.data, 4096, &out);
    assert_true(root.complete);
    assert_in_range(root.error_count, 3, 100);
    assert_int_equal(root.error_count + root.dropped, 5000);
    root_clear(&root);
    kit_buffer_free(&text);
    kit_buffer_free(&out);
}

/* ---- what it means for each instance ---- */

struct told {
    char text[3][256]; /* by instance: flags and message */
    unsigned notes;
};

static int32_t told_failed(void *ctx, const struct trolley_ref *ref,
                           const struct trolley_failure *failure)
{
    struct told *told = ctx;
    uint32_t i = refs_find(&refs, ref->instance, 0);

    assert_int_not_equal(i, REFS_NONE);
    (void)snprintf(told->text[i], sizeof told->text[i], "%d%s%s %s", (int)failure->status,
                   failure->flags & TROLLEY_FAILURE_TRANSIENT ? "+" : "",
                   failure->flags & TROLLEY_FAILURE_IGNORE ? "i" : "", failure->message);
    return 0;
}

static void told_note(struct trolley_task *task, uint32_t severity, int32_t code,
                      const struct trolley_ref *ref, const char *text)
{
    struct told *told = task->impl;

    (void)severity, (void)code, (void)ref, (void)text;
    told->notes++;
}

static void tell(const char *errors, const char *ignore, bool whole, struct told *ret_told)
{
    const struct verdict_ignore ignored = {&ignore, ignore ? 1 : 0};
    const struct trolley_dataset_sink sink = {.ctx = ret_told, .failed = told_failed};
    struct trolley_task task = {.size = sizeof task, .impl = ret_told, .note = told_note};
    const struct verdict verdict = {"http://h/p?q=1", &refs, &ignored, &sink, &task, 200};
    struct kit_buffer text = {0}, out = {0};
    struct root root;

    memset(ret_told, 0, sizeof *ret_told);
    assert_int_equal(
        kit_buffer_printf(&text, RESPONSE "%s</r:RegistryResponse>" RESPONSE_END, errors), 0);
    read_message(&root, text.data, 64, &out);
    assert_int_equal(verdict_tell(&verdict, &root, whole), 0);
    root_clear(&root);
    kit_buffer_free(&text);
    kit_buffer_free(&out);
}

#define ERROR(code, context) \
    "<RegistryError errorCode='" code "' codeContext='" context "' location='l&#10;2'/>"

static void test_the_nearest_error_counts(void **state)
{
    struct told told;

    (void)state;
    tell(ERROR("XDSMissingDocument", "document 1.1.1.1") ERROR("XDSRepositoryError", "all"), NULL,
         true, &told);
    assert_string_equal(told.text[0],
                        "-7 POST http://h/p: XDSMissingDocument: document 1.1.1.1 (at l\\x0a2)");
    assert_string_equal(told.text[1], "-14+ POST http://h/p: XDSRepositoryError: all (at l\\x0a2)");
    assert_string_equal(told.text[2], told.text[1]);
    tell(ERROR("XDSRepositoryBusy", "series 1.1.1"), NULL, true, &told);
    assert_memory_equal(told.text[0], "-15+", 4);
    assert_string_equal(told.text[1], told.text[0]);
    assert_string_equal(told.text[2], "");
}

static void test_ignored_errors(void **state)
{
    struct told told;

    (void)state;
    tell(ERROR("A", "1.1.1.1") ERROR("B", "1.1.1.1") ERROR("A", "1.1.1.10"), "A", true, &told);
    assert_memory_equal(told.text[0], "-14+ ", 5); /* B is not ignored */
    assert_memory_equal(told.text[1], "-14i ", 5);
    assert_string_equal(told.text[2], "");
}

static void test_a_cut_answer_tells_only_what_is_certain(void **state)
{
    struct told told;

    (void)state;
    tell(ERROR("XDSMissingDocument", "1.1.2.1") ERROR("E", ""), NULL, false, &told);
    assert_string_equal(told.text[0], "");
    assert_memory_equal(told.text[2], "-7 ", 3);
}

static void test_warnings_are_notes(void **state)
{
    struct told told;

    (void)state;
    tell("<RegistryError errorCode='W' codeContext='1.1.1.1' severity='x:Warning'/>", NULL, true,
         &told);
    assert_string_equal(told.text[0], "");
    assert_int_equal(told.notes, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cid_forms),
        cmocka_unit_test(test_message_by_any_pieces),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_long_texts_are_cut_between_characters),
        cmocka_unit_test(test_errors_are_bounded),
        cmocka_unit_test(test_the_nearest_error_counts),
        cmocka_unit_test(test_ignored_errors),
        cmocka_unit_test(test_a_cut_answer_tells_only_what_is_certain),
        cmocka_unit_test(test_warnings_are_notes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
