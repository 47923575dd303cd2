/*
 * answer.h: MINT's answers [http://medical.nema.org/mint] as a stream of nodes: a search answer
 * with whole studies in it (Vitrea Connection), a search answer that lists studies, and the summary
 * or metadata of one study (reference server).
 *
 * A study's own attributes may stand behind its series, a series' behind its instances. Nodes wait
 * for them, packed, up to ANSWER_HOLD bytes as long as what is wanted has come, else up to
 * ANSWER_HOLD_MOST. SPDX-License-Identifier: MIT
 */
#ifndef MINT_ANSWER_H
#define MINT_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "attributes.h"

#define ANSWER_HOLD ((size_t)256 << 10)
#define ANSWER_HOLD_MOST ((size_t)16 << 20)
#define ANSWER_DEPTH 64

/* Private attributes of a study that keep what MINT says beside DICOM's [PS3.5 7.8.1]. */
#define ANSWER_CREATOR "TROLLEY MINT"
#define ANSWER_TAG_CREATOR UINT32_C(0x00090010)
#define ANSWER_TAG_UUID UINT32_C(0x00091001)
#define ANSWER_TAG_MODIFIED UINT32_C(0x00091002)

enum answer_grammar {
    ANSWER_RESULTS, /* studySearchResults > study > series > instance, each with its attr */
    ANSWER_LIST,    /* studySearchResults > study@studyUUID */
    ANSWER_STUDY    /* study > attributes, seriesList > series > attributes, instances > ... */
};

#define ANSWER_SKIP 1 /* returned by study: leave this study out */

/* What happens with an answer. A negative return ends it with that status. */
struct answer_handler {
    /* ANSWER_LIST: a study of the list; uuid is "" when it has none. */
    int (*listed)(void *ctx, const char *uuid, const char *modified);
    /* A study's own attributes, its UID among them: before the first of its nodes. Returns 0,
     * ANSWER_SKIP or an error. */
    int (*study)(void *ctx, const struct attributes *study);
    /* A node of the level asked for, with those above it: study, series, normalised attributes,
     * instance. */
    int (*node)(void *ctx, const struct attributes *const *sets, uint32_t count);
};

/* Borrowed for the answer's life. */
struct answer_settings {
    enum answer_grammar grammar;
    uint32_t level;            /* of the nodes wanted */
    const uint32_t *wanted[3]; /* tags by level: what the nodes below wait for beside the UID */
    uint32_t wanted_count[3];
    const char *(*vr)(uint32_t tag); /* a dictionary's; may be NULL */
    bool identify;                   /* studies carry their UUID and lastModified */
    const char *uuid, *modified;     /* ANSWER_STUDY: from the list; may be NULL */
};

struct answer_counts {
    uint64_t studies;   /* that came */
    uint64_t nodes;     /* handed on */
    uint64_t no_uid;    /* nodes without a UID, left out */
    uint64_t malformed; /* attributes without a proper tag, left out */
    uint64_t late;      /* attributes that came behind nodes already handed on */
    uint64_t childless; /* studies without a node of the level */
};

struct answer;

/* Errors: NOMEM. */
int answer_new(const struct answer_settings *settings, const struct answer_handler *handler,
               void *ctx, struct answer **ret_answer);
void answer_free(struct answer *answer);

/* The next bytes. Errors: PROTOCOL, TOO_LARGE, NOMEM, or what the handler returned. */
int answer_push(struct answer *answer, const void *data, size_t length);
/* The end. Errors: TRUNCATED, and those of push. */
int answer_finish(struct answer *answer);

/* What was wrong, in words; NULL when it was the handler or memory. */
const char *answer_problem(const struct answer *answer);
const struct answer_counts *answer_counts(const struct answer *answer);

#endif
