/* SPDX-License-Identifier: MIT */
#include "core/prefetch/expand.h"

#include <stdlib.h>
#include <string.h>
#include <trolley/helpers.h>

#include "core/model/error.h"
#include "core/prefetch/metadata.h"
#include "core/prefetch/pixels.h"
#include "core/retrieve/search.h"
#include "kit/uid.h"
#include "kit/uid_set.h"

#define EXPAND_MOST (UINT32_C(1) << 22) /* series of a study, instances of a series */

#define TAG_SOP_CLASS 0x00080016
#define TAG_INSTANCE 0x00080018
#define TAG_STUDY 0x0020000d
#define TAG_SERIES 0x0020000e
#define TAG_FRAMES 0x00280008
#define TAG_ROWS 0x00280010

/* An object that was named: a series, or an instance with what is known of its frames. */
struct found {
    char uid[KIT_UID_MAX + 1];
    bool rows, pictureless, asked_again;
    uint32_t frames; /* 0: not said */
};

/* What a search brought. */
struct find {
    const struct expansion *expansion;
    uint32_t level;
    const char *series, *instance; /* wanted; NULL any */
    struct found *items;
    uint32_t count, capacity;
    uint32_t next; /* where the next data set of the metadata is likely to be told of */
    struct kit_uid_set seen;
};

static void find_clear(struct find *find)
{
    free(find->items);
    kit_uid_set_free(&find->seen);
    find->items = NULL;
    find->count = find->capacity = 0;
    memset(&find->seen, 0, sizeof find->seen);
}

static struct found *find_add(struct find *find)
{
    uint32_t capacity = find->capacity ? find->capacity * 2 : 64;
    struct found *items;

    if (find->count == find->capacity) {
        if (capacity > EXPAND_MOST) return NULL;
        items = reallocarray(find->items, capacity, sizeof *items);
        if (!items) return NULL;
        find->items = items;
        find->capacity = capacity;
    }
    return memset(&find->items[find->count++], 0, sizeof *find->items);
}

static uint32_t find_number(const char *text)
{
    unsigned long number;
    char *end;

    if (!text) return 0;
    text += strspn(text, " ");
    if (*text < '0' || *text > '9') return 0;
    number = strtoul(text, &end, 10);
    return end[strspn(end, " ")] || number > UINT32_MAX ? 0 : (uint32_t)number;
}

/* The first value of each attribute that counts here. */
struct record_view {
    const char *study, *series, *instance, *sop_class, *frames, *rows;
};

static void record_read(const struct trolley_record *record, struct record_view *view)
{
    const struct {
        uint32_t tag;
        const char **text;
    } places[] = {{TAG_STUDY, &view->study},       {TAG_SERIES, &view->series},
                  {TAG_INSTANCE, &view->instance}, {TAG_SOP_CLASS, &view->sop_class},
                  {TAG_FRAMES, &view->frames},     {TAG_ROWS, &view->rows}};
    uint32_t i, k;

    memset(view, 0, sizeof *view);
    for (i = 0; i < record->elements.count; i++) {
        const struct trolley_element *element = trolley_span_at(&record->elements, i);

        for (k = 0; k < sizeof places / sizeof places[0]; k++)
            if (element->tag == places[k].tag)
                *places[k].text = trolley_span_text(&element->values, 0);
    }
}

/* Takes what the search's own checks let pass and is of the scope. */
static int32_t find_record(void *ctx, const struct trolley_record *record)
{
    struct find *find = ctx;
    const struct prefetch_scope *scope = find->expansion->scope;
    struct record_view view;
    const char *uid;
    struct found *found;
    bool fresh;
    int r;

    record_read(record, &view);
    uid = find->level == TROLLEY_LEVEL_SERIES ? view.series : view.instance;
    if (!view.study || !uid || strcmp(view.study, scope->study) != 0) return 0;
    if (find->series && (!view.series || strcmp(view.series, find->series) != 0)) return 0;
    if (find->instance && strcmp(uid, find->instance) != 0) return 0;
    if (!kit_uid_valid(uid)) return 0;
    r = kit_uid_set_add(&find->seen, uid, &fresh);
    if (r < 0 || !fresh) return r;
    found = find_add(find);
    if (!found) return find->count >= EXPAND_MOST / 2 ? TROLLEY_ERR_TOO_LARGE : TROLLEY_ERR_NOMEM;
    (void)snprintf(found->uid, sizeof found->uid, "%s", uid);
    found->frames = find_number(view.frames);
    found->rows = find_number(view.rows) > 0;
    found->pictureless = prefetch_without_pixels(view.sop_class);
    return 0;
}

/* How much is asked for at once; a searcher may not take the finer points. */
enum find_detail { FIND_ALL, FIND_NO_INSTANCE_KEY, FIND_PLAIN };

static int find_build(const struct find *find, uint32_t level, enum find_detail detail,
                      struct trolley_query_builder *query, struct trolley_error *error)
{
    static const char *const fields[] = {"SOPClassUID", "NumberOfFrames", "Rows"};
    const bool series = level == TROLLEY_LEVEL_SERIES;
    size_t i;
    int r = trolley_query_set_level(query, series ? "series" : "instance", error);

    if (r == 0) r = query_set_uid(query, TROLLEY_LEVEL_STUDY, find->expansion->scope->study, error);
    if (r == 0 && find->series) r = query_set_uid(query, TROLLEY_LEVEL_SERIES, find->series, error);
    if (r == 0 && find->instance && detail == FIND_ALL)
        r = query_set_uid(query, TROLLEY_LEVEL_INSTANCE, find->instance, error);
    for (i = 0; r == 0 && !series && detail != FIND_PLAIN && i < sizeof fields / sizeof fields[0];
         i++)
        r = trolley_query_include(query, fields[i], error);
    return r;
}

static int find_ask(struct find *find, uint32_t level, enum find_detail detail,
                    struct trolley_error *error)
{
    const struct expander *expander = &find->expansion->expander;
    const struct trolley_record_sink sink = {find, find_record};
    struct trolley_query_builder *query = NULL;
    struct search_counts counts = {0};
    int r = trolley_query_new(&query, error);

    if (r == 0) r = find_build(find, level, detail, query, error);
    if (r == 0)
        r = search_builder(expander->searcher, query, &sink, expander->task, &counts, error);
    trolley_query_free(query);
    if (r == 0 && counts.malformed)
        r = error_set(error, TROLLEY_ERR_PROTOCOL, "%s named objects without a valid UID",
                      expander->searcher->component->title);
    return r;
}

/* Asks until it is answered, in the most telling way that the searcher takes. */
static int find_run(struct find *find, uint32_t level)
{
    const struct expansion *expansion = find->expansion;
    enum find_detail detail = FIND_ALL;
    struct trolley_error error = {0};
    struct task_failure failure;
    uint32_t n = 0;
    int r;

    for (;;) {
        task_reset(expansion->expander.task);
        r = find_ask(find, level, detail, &error);
        if (r == 0) return 0;
        task_failure_of(expansion->expander.task, r, &failure);
        find_clear(find);
        if (expansion->cancel && atomic_load(expansion->cancel)) return TROLLEY_ERR_CANCELLED;
        if (r == TROLLEY_ERR_UNSUPPORTED_PARAM && detail < FIND_PLAIN)
            detail++;
        else if (!retry_wanted(&expansion->expander.patience, n++, &failure, expansion->cancel))
            break;
    }
    return error_set(expansion->error, r, "%s", error.message);
}

/* One request for URL i. */
static int expand_emit(struct expansion *expansion, uint32_t url, const char *series,
                       const char *instance, uint32_t frame)
{
    const enum prefetch_grain grain = expansion->exporter->urls[url].grain;
    struct prefetch_request request = {.url = url};
    int r;

    if (grain >= PREFETCH_GRAIN_STUDY) request.study = expansion->scope->study;
    if (grain >= PREFETCH_GRAIN_SERIES) request.series = series;
    if (grain >= PREFETCH_GRAIN_INSTANCE) request.instance = instance;
    request.frame = frame;
    if (expansion->cancel && atomic_load(expansion->cancel)) return TROLLEY_ERR_CANCELLED;
    r = expansion->emit(expansion->ctx, &request);
    if (r == 0) expansion->emitted++;
    return r;
}

/* The URLs of one grain, for one object. */
static int expand_grain(struct expansion *expansion, enum prefetch_grain grain, const char *series,
                        const char *instance, uint32_t frame)
{
    const struct prefetch_exporter *exporter = expansion->exporter;
    uint32_t i;
    int r = 0;

    for (i = 0; r == 0 && i < exporter->url_count; i++)
        if (exporter->urls[i].grain == grain)
            r = expand_emit(expansion, i, series, instance, frame);
    return r;
}

static enum prefetch_grain expand_finest(const struct prefetch_exporter *exporter)
{
    enum prefetch_grain finest = PREFETCH_GRAIN_ONE;
    uint32_t i;

    for (i = 0; i < exporter->url_count; i++)
        if (exporter->urls[i].grain > finest) finest = exporter->urls[i].grain;
    return finest;
}

static bool expand_has(const struct prefetch_exporter *exporter, enum prefetch_grain grain)
{
    uint32_t i;

    for (i = 0; i < exporter->url_count; i++)
        if (exporter->urls[i].grain == grain) return true;
    return false;
}

static int expand_frames(struct expansion *expansion, const char *series, const struct found *found,
                         uint32_t frames)
{
    uint32_t frame;
    int r = 0;

    for (frame = 1; r == 0 && frame <= frames && frame != 0; frame++)
        r = expand_grain(expansion, PREFETCH_GRAIN_FRAME, series, found->uid, frame);
    return r;
}

/* Can nothing be said yet of the frames of a series: some objects may have pixels or not, and the
 * server has not shown for any of it that it returns Rows? */
static bool expand_is_open(const struct find *find)
{
    bool open = false;
    uint32_t i;

    for (i = 0; i < find->count; i++) {
        if (find->items[i].rows) return false;
        open |= !find->items[i].pictureless && !find->items[i].frames;
    }
    return open;
}

/* What the metadata says of an instance; data sets come in the searcher's order, as a rule. */
static void expand_told(void *ctx, const struct metadata_view *view)
{
    struct find *find = ctx;
    uint32_t i, at;

    for (i = 0; i < find->count; i++) {
        at = (find->next + i) % find->count;
        if (strcmp(find->items[at].uid, view->instance) != 0) continue;
        find->next = at + 1;
        if (!find->items[at].frames) find->items[at].frames = view->frames;
        find->items[at].rows = view->image;
        find->items[at].pictureless |= !view->image;
        return;
    }
}

static void expand_ask_metadata(struct expansion *expansion, const char *series, struct find *find)
{
    struct task *task = expansion->expander.task;
    struct trolley_error error = {0};
    int r;

    if (!expansion->metadata || !expand_is_open(find)) return;
    r = metadata_ask(expansion->metadata, expansion->scope->study, series, expand_told, find, task);
    if (r < 0) (void)task_error(task, r, &error);
    if (r < 0)
        trolley_note(&task->abi, TROLLEY_LOG_WARNING, 0, NULL, "metadata of series %s: %s", series,
                     error.message);
}

/* The frames of an instance: 0 when it has no pixels. */
static uint32_t expand_count(struct expansion *expansion, const struct found *found)
{
    if (found->pictureless) {
        expansion->pictureless++;
        return 0;
    }
    if (found->frames) return found->frames;
    if (found->rows || !expansion->rows_seen) return 1;
    expansion->rowless++;
    return 0;
}

static void expand_note_unknown(const struct expansion *expansion, const char *series)
{
    trolley_note(&expansion->expander.task->abi, TROLLEY_LOG_WARNING, 0, NULL,
                 "frames unknown: the server returns no Rows and no NumberOfFrames for series %s; "
                 "each object counts as one frame",
                 series);
}

/* The frames of a series, whose instances are in `find`. */
static int expand_series_frames(struct expansion *expansion, const char *series,
                                const struct find *find)
{
    uint32_t i;
    int r = 0;

    if (expand_is_open(find) && !expansion->rows_seen) expand_note_unknown(expansion, series);
    for (i = 0; r == 0 && i < find->count; i++)
        r = expand_frames(expansion, series, &find->items[i],
                          expand_count(expansion, &find->items[i]));
    return r;
}

static int expand_instances(struct expansion *expansion, const char *series, struct find *find)
{
    find->expansion = expansion;
    find->level = TROLLEY_LEVEL_INSTANCE;
    find->series = series;
    find->instance = expansion->scope->instance;
    if (!(expansion->expander.levels & TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_INSTANCE)))
        return error_set(expansion->error, TROLLEY_ERR_UNSUPPORTED,
                         "[exporter %s]: %s cannot name instances", expansion->exporter->id,
                         expansion->expander.searcher
                             ? expansion->expander.searcher->component->title
                             : "without a searcher, nothing");
    return find_run(find, TROLLEY_LEVEL_INSTANCE);
}

/* One series but for the frames that must wait: *ret_open then. */
static int expand_series(struct expansion *expansion, const char *series, bool *ret_open)
{
    const enum prefetch_grain finest = expand_finest(expansion->exporter);
    const char *only = expansion->scope->instance;
    struct find find = {0};
    uint32_t i;
    int r = expand_grain(expansion, PREFETCH_GRAIN_SERIES, series, NULL, 0);

    *ret_open = false;
    if (r < 0 || finest < PREFETCH_GRAIN_INSTANCE) return r;
    if (only && finest == PREFETCH_GRAIN_INSTANCE) {
        expansion->instances++;
        return expand_grain(expansion, PREFETCH_GRAIN_INSTANCE, series, only, 0);
    }
    r = expand_instances(expansion, series, &find);
    if (r == 0) expansion->instances += find.count;
    if (r == 0 && finest == PREFETCH_GRAIN_FRAME) expand_ask_metadata(expansion, series, &find);
    for (i = 0; r == 0 && i < find.count; i++) {
        expansion->rows_seen |= find.items[i].rows;
        r = expand_grain(expansion, PREFETCH_GRAIN_INSTANCE, series, find.items[i].uid, 0);
    }
    if (r == 0 && expand_has(expansion->exporter, PREFETCH_GRAIN_FRAME)) {
        *ret_open = expand_is_open(&find);
        if (!*ret_open) r = expand_series_frames(expansion, series, &find);
    }
    find_clear(&find);
    return r;
}

/* A series whose frames had to wait for what the others showed. */
static int expand_waiting(struct expansion *expansion, const char *series)
{
    struct find find = {0};
    int r = expand_instances(expansion, series, &find);

    if (r == 0) r = expand_series_frames(expansion, series, &find);
    find_clear(&find);
    return r;
}

/* The series of the study; by its instances, where the searcher does not return series. */
static int expand_list(struct expansion *expansion, struct find *find)
{
    const uint32_t levels = expansion->expander.levels;

    find->expansion = expansion;
    find->level = TROLLEY_LEVEL_SERIES;
    if (levels & TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_SERIES))
        return find_run(find, TROLLEY_LEVEL_SERIES);
    if (levels & TROLLEY_LEVEL_BIT(TROLLEY_LEVEL_INSTANCE))
        return find_run(find, TROLLEY_LEVEL_INSTANCE);
    return error_set(expansion->error, TROLLEY_ERR_UNSUPPORTED,
                     "[exporter %s]: %s cannot name series", expansion->exporter->id,
                     expansion->expander.searcher ? expansion->expander.searcher->component->title
                                                  : "without a searcher, nothing");
}

static int expand_study(struct expansion *expansion)
{
    struct find list = {0};
    uint32_t i;
    int r = expand_list(expansion, &list);

    for (i = 0; r == 0 && i < list.count; i++)
        r = expand_series(expansion, list.items[i].uid, &list.items[i].asked_again);
    for (i = 0; r == 0 && i < list.count; i++)
        if (list.items[i].asked_again) r = expand_waiting(expansion, list.items[i].uid);
    find_clear(&list);
    return r;
}

int expansion_run(struct expansion *expansion)
{
    const enum prefetch_grain finest = expand_finest(expansion->exporter);
    const char *series = expansion->scope->series;
    bool open = false;
    int r = expand_grain(expansion, PREFETCH_GRAIN_ONE, NULL, NULL, 0);

    if (r == 0) r = expand_grain(expansion, PREFETCH_GRAIN_STUDY, NULL, NULL, 0);
    if (r < 0 || finest < PREFETCH_GRAIN_SERIES) return r;
    if (!series) return expand_study(expansion);
    r = expand_series(expansion, series, &open);
    return r == 0 && open ? expand_waiting(expansion, series) : r;
}
