/* SPDX-License-Identifier: MIT */
#include "contexts.h"

#include <stdio.h>
#include <string.h>

#define EXPLICIT_LITTLE "1.2.840.10008.1.2.1"
#define IMPLICIT_LITTLE "1.2.840.10008.1.2"
#define DEFLATED "1.2.840.10008.1.2.1.99"

/* Every transfer syntax that a file may be stored in [PS3.6 A]. */
static const char *const all_syntaxes[] = {
    EXPLICIT_LITTLE,           IMPLICIT_LITTLE, DEFLATED,
    "1.2.840.10008.1.2.2",     /* Explicit VR Big Endian */
    "1.2.840.10008.1.2.4.50",  /* JPEG Baseline */
    "1.2.840.10008.1.2.4.51",  /* JPEG Extended */
    "1.2.840.10008.1.2.4.57",  /* JPEG Lossless */
    "1.2.840.10008.1.2.4.70",  /* JPEG Lossless SV1 */
    "1.2.840.10008.1.2.4.80",  /* JPEG-LS Lossless */
    "1.2.840.10008.1.2.4.81",  /* JPEG-LS */
    "1.2.840.10008.1.2.4.90",  /* JPEG 2000 Lossless */
    "1.2.840.10008.1.2.4.91",  /* JPEG 2000 */
    "1.2.840.10008.1.2.5",     /* RLE */
    "1.2.840.10008.1.2.4.100", /* MPEG2 Main Profile, Main Level */
    "1.2.840.10008.1.2.4.101", /* MPEG2 Main Profile, High Level */
    "1.2.840.10008.1.2.4.102", /* MPEG-4 AVC High Profile */
    "1.2.840.10008.1.2.4.103", /* MPEG-4 AVC BD-compatible */
    "1.2.840.10008.1.2.4.201", /* HTJ2K Lossless */
    "1.2.840.10008.1.2.4.202", /* HTJ2K Lossless RPCL */
    "1.2.840.10008.1.2.4.203", /* HTJ2K */
};
#define SYNTAXES (sizeof all_syntaxes / sizeof all_syntaxes[0])

/* Images that are often stored compressed, and how. */
static const char *const image_classes[] = {
    "1.2.840.10008.5.1.4.1.1.2",        /* CT */
    "1.2.840.10008.5.1.4.1.1.4",        /* MR */
    "1.2.840.10008.5.1.4.1.1.7",        /* Secondary Capture */
    "1.2.840.10008.5.1.4.1.1.6.1",      /* Ultrasound */
    "1.2.840.10008.5.1.4.1.1.3.1",      /* Ultrasound Multi-frame */
    "1.2.840.10008.5.1.4.1.1.1",        /* Computed Radiography */
    "1.2.840.10008.5.1.4.1.1.1.1",      /* Digital X-Ray */
    "1.2.840.10008.5.1.4.1.1.1.2",      /* Mammography */
    "1.2.840.10008.5.1.4.1.1.12.1",     /* X-Ray Angiography */
    "1.2.840.10008.5.1.4.1.1.20",       /* Nuclear Medicine */
    "1.2.840.10008.5.1.4.1.1.128",      /* PET */
    "1.2.840.10008.5.1.4.1.1.2.1",      /* Enhanced CT */
    "1.2.840.10008.5.1.4.1.1.4.1",      /* Enhanced MR */
    "1.2.840.10008.5.1.4.1.1.77.1.4",   /* VL Photographic */
    "1.2.840.10008.5.1.4.1.1.77.1.1",   /* VL Endoscopic */
    "1.2.840.10008.5.1.4.1.1.77.1.5.1", /* Ophthalmic Photography */
};
static const char *const image_syntaxes[] = {
    "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.5",    "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.91",
    "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.81",
};
#define IMAGES (sizeof image_classes / sizeof image_classes[0])
#define IMAGE_SYNTAXES (sizeof image_syntaxes / sizeof image_syntaxes[0])

static bool offered(const struct contexts *contexts, const char *sop_class, const char *syntax)
{
    size_t i;

    for (i = 0; i < contexts->count; i++)
        if (contexts->items[i].syntax && strcmp(contexts->items[i].sop_class, sop_class) == 0 &&
            strcmp(contexts->items[i].syntax, syntax) == 0)
            return true;
    return false;
}

static void offer(struct contexts *contexts, const char *sop_class, const char *syntax)
{
    if (contexts->count == DIMSE_CONTEXTS_MAX || offered(contexts, sop_class, syntax)) return;
    contexts->items[contexts->count++] = (struct dimse_context){sop_class, syntax, true, false};
}

static void start(struct contexts *contexts)
{
    memset(contexts, 0, sizeof *contexts);
    contexts->items[contexts->count++] =
        (struct dimse_context){UID_STUDY_ROOT_GET, NULL, false, false};
}

bool contexts_cover(const struct contexts *contexts, const char *const *classes, size_t count)
{
    size_t i, j;

    for (i = 0; i < count; i++) {
        for (j = 0; j < contexts->class_count; j++)
            if (strcmp(contexts->classes[j], classes[i]) == 0) break;
        if (j == contexts->class_count) return false;
    }
    return true;
}

void contexts_exact(struct contexts *contexts, const char *const *classes, size_t count,
                    const char *syntax)
{
    size_t i, j;

    start(contexts);
    (void)snprintf(contexts->first_syntax, sizeof contexts->first_syntax, "%s",
                   syntax ? syntax : "");
    for (i = 0; i < count && i < CONTEXTS_CLASSES; i++) {
        char *own = contexts->classes[contexts->class_count++];

        (void)snprintf(own, sizeof contexts->classes[0], "%s", classes[i]);
        if (syntax) offer(contexts, own, contexts->first_syntax);
        for (j = 0; j < SYNTAXES; j++)
            offer(contexts, own, all_syntaxes[j]);
    }
    for (i = 0; contexts_common_class(i); i++)
        offer(contexts, contexts_common_class(i), EXPLICIT_LITTLE);
    for (i = 0; contexts_common_class(i); i++)
        offer(contexts, contexts_common_class(i), IMPLICIT_LITTLE);
}

static bool is_common(const char *sop_class)
{
    size_t i;

    for (i = 0; contexts_common_class(i); i++)
        if (strcmp(contexts_common_class(i), sop_class) == 0) return true;
    return false;
}

/* Goes through all pairs of a class and a syntax, in order of likelihood, and offers those of one
 * round. */
struct round {
    struct contexts *contexts;
    size_t skip;
};

static void round_offer(struct round *round, const char *sop_class, const char *syntax)
{
    if (round->skip)
        round->skip--;
    else
        offer(round->contexts, sop_class, syntax);
}

bool contexts_broad(struct contexts *contexts, unsigned number)
{
    struct round round = {contexts, number * (DIMSE_CONTEXTS_MAX - (size_t)1)};
    size_t i, j;

    start(contexts);
    contexts->round = number;
    for (i = 0; contexts_common_class(i); i++)
        round_offer(&round, contexts_common_class(i), EXPLICIT_LITTLE);
    for (i = 0; contexts_common_class(i); i++)
        round_offer(&round, contexts_common_class(i), IMPLICIT_LITTLE);
    for (i = 0; i < IMAGES; i++)
        for (j = 0; j < IMAGE_SYNTAXES; j++)
            round_offer(&round, image_classes[i], image_syntaxes[j]);
    for (i = 0; contexts_any_class(i); i++)
        if (!is_common(contexts_any_class(i)))
            round_offer(&round, contexts_any_class(i), EXPLICIT_LITTLE);
    for (i = 0; contexts_common_class(i); i++)
        round_offer(&round, contexts_common_class(i), DEFLATED);
    return contexts->count > 1;
}
