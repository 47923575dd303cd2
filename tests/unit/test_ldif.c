/* Reading LDIF, and what dcm4chee's entries become. SPDX-License-Identifier: MIT */
#include <kit/buffer.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/prefetch/import.h"
#include "core/prefetch/ldif.h"

static struct ldif *read_text(const char *text)
{
    struct trolley_error error;
    struct ldif *ldif = NULL;

    if (ldif_read(text, strlen(text), &ldif, &error) < 0) fail_msg("%s", error.message);
    return ldif;
}

static void test_p16_grammar(void **state)
{
    struct ldif *ldif = read_text("version: 1\r\n"
                                  "# a comment\r\n"
                                  "#  that is fol\r\n"
                                  " ded\r\n"
                                  "\r\n"
                                  "dn: cn=a\\, b\\2c c,dc=x\r\n"
                                  "objectClass: one\r\n"
                                  "OBJECTclass: two\r\n"
                                  "long: fol\r\n"
                                  " ded \r\n"
                                  "  twice\r\n"
                                  "sixty-four:: Z3LDvG4=\r\n"
                                  "empty:\r\n"
                                  "userCertificate;binary:: YQ==\r\n"
                                  "\r\n"
                                  "\r\n"
                                  "dn:: Y249YmFzZSxkYz14\n"
                                  "changetype: modify\n"
                                  "replace: cn\n"
                                  "cn: other\n"
                                  "-\n");
    const struct ldif_entry *entry;

    (void)state;
    assert_int_equal(ldif->count, 2);
    assert_string_equal(ldif->entries[1].name, "base");
    assert_true(ldif->entries[1].change);
    assert_string_equal(ldif_value(&ldif->entries[1], "cn"), "other");
    entry = &ldif->entries[0];
    assert_string_equal(entry->name, "a, b, c");
    assert_int_equal(entry->line, 6);
    assert_true(ldif_has_class(entry, "ONE") && ldif_has_class(entry, "two"));
    assert_false(ldif_has_class(entry, "three"));
    assert_string_equal(ldif_value(entry, "long"), "folded  twice");
    assert_string_equal(ldif_value(entry, "Sixty-Four"), "gr\xc3\xbcn");
    assert_string_equal(ldif_value(entry, "empty"), "");
    assert_string_equal(ldif_value(entry, "usercertificate"), "a");
    assert_string_equal(ldif_value_at(entry, "objectclass", 1), "two");
    assert_null(ldif_value(entry, "absent"));
    assert_false(entry->change);
    ldif_free(ldif);
}

static void test_p16_names_of_entries(void **state)
{
    static const struct {
        const char *dn, *name;
    } cases[] = {
        {"cn=plain,dc=x", "plain"},
        {"cn= spaces ,dc=x", "spaces"},
        {"cn=kept\\ ,dc=x", "kept "},
        {"cn=\"quoted, too\",dc=x", "quoted, too"},
        {"cn=a+sn=b,dc=x", "a"},
        {"cn=gr\\C3\\BCn,dc=x", "gr\xc3\xbcn"},
        {"cn=back\\\\slash,dc=x", "back\\slash"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[200];
        struct ldif *ldif;

        (void)snprintf(text, sizeof text, "dn: %s\ncn: x\n", cases[i].dn);
        ldif = read_text(text);
        assert_int_equal(ldif->count, 1);
        assert_string_equal(ldif->entries[0].name, cases[i].name);
        ldif_free(ldif);
    }
}

static void test_p16_refused(void **state)
{
    static const struct {
        const char *text, *problem;
    } cases[] = {
        {"dn: a=b\nnonsense\n", "line 2: neither"},
        {"cn: x\n", "line 1: an entry begins with"},
        {"dn: a=b\nx:: ???\n", "line 2: the base64 value"},
        {"dn: a=b\nx:: AGE=\n", "line 2: the base64 value"},
        {"dn: a=b\nx:< file:///etc/passwd\n", "line 2: values from URLs"},
        {"dn: a=b\nx: \xff\n", "line 2: the value is not UTF-8"},
        {"dn: a=b\ndn: c=d\n", "line 2: an entry within an entry"},
        {"# folded\n  on\n\n\ndn: a=b\n: x\n", "line 6: neither"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct trolley_error error;
        struct ldif *ldif = NULL;

        assert_int_equal(ldif_read(cases[i].text, strlen(cases[i].text), &ldif, &error),
                         TROLLEY_ERR_INVALID_CONFIG);
        if (!strstr(error.message, cases[i].problem)) fail_msg("%s", error.message);
    }
}

/* ---- importing ---- */

struct taken {
    struct kit_buffer text, notes;
};

static int take_text(void *ctx, const char *text)
{
    return kit_buffer_text(&((struct taken *)ctx)->text, text);
}

static int take_note(void *ctx, const char *text)
{
    return kit_buffer_printf(&((struct taken *)ctx)->notes, "%s\n", text);
}

static int import_file(struct prefetch_import_options options, struct taken *taken,
                       struct trolley_error *error)
{
    memset(taken, 0, sizeof *taken);
    memset(error, 0, sizeof *error);
    return prefetch_import_ldif(&options, take_text, take_note, taken, error);
}

static void taken_free(struct taken *taken)
{
    kit_buffer_free(&taken->text);
    kit_buffer_free(&taken->notes);
}

static void assert_has(const struct kit_buffer *text, const char *wanted)
{
    if (!text->data || !strstr(text->data, wanted))
        fail_msg("\"%s\" is not in:\n%s", wanted, text->data ? text->data : "");
}

static const char *const data_folder[] = {"jboss.server.data.url=file:/var/lib/wild%20fly"};
static const char *const to_proxy[] = {"http://localhost:8080/dcm4chee-arc=https://proxy.example"};

static void test_p16_six_entries(void **state)
{
    const struct prefetch_import_options options = {.file = LDIF_FOLDER "/wado-prefetch.ldif",
                                                    .searcher = "pacs-search",
                                                    .session = "pacs",
                                                    .sets = data_folder,
                                                    .set_count = 1,
                                                    .rewrites = to_proxy,
                                                    .rewrite_count = 1};
    struct trolley_error error;
    struct taken taken;

    (void)state;
    if (import_file(options, &taken, &error) != 0) fail_msg("%s", error.message);
    assert_has(&taken.text, "[rule Forward JPEG all frames]\nentity = Series\n"
                            "exporter = WADO-JPEG\ndelay = PT1M\ncondition = Modality=CT|MR\n"
                            "condition = InstitutionName!=Gr\xc3\xbcn.*\n");
    assert_has(&taken.text, "[rule Forward metadata]\nentity = Study\nexporter = WADO-JSON\n"
                            "delay = PT5M\nschedule = hour=18-6 dayOfWeek=*\n"
                            "schedule = hour=* dayOfWeek=0,6\nreoccurred = replace\n");
    assert_has(&taken.text,
               "[exporter WADO-JPEG]\nuri = https://proxy.example/aets/DCM4CHEE/wado?"
               "requestType=WADO&studyUID=[0]&seriesUID=[1]&objectUID=[2]&frameNumber=[3]"
               "&contentType=image/jpeg\ncache_control = no-cache\nstorage = wado-jpeg\n"
               "url.1 = https://proxy.example/aets/DCM4CHEE/wado?requestType=WADO&studyUID=[0]"
               "&seriesUID=[1]&objectUID=[2]&frameNumber=[3]&rows=64&columns=64"
               "&contentType=image/jpeg\n");
    assert_has(&taken.text, "storage.1 = wado-jpeg-url1\nqueue = Export2\nsearcher = pacs-search\n"
                            "session = pacs\n");
    assert_has(&taken.text, "[exporter WADO-JSON]\nuri = https://proxy.example/aets/DCM4CHEE/rs/"
                            "studies/[0]/metadata\naccept = application/json\n"
                            "cache_control = no-cache\nstorage = wado-json\nqueue = Export2\n");
    assert_has(&taken.text, "[queue Export2]\n");
    assert_has(&taken.text,
               "[storage wado-jpeg]\ntype = template\npath = /var/lib/wild fly/wado-jpeg\n"
               "path_format = {0020000D}/{0020000E}/{00080018}/{00081160}.jpeg\n"
               "check_mount_file = NO_MOUNT\n");
    assert_has(&taken.text, "[storage wado-json]\ntype = template\n"
                            "path = /var/lib/wild fly/wado-json\npath_format = {0020000D}.json\n");
    assert_has(&taken.text, "[storage wado-jpeg-url1]\ntype = template\n"
                            "path = /var/lib/wild fly/wado-jpeg-url1\n");
    assert_has(&taken.notes, "url.1 would write the files of the main URL in storage "
                             "\"wado-jpeg\": storage.1 gives it one of its own");
    assert_has(&taken.notes, "queue \"Export2\" is not in the file: these are defaults\n");
    assert_has(&taken.notes, "left out: KeycloakClientID, dicomAETitle\n");
    taken_free(&taken);
}

static void test_p16_unresolved_names_set(void **state)
{
    const struct prefetch_import_options options = {.file = LDIF_FOLDER "/wado-prefetch.ldif"};
    struct trolley_error error;
    struct taken taken;

    (void)state;
    assert_int_equal(import_file(options, &taken, &error), TROLLEY_ERR_INVALID_CONFIG);
    assert_non_null(strstr(error.message, "--set jboss.server.data.url=VALUE"));
    assert_int_equal(taken.text.length, 0);
    taken_free(&taken);
}

/* A file of its own for each case. */
static int import_text(const char *text, struct prefetch_import_options options,
                       struct taken *taken, struct trolley_error *error)
{
    char path[] = "/tmp/trolley-ldif-XXXXXX";
    int fd = mkstemp(path), r;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    (void)close(fd);
    options.file = path;
    r = import_file(options, taken, error);
    (void)unlink(path);
    return r;
}

static const char web_application[] =
    "dn: dcmExporterID=A,dc=x\nobjectClass: dcmExporter\ndcmURI: wado:DCM4CHEE\n"
    "dcmProperty: WadoService=/studies/[0]/metadata\ndcmProperty: URL.2=http://h/x\n"
    "dcmQueueName: Q\n\n"
    "dn: dcmExporterID=B,dc=x\nobjectClass: dcmExporter\ndcmURI: dicom:STORESCP\n\n"
    "dn: cn=R,dc=x\nobjectClass: dcmExportRule\ndcmEntity: Series\ndcmExporterID: A\n"
    "dcmExporterID: B\ndcmExporterID: C\ndcmProperty: StationName=[a-z&&[^x]]+\n"
    "dcmExportPreviousEntity: TRUE\n\n"
    "dn: cn=P,dc=x\nobjectClass: dcmExportRule\ndcmEntity: Patient\ndcmExporterID: A\n\n"
    "dn: dcmQueueName=Q,dc=x\nobjectClass: dcmQueue\ndcmMaxTasksParallel: 4\n"
    "dcmMaxRetries: 10\ndcmRetryDelay: PT30S\ndcmRetryDelayMultiplier: 200\n"
    "dcmMaxRetryDelay: PT10M\ndcmRetryOnWarning: TRUE\n"
    "dcmPurgeQueueMessageCompletedDelay: P7D\n\n"
    "dn: dicomDeviceName=x,dc=x\nchangetype: modify\nadd: y\ny: z\n";

static void test_p16_web_application(void **state)
{
    static const char *const sets[] = {"DCM4CHEE=https://pacs.example/rs"};
    const struct prefetch_import_options options = {.sets = sets, .set_count = 1};
    struct trolley_error error;
    struct taken taken;

    (void)state;
    if (import_text(web_application, options, &taken, &error) != 0) fail_msg("%s", error.message);
    assert_has(&taken.text, "[exporter A]\n");
    assert_has(&taken.text, "uri = https://pacs.example/rs/studies/[0]/metadata\n");
    assert_has(&taken.text, "[rule R]\nentity = Series\nexporter = A\n");
    assert_has(&taken.text, "export_previous_entity = yes\n");
    assert_has(&taken.text, "[queue Q]\nmax_parallel = 4\nmax_retries = 10\nretry_delay = PT30S\n"
                            "retry_multiplier = 200\nmax_retry_delay = PT10M\n"
                            "purge_completed = P7D\nretry_on_warning = yes\n");
    assert_has(&taken.notes, "exporter \"B\" does something else than WADO requests");
    assert_has(&taken.notes, "exporter \"C\" is not in the file");
    assert_has(&taken.notes, "rule \"P\" is left out");
    assert_has(&taken.notes, "URL.2 is left out: there is no URL.1");
    assert_has(&taken.notes, "StationName=[a-z&&[^x]]+`: `&&` within [...] is an intersection");
    assert_null(strstr(taken.text.data, "[exporter B]"));
    assert_null(strstr(taken.text.data, "[rule P]"));
    taken_free(&taken);
    assert_int_equal(
        import_text(web_application, (struct prefetch_import_options){0}, &taken, &error),
        TROLLEY_ERR_INVALID_CONFIG);
    assert_non_null(strstr(error.message, "--set DCM4CHEE=http://..."));
    taken_free(&taken);
}

static void test_p16_bad_use(void **state)
{
    static const char *const bad[] = {"no-equals-sign"};
    struct trolley_error error;
    struct taken taken;

    (void)state;
    assert_int_equal(
        import_file((struct prefetch_import_options){.file = "/nowhere/x.ldif"}, &taken, &error),
        TROLLEY_ERR_IO);
    assert_int_equal(
        import_text("dn: a=b\nx: y\n", (struct prefetch_import_options){0}, &taken, &error),
        TROLLEY_ERR_INVALID_CONFIG);
    assert_non_null(strstr(error.message, "neither export rules"));
    assert_int_equal(import_text("", (struct prefetch_import_options){.sets = bad, .set_count = 1},
                                 &taken, &error),
                     TROLLEY_ERR_INVALID_ARG);
    assert_int_equal(
        import_text("", (struct prefetch_import_options){.rewrites = bad, .rewrite_count = 1},
                    &taken, &error),
        TROLLEY_ERR_INVALID_ARG);
}

static void test_p16_what_pcre2_reads_differently(void **state)
{
    static const char *const plain[] = {"CT|MR",   "[^]a]+",  "[[:alpha:]]", "\\p{L}",  "(?i)x",
                                        "(?:a|b)", "\\[a&&b", "a{1,3}",      "(?<=ab)c"};
    static const char *const different[] = {
        "[a-z&&[^x]]",  "[a[bc]]", "\\u00e9", "\\p{Alpha}",   "\\p{javaLowerCase}",
        "\\p{IsLatin}", "(?U)x",   "(?iu:x)", "(?<=a{1,3})b", "(?<!a+)b"};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof plain / sizeof plain[0]; i++)
        if (import_regex_problem(plain[i])) fail_msg("%s", plain[i]);
    for (i = 0; i < sizeof different / sizeof different[0]; i++)
        if (!import_regex_problem(different[i])) fail_msg("%s", different[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_p16_grammar),
        cmocka_unit_test(test_p16_names_of_entries),
        cmocka_unit_test(test_p16_refused),
        cmocka_unit_test(test_p16_six_entries),
        cmocka_unit_test(test_p16_unresolved_names_set),
        cmocka_unit_test(test_p16_web_application),
        cmocka_unit_test(test_p16_bad_use),
        cmocka_unit_test(test_p16_what_pcre2_reads_differently),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
