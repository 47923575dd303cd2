/*
 * How fast a MINT answer of many instances becomes records, beside the XML reader alone: medians of
 * five, the sides alternating. SPDX-License-Identifier: MIT
 */
#include <kit/xml.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <trolley/types.h>

#include "plugins/mint/answer.h"

enum { INSTANCES = 100000, SERIES = 100, RUNS = 5, PIECE = 16384 };

static int make_answer(struct kit_buffer *out)
{
    int r = kit_buffer_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                                 "<studySearchResults xmlns=\"http://medical.nema.org/mint\">\n"
                                 "<study studyUUID=\"u\"><attr tag=\"0020000D\" vr=\"UI\" "
                                 "val=\"1.2.826.0.1.3680043.10.999.1\"/>\n");

    for (int i = 0; r == 0 && i < INSTANCES; i++) {
        if (i % (INSTANCES / SERIES) == 0)
            r = kit_buffer_printf(out,
                                  "%s<series><attr tag=\"0020000E\" vr=\"UI\" "
                                  "val=\"1.2.826.0.1.3680043.10.999.1.%d\"/>\n",
                                  i ? "</series>\n" : "", i);
        if (r == 0)
            r = kit_buffer_printf(
                out,
                "<instance>\n"
                "  <attr tag=\"00080018\" vr=\"UI\" "
                "val=\"1.2.826.0.1.3680043.10.999.1.1.%d\"/>\n"
                "  <attr tag=\"00020010\" vr=\"UI\" val=\"1.2.840.10008.1.2.1\"/>\n"
                "  <attr tag=\"00080016\" vr=\"UI\" "
                "val=\"1.2.840.10008.5.1.4.1.1.2\"/>\n"
                "  <attr tag=\"00200013\" vr=\"IS\" val=\"%d\"/>\n"
                "</instance>\n",
                i, i);
    }
    return r < 0 ? r : kit_buffer_text(out, "</series></study></studySearchResults>\n");
}

struct counter {
    struct record_builder *builder;
    uint64_t records;
};

static int32_t count_record(void *ctx, const struct trolley_record *record)
{
    (void)record;
    (*(uint64_t *)ctx)++;
    return 0;
}

static int count_study(void *ctx, const struct attributes *study)
{
    (void)ctx, (void)study;
    return 0;
}

static int count_node(void *ctx, const struct attributes *const *sets, uint32_t count)
{
    struct counter *counter = ctx;
    const struct trolley_record_sink sink = {&counter->records, count_record};

    return record_builder_emit(counter->builder, TROLLEY_LEVEL_INSTANCE, sets, count, &sink);
}

static double seconds(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double read_answer(const struct kit_buffer *text, struct counter *counter)
{
    static const struct answer_handler handler = {.study = count_study, .node = count_node};
    static const struct answer_settings settings = {.grammar = ANSWER_RESULTS,
                                                    .level = TROLLEY_LEVEL_INSTANCE};
    struct answer *answer = NULL;
    double begin = seconds();
    int r = answer_new(&settings, &handler, counter, &answer);

    for (size_t at = 0; r == 0 && at < text->length; at += PIECE)
        r = answer_push(answer, text->data + at,
                        text->length - at < PIECE ? text->length - at : PIECE);
    if (r == 0) r = answer_finish(answer);
    if (r < 0) abort();
    answer_free(answer);
    return seconds() - begin;
}

static double read_xml(const struct kit_buffer *text)
{
    static const struct kit_xml_handler none = {.start = NULL};
    struct kit_xml *xml = NULL;
    double begin = seconds();
    int r = kit_xml_new(NULL, &none, NULL, &xml);

    for (size_t at = 0; r == 0 && at < text->length; at += PIECE)
        r = kit_xml_push(xml, text->data + at,
                         text->length - at < PIECE ? text->length - at : PIECE);
    if (r == 0) r = kit_xml_finish(xml);
    if (r < 0) abort();
    kit_xml_free(xml);
    return seconds() - begin;
}

static int compare(const void *a, const void *b)
{
    return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

static double median(double *figures)
{
    qsort(figures, RUNS, sizeof *figures, compare);
    return figures[RUNS / 2];
}

int main(void)
{
    struct kit_buffer text = {.cap = (size_t)256 << 20};
    struct counter counter = {.records = 0};
    struct rusage before, after;
    double answers[RUNS], floors[RUNS], megabytes, own, floor;

    if (make_answer(&text) < 0 || record_builder_new(&counter.builder) < 0) return 1;
    (void)getrusage(RUSAGE_SELF, &before);
    for (int i = 0; i < RUNS; i++) {
        answers[i] = read_answer(&text, &counter);
        floors[i] = read_xml(&text);
    }
    (void)getrusage(RUSAGE_SELF, &after);
    if (counter.records != (uint64_t)RUNS * INSTANCES) return 1;
    megabytes = (double)text.length / 1e6;
    own = median(answers);
    floor = median(floors);
    (void)printf("MINT answer, %d instances, %.1f MB: %.0f MB/s (aim 50); XML reader alone %.0f "
                 "MB/s; ratio %.2f; grew by %ld KiB\n",
                 INSTANCES, megabytes, megabytes / own, megabytes / floor, own / floor,
                 after.ru_maxrss - before.ru_maxrss);
    record_builder_free(counter.builder);
    kit_buffer_free(&text);
    return 0;
}
