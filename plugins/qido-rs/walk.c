/* The hierarchy walked from level to level, for servers without relational queries.
 * SPDX-License-Identifier: MIT */
#include <kit/uid.h>
#include <stdlib.h>
#include <trolley/helpers.h>

#include "plugins/dataset/attribute.h"
#include "pages.h"
#include "search.h"

#define WALK_PAGE 100                 /* parents of a page, unless the section says otherwise */
#define WALK_PARENTS 10000            /* most parents kept at once: a server may ignore limit */
#define WALK_BYTES ((size_t)16 << 20) /* and most bytes of their answers */

/* One level of the walk: the parents of a page, kept until the page has ended. */
struct walk {
    struct search *search;
    uint32_t level;
    struct record_above above;
    struct kit_dicom_json **parents;
    size_t count, capacity, bytes;
};

static int walk_level(struct search *search, uint32_t level, const struct record_above *above);

static void walk_clear(struct walk *walk)
{
    while (walk->count)
        kit_dicom_json_free(walk->parents[--walk->count]);
    walk->bytes = 0;
}

/* One more parent, taken over whatever is returned. */
static int walk_keep(void *ctx, struct kit_dicom_json *object, size_t length)
{
    struct walk *walk = ctx;

    walk->bytes += length;
    if (walk->count == WALK_PARENTS || walk->bytes > WALK_BYTES) {
        kit_dicom_json_free(object);
        return trolley_fail(walk->search->task, TROLLEY_ERR_TOO_LARGE,
                            "the server ignores limit: too many answers at once to walk through");
    }
    if (walk->count == walk->capacity) {
        size_t capacity = walk->capacity ? walk->capacity * 2 : 64;
        struct kit_dicom_json **parents = realloc(walk->parents, capacity * sizeof *walk->parents);

        if (!parents) {
            kit_dicom_json_free(object);
            return TROLLEY_ERR_NOMEM;
        }
        walk->parents = parents;
        walk->capacity = capacity;
    }
    walk->parents[walk->count++] = object;
    return 0;
}

/* Goes down into each parent of the page. */
static int walk_descend(void *ctx)
{
    struct walk *walk = ctx;
    size_t i;
    int r = 0;

    for (i = 0; r == 0 && i < walk->count; i++) {
        struct record_above above = walk->above;
        const char *uid = kit_dicom_json_text(walk->parents[i], attribute_uid(walk->level));

        if (!uid || !kit_uid_valid(uid)) {
            trolley_note(walk->search->task, TROLLEY_LOG_WARNING, 0, NULL,
                         "an answer without a valid UID was dropped on the way down");
            continue;
        }
        if (walk->level == TROLLEY_LEVEL_STUDY) {
            above.study = uid;
            above.study_object = walk->parents[i];
        } else {
            above.series = uid;
            above.series_object = walk->parents[i];
        }
        r = walk_level(walk->search, walk->level + 1, &above);
    }
    walk_clear(walk);
    return r;
}

static int walk_deliver(void *ctx, struct kit_dicom_json *object, size_t length)
{
    struct walk *walk = ctx;

    (void)length;
    return search_deliver(walk->search, object, &walk->above);
}

static int walk_level(struct search *search, uint32_t level, const struct record_above *above)
{
    bool last = level == search->query->level;
    struct walk walk = {.search = search, .level = level, .above = *above};
    struct kit_uid_set parents_seen = {0};
    const struct request request = {
        .style = &search->qido->style,
        .query = search->query,
        .choice = search->choice,
        .level = level,
        .study = above->study,
        .series = above->series,
        .step = true,
    };
    struct pages pages = {
        .source = &search->qido->source,
        .request = &request,
        .task = search->task,
        .seen = last ? &search->seen : &parents_seen,
        .page_size = search->qido->page_size,
        .most = UINT64_MAX,
        .object = last ? walk_deliver : walk_keep,
        .page_end = last ? NULL : walk_descend,
        .ctx = &walk,
    };
    int r;

    if (!last && pages.page_size == 0) pages.page_size = WALK_PAGE;
    r = pages_run(&pages);
    walk_clear(&walk);
    free(walk.parents);
    kit_uid_set_free(&parents_seen);
    return r;
}

int walk_run(struct search *search, uint32_t from)
{
    struct record_above above = {0};
    uint32_t level;
    bool narrowed = search_uid(search, TROLLEY_LEVEL_STUDY) != NULL, deeper = false;

    for (level = TROLLEY_LEVEL_STUDY; level <= search->query->level; level++) {
        if (level == TROLLEY_LEVEL_STUDY)
            narrowed = narrowed || search_asks_level(search, level, true);
        else
            deeper = deeper || search_asks_level(search, level, true) || search_uid(search, level);
    }
    if (deeper && !narrowed)
        return trolley_fail(search->task, TROLLEY_ERR_UNSUPPORTED_PARAM,
                            "the server answers no queries across the hierarchy, and going through "
                            "all its studies is no way to find these: give StudyInstanceUID or "
                            "another key of the study too");
    if (from > TROLLEY_LEVEL_STUDY) above.study = search_uid(search, TROLLEY_LEVEL_STUDY);
    if (from > TROLLEY_LEVEL_SERIES) above.series = search_uid(search, TROLLEY_LEVEL_SERIES);
    return walk_level(search, from, &above);
}
