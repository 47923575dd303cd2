/* SPDX-License-Identifier: MIT */
#include "core/retrieve/claim.h"

#include <string.h>

/* Is everything of this series wanted, and does the request ask for it? */
static bool claim_wanted(const struct fetch *fetch, const char *series)
{
    const struct study *study = fetch->study;
    const struct chunk *chunk = fetch->chunk;
    uint32_t i;

    if (!series || chunk->level == TROLLEY_LEVEL_INSTANCE) return false;
    i = study_find_series(study, series);
    if (chunk->level == TROLLEY_LEVEL_SERIES && i != chunk->items[0]) return false;
    return study->whole || (i != ENTRY_NONE && study->series[i].whole);
}

/* Does the request ask for this entry, be it among others? */
static bool claim_asked(const struct fetch *fetch, uint32_t index)
{
    const struct chunk *chunk = fetch->chunk;
    uint32_t i;

    if (chunk->level == TROLLEY_LEVEL_STUDY) return true;
    if (chunk->level == TROLLEY_LEVEL_SERIES)
        return fetch->study->entries[index].series == chunk->items[0];
    for (i = 0; i < chunk->count; i++)
        if (chunk->items[i] == index) return true;
    return false;
}

/* An instance that nobody named, of a series that is wanted as a whole. */
static int claim_add(struct fetch *fetch, const struct trolley_meta *meta, uint32_t *ret_index)
{
    struct study *study = fetch->study;
    int r = study_add(study, TROLLEY_LEVEL_INSTANCE, meta->series, meta->instance, meta->sop_class,
                      meta->transfer_syntax, ret_index);

    if (r == 0) report_expect(fetch->report, study_expect(study));
    return r;
}

/*
 * May the item fill this entry? Once, but for items beside each other: frames of one instance, and
 * a variant of what came as another. These are one more to expect.
 */
static bool claim_fits(const struct trolley_meta *meta, const struct entry *entry, uint16_t variant)
{
    if (entry->state == ENTRY_PENDING) return true;
    if (entry->state == ENTRY_IGNORED) return false;
    if (meta->frame) return true;
    return entry->state == ENTRY_DONE && entry->variant != variant;
}

uint32_t claim_entry(struct fetch *fetch, const struct trolley_meta *meta, uint32_t *ret_entry)
{
    struct study *study = fetch->study;
    uint32_t index = study_lookup(study, meta->instance);
    struct entry *entry;
    uint16_t variant;

    if (index == ENTRY_NONE) {
        if (!claim_wanted(fetch, meta->series)) return TROLLEY_OUTCOME_UNEXPECTED;
        if (claim_add(fetch, meta, &index) < 0) return TROLLEY_OUTCOME_FAILED;
        study->entries[index].flags |= ENTRY_UNASKED;
    }
    entry = &study->entries[index];
    variant = study_name(study, meta->variant);
    if (!claim_fits(meta, entry, variant)) {
        if (entry->request == fetch->request) return TROLLEY_OUTCOME_DUPLICATE;
        return claim_asked(fetch, index) ? TROLLEY_OUTCOME_SKIPPED : TROLLEY_OUTCOME_UNEXPECTED;
    }
    if (entry->state != ENTRY_PENDING) report_expect(fetch->report, 1);
    entry->state = ENTRY_ARRIVING;
    entry->request = fetch->request;
    entry->variant = variant;
    entry->arriving++;
    *ret_entry = index;
    return 0;
}

uint32_t claim_failed(struct fetch *fetch, const struct trolley_ref *ref)
{
    const struct trolley_meta meta = {
        .size = sizeof meta, .series = ref->series, .instance = ref->instance};
    uint32_t index = study_lookup(fetch->study, ref->instance);

    if (index != ENTRY_NONE || !ref->instance || !kit_uid_valid(ref->instance) || !ref->series ||
        !kit_uid_valid(ref->series) || !claim_wanted(fetch, ref->series))
        return index;
    return claim_add(fetch, &meta, &index) < 0 ? ENTRY_NONE : index;
}
