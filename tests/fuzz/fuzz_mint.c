/*
 * MINT's answers on any bytes: whole and in pieces they must read the same. The first byte sets the
 * grammar, the level and the pieces' size. SPDX-License-Identifier: MIT
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <trolley/helpers.h>

#include "plugins/mint/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

/* What an answer gave, boiled down: enough to tell two apart. */
struct fuzz_outcome {
    struct record_builder *builder;
    uint32_t level;
    uint64_t hash, records;
    int status;
};

static void fuzz_mix(struct fuzz_outcome *outcome, const char *text)
{
    for (; *text; text++)
        outcome->hash = (outcome->hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    outcome->hash = (outcome->hash ^ 0xff) * UINT64_C(0x100000001b3);
}

static int32_t fuzz_record(void *ctx, const struct trolley_record *record)
{
    struct fuzz_outcome *outcome = ctx;

    outcome->records++;
    for (uint32_t i = 0; i < record->elements.count; i++) {
        const struct trolley_element *element = trolley_span_at(&record->elements, i);

        if (strnlen(element->vr, sizeof element->vr) > 2) abort();
        outcome->hash ^= element->tag;
        for (uint32_t j = 0; j < element->values.count; j++)
            fuzz_mix(outcome, trolley_span_text(&element->values, j));
    }
    return 0;
}

static int fuzz_listed(void *ctx, const char *uuid, const char *modified)
{
    fuzz_mix(ctx, uuid);
    fuzz_mix(ctx, modified);
    return 0;
}

static int fuzz_study(void *ctx, const struct attributes *study)
{
    const char *uid = attributes_text(study, MINT_STUDY_UID);

    (void)ctx;
    if (!uid) abort();
    return *uid == '9' ? ANSWER_SKIP : 0;
}

static int fuzz_node(void *ctx, const struct attributes *const *sets, uint32_t count)
{
    struct fuzz_outcome *outcome = ctx;
    const struct trolley_record_sink sink = {outcome, fuzz_record};

    return record_builder_emit(outcome->builder, outcome->level, sets, count, &sink);
}

static void fuzz_read(struct fuzz_outcome *outcome, enum answer_grammar grammar,
                      const uint8_t *data, size_t length, size_t piece)
{
    static const struct answer_handler handler = {fuzz_listed, fuzz_study, fuzz_node};
    const struct answer_settings settings = {
        .grammar = grammar, .level = outcome->level, .identify = true};
    struct answer *answer;
    size_t at, take;
    int r = 0;

    outcome->hash = outcome->records = 0;
    if (answer_new(&settings, &handler, outcome, &answer) < 0) abort();
    for (at = 0; at < length && r == 0; at += take) {
        take = length - at < piece ? length - at : piece;
        r = answer_push(answer, data + at, take);
    }
    if (r == 0) r = answer_finish(answer);
    outcome->status = r;
    answer_free(answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    static struct record_builder *builder;
    struct fuzz_outcome whole, pieces;

    if (length == 0) return 0;
    if (!builder && record_builder_new(&builder) < 0) abort();
    memset(&whole, 0, sizeof whole);
    whole.builder = builder;
    whole.level = (uint32_t)data[0] / 3 % 3 + 1;
    pieces = whole;
    fuzz_read(&whole, (enum answer_grammar)(data[0] % 3), data + 1, length - 1, length);
    fuzz_read(&pieces, (enum answer_grammar)(data[0] % 3), data + 1, length - 1,
              (size_t)data[0] / 9 % 16 + 1);
    if ((whole.status == 0) != (pieces.status == 0)) abort();
    if (whole.status == 0 && (whole.hash != pieces.hash || whole.records != pieces.records))
        abort();
    return 0;
}
