/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trolley/helpers.h>

#include "core/model/tree.h"
#include "core/prefetch/condition.h"

#include <cmocka.h>

struct attribute {
    uint32_t tag, flags;
    const char *values[4];
};

static void add(struct trolley_tree *tree, uint32_t level, const struct attribute *attributes,
                uint32_t count)
{
    struct trolley_element elements[16] = {0};
    struct trolley_record record = {
        .size = sizeof record, .level = level, .elements = {elements, count, sizeof elements[0]}};
    struct trolley_error error = {0};
    uint32_t i, n;

    for (i = 0; i < count; i++) {
        for (n = 0; n < 4 && attributes[i].values[n]; n++)
            ;
        elements[i].size = sizeof elements[i];
        elements[i].tag = attributes[i].tag;
        elements[i].flags = attributes[i].flags;
        elements[i].values = (struct trolley_span){attributes[i].values, n, sizeof(char *)};
    }
    if (tree_add(tree, &record, NULL, &error) < 0) fail_msg("%s", error.message);
}

/* An instance of a CT series; what lies above it is told with the study and the series. */
static const struct trolley_node *sample(struct trolley_tree *tree)
{
    static const struct attribute study[] = {
        {0x0020000d, 0, {"1.2.3"}},
        {0x00100010, 0, {"M\xc3\xbcller^Anna"}},
        {0x00080050, 0, {""}},
        {0x00080061, 0, {"CT", "SR"}},
        {0x00081030, 0, {"Thorax \\d+ (low dose)"}},
        {0x00081032,
         TROLLEY_ELEMENT_JSON,
         {"[{\"00080100\":{\"vr\":\"SH\",\"Value\":[\"CTTHO\"]},\"00080102\":{\"vr\":\"SH\","
          "\"Value\":[\"99LOCAL\"]}},{\"00080100\":{\"vr\":\"SH\",\"Value\":[\"CTABD\"]}}]"}},
    };
    static const struct attribute series[] = {
        {0x0020000d, 0, {"1.2.3"}},
        {0x0020000e, 0, {"1.2.3.4"}},
        {0x00080060, 0, {"CT"}},
        {0x0008103e, 0, {"Lung 1.0 B60f"}},
        {0x00400275,
         TROLLEY_ELEMENT_JSON,
         {"[{\"00400008\":{\"vr\":\"SQ\",\"Value\":[{\"00080100\":{\"vr\":\"SH\",\"Value\":[\"P1\"]"
          "}}]}}]"}},
    };
    static const struct attribute instance[] = {
        {0x0020000d, 0, {"1.2.3"}},     {0x0020000e, 0, {"1.2.3.4"}},
        {0x00080018, 0, {"1.2.3.4.5"}}, {0x00080008, 0, {"ORIGINAL", "PRIMARY", "AXIAL"}},
        {0x00280008, 0, {"12"}},
    };

    add(tree, TROLLEY_LEVEL_STUDY, study, sizeof study / sizeof study[0]);
    add(tree, TROLLEY_LEVEL_SERIES, series, sizeof series / sizeof series[0]);
    add(tree, TROLLEY_LEVEL_INSTANCE, instance, sizeof instance / sizeof instance[0]);
    return trolley_node_child(trolley_node_child(trolley_tree_study(tree, "1.2.3"), "1.2.3.4"),
                              "1.2.3.4.5");
}

static int holds(const char *text, const struct trolley_node *node, struct trolley_error *error)
{
    struct prefetch_condition *condition = NULL;
    int r = prefetch_condition_parse(&text, 1, &condition, error);

    if (r < 0) fail_msg("%s: %s", text, error->message);
    r = prefetch_condition_holds(condition, node, error);
    prefetch_condition_free(condition);
    return r;
}

/* Acceptance test 3. */
static void test_table(void **state)
{
    static const struct {
        const char *text;
        int holds;
    } cases[] = {
        /* The whole value, of the object or those above it. */
        {"Modality=CT", 1},
        {"Modality=C", 0},
        {"Modality=T", 0},
        {"Modality=MR", 0},
        {"Modality=CT|MR", 1},
        {"Modality=MR|CT", 1},
        {"Modality=(CT|MR)", 1},
        {"Modality=C|CT", 1},
        {"Modality=ct", 0},
        {"Modality=(?i)ct", 1},
        {"Modality=.*", 1},
        {"Modality!=CT", 0},
        {"Modality!=MR", 1},
        {"00080060=CT", 1},
        {"0008,0060=CT", 1},
        {"SeriesDescription=.*Lung.*", 1},
        {"SeriesDescription=Lung \\d\\.\\d B[0-9]+f", 1},
        {"StudyDescription=Thorax \\\\d\\+ \\(low dose\\)", 1},
        {"StudyDescription=.*=.*", 0},
        {"PatientName=M.ller\\^.*", 1},
        {"NumberOfFrames=1[0-9]", 1},
        /* Any of several values, or the n-th. */
        {"ModalitiesInStudy=SR", 1},
        {"ModalitiesInStudy=MR", 0},
        {"ModalitiesInStudy!=SR", 0},
        {"ModalitiesInStudy!=MR", 1},
        {"ImageType=PRIMARY", 1},
        {"ImageType[1]=ORIGINAL", 1},
        {"ImageType[1]=PRIMARY", 0},
        {"ImageType[2]=PRIMARY", 1},
        {"ImageType[3]!=LOCALIZER", 1},
        {"ImageType[3]!=AXIAL", 0},
        {"ImageType[4]=.*", 0},
        {"ImageType[4]!=.*", 1},
        {"ImageType[4]=", 1},
        {"ImageType[3]=", 0},
        /* Absent: no value, or an empty one. */
        {"AccessionNumber=", 1},
        {"AccessionNumber!=", 0},
        {"PatientID=", 1},
        {"PatientID!=", 0},
        {"PatientID=.*", 0},
        {"PatientID=.+", 0},
        {"PatientID!=.+", 1},
        {"Modality=", 0},
        {"Modality!=", 1},
        /* Within sequences: any item. */
        {"ProcedureCodeSequence.CodeValue=CTTHO", 1},
        {"ProcedureCodeSequence.CodeValue=CTABD", 1},
        {"ProcedureCodeSequence.CodeValue=CT", 0},
        {"ProcedureCodeSequence.CodeValue!=CTABD", 0},
        {"ProcedureCodeSequence.CodeMeaning=", 1},
        {"ProcedureCodeSequence.CodingSchemeDesignator=99LOCAL", 1},
        {"00081032.00080100=CTT.*", 1},
        {"RequestAttributesSequence.ScheduledProtocolCodeSequence.CodeValue=P1", 1},
        {"RequestAttributesSequence.ScheduledProtocolCodeSequence.CodeValue=P2", 0},
        {"ProcedureCodeSequence!=", 1},
        {"Modality.CodeValue=CT", 0},
        {"Modality.CodeValue=", 1},
    };
    struct trolley_tree *tree = NULL;
    const struct trolley_node *node;
    size_t i;

    (void)state;
    assert_int_equal(tree_new(&tree), 0);
    node = sample(tree);
    assert_non_null(node);
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct trolley_error error = {0};
        int r = holds(cases[i].text, node, &error);

        if (r != cases[i].holds) fail_msg("%s: %d %s", cases[i].text, r, error.message);
    }
    trolley_tree_free(tree);
}

static void test_all_must_hold(void **state)
{
    const char *const both[] = {"Modality=CT", "ModalitiesInStudy=SR"};
    const char *const one[] = {"Modality=CT", "ModalitiesInStudy=MR"};
    struct trolley_tree *tree = NULL;
    struct prefetch_condition *condition = NULL;
    const struct trolley_node *node;
    uint32_t tags[2] = {0};

    (void)state;
    assert_int_equal(tree_new(&tree), 0);
    node = sample(tree);
    assert_int_equal(prefetch_condition_parse(both, 2, &condition, NULL), 0);
    assert_int_equal(prefetch_condition_holds(condition, node, NULL), 1);
    /* What lies below a node is not known of it. */
    assert_int_equal(prefetch_condition_holds(condition, trolley_node_parent(node), NULL), 1);
    assert_int_equal(prefetch_condition_holds(condition, trolley_tree_first(tree), NULL), 0);
    assert_int_equal(prefetch_condition_tags(condition, tags, 1), 2);
    assert_int_equal(tags[0], 0x00080060);
    assert_int_equal(tags[1], 0);
    prefetch_condition_free(condition);
    assert_int_equal(prefetch_condition_parse(one, 2, &condition, NULL), 0);
    assert_int_equal(prefetch_condition_holds(condition, node, NULL), 0);
    prefetch_condition_free(condition);
    trolley_tree_free(tree);
}

static void test_nothing_known(void **state)
{
    struct prefetch_condition *condition = (struct prefetch_condition *)&condition;
    struct trolley_error error = {0};

    (void)state;
    assert_int_equal(prefetch_condition_parse(NULL, 0, &condition, NULL), 0);
    assert_null(condition);
    assert_int_equal(prefetch_condition_holds(NULL, NULL, NULL), 1);
    assert_int_equal(prefetch_condition_tags(NULL, NULL, 0), 0);
    assert_int_equal(holds("Modality=CT", NULL, &error), 0);
    assert_int_equal(holds("Modality!=CT", NULL, &error), 1);
    assert_int_equal(holds("Modality=", NULL, &error), 1);
    prefetch_condition_free(NULL);
}

static void test_refused(void **state)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "is written"},
        {"Modality", "is written"},
        {"=CT", "is written"},
        {"!=CT", "Modali"},
        {"Modalty=CT", "Modality"},
        {"Modality =CT", "Modality"},
        {"Modality[0]=CT", "[n]"},
        {"Modality[-1]=CT", "[n]"},
        {"Modality[]=CT", "[n]"},
        {"Modality[x]=CT", "[n]"},
        {"Modality[1=CT", "[n]"},
        {"Modality[1]x=CT", "[n]"},
        {"Modality[99999]=CT", "[n]"},
        {"ProcedureCodeSequence.=CT", ""},
        {".CodeValue=CT", ""},
        {"Modality=(", "at byte 1"},
        {"Modality=[", "regular expression"},
        {"Modality=*", "regular expression"},
        {"Modality=a{2,1}", "regular expression"},
        {"Modality=\\C", "regular expression"},
        {"Modality=\xff", "regular expression"},
        {"ProcedureCodeSequence=(CTTHO,99LOCAL,\"Thorax\")", "codes"},
        {"PatientID=\xc2\xa7PATIENT_ID_EST", "predicates"},
        {"SendingApplicationEntityTitle=CT1", "who sent"},
        {"ReceivingHostname!=x", "who sent"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct prefetch_condition *condition = NULL;
        struct trolley_error error = {0};

        if (prefetch_condition_parse(&cases[i].text, 1, &condition, &error) !=
            TROLLEY_ERR_INVALID_ARG)
            fail_msg("`%s` was taken", cases[i].text);
        assert_null(condition);
        if (i != 3 && !strstr(error.message, cases[i].why))
            fail_msg("`%s`: %s", cases[i].text, error.message);
    }
}

/* An expression that backtracks for ever ends with an error and not with an answer. */
static void test_limits(void **state)
{
    struct trolley_tree *tree = NULL;
    struct trolley_error error = {0};
    struct attribute study[] = {{0x0020000d, 0, {"1.2.3"}},
                                {0x00081030, 0, {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"}}};
    char *deep = malloc(200001);

    (void)state;
    assert_non_null(deep);
    assert_int_equal(tree_new(&tree), 0);
    add(tree, TROLLEY_LEVEL_STUDY, study, 2);
    assert_int_equal(holds("StudyDescription=(a+)+[cd]", trolley_tree_first(tree), &error),
                     TROLLEY_ERR_TOO_LARGE);
    assert_non_null(strstr(error.message, "(a+)+[cd]"));
    trolley_tree_free(tree);
    assert_int_equal(tree_new(&tree), 0);
    memset(deep, 'a', 200000);
    deep[200000] = '\0';
    study[1].values[0] = deep;
    add(tree, TROLLEY_LEVEL_STUDY, study, 2);
    assert_int_equal(holds("StudyDescription=(?:a|(b))*[cd]", trolley_tree_first(tree), &error),
                     TROLLEY_ERR_TOO_LARGE);
    trolley_tree_free(tree);
    free(deep);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),         cmocka_unit_test(test_all_must_hold),
        cmocka_unit_test(test_nothing_known), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
