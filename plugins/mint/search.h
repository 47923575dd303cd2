/* search.h: a query into requests, answers into records. SPDX-License-Identifier: MIT */
#ifndef MINT_SEARCH_H
#define MINT_SEARCH_H

#include <kit/uid_set.h>
#include <trolley/searcher.h>

#include "page.h"
#include "request.h"

/* One thread's instance. */
struct mint {
    const struct trolley_host *host;
    struct page_source source;
    struct request_style style;
    const char *(*vr)(uint32_t tag);
    bool include_warns; /* include_check = warn */
    bool client_filter;
    uint64_t page_size;
    struct record_builder *builder;
};

/* What the user must be told at the end. */
struct search_remarks {
    uint64_t dropped;  /* studies that do not match the query */
    uint64_t undated;  /* without a StudyDate although a range was asked for */
    uint64_t gone;     /* 404 or 410 on a listed study */
    uint64_t refused;  /* UUIDs that cannot stand in a URL */
    uint64_t repeated; /* pages without a new study */
};

/* One find in progress. */
struct search {
    struct mint *mint;
    const struct trolley_query *query;
    const struct trolley_record_sink *sink;
    struct trolley_task *task;
    uint32_t *choice;        /* for each key: which of its values goes along */
    uint64_t limit;          /* most studies, UINT64_MAX for all */
    uint64_t studies;        /* delivered */
    bool enough;             /* the limit is reached: the request in progress may end */
    struct kit_uid_set seen; /* studies, by UID or UUID */
    struct answer_counts counts;
    struct search_remarks remarks;
};

/* A study's UID and date against the query. Counts and returns false for one to be left out. */
bool search_study_matches(struct search *search, const struct attributes *study);

/* Adds what an answer counted. */
void search_count(struct search *search, const struct answer *answer);

/* The reference dialect: pages of UUIDs, then each study by itself. */
int reference_run(struct search *search);
/* Rules of the reference dialect beyond the tables. */
int reference_check(const struct mint *mint, const struct trolley_query *query,
                    struct trolley_task *task);

/* The operations of a searcher. */
int32_t mint_find(void *self, const struct trolley_query *query,
                  const struct trolley_record_sink *sink, struct trolley_task *task);
int32_t mint_check(void *self, const struct trolley_query *query, struct trolley_task *task);
int32_t mint_ping(void *self, struct trolley_task *task);

#endif
