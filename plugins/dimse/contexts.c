/* SPDX-License-Identifier: MIT */
#include "contexts.h"

#include <stdio.h>
#include <string.h>

#define EXPLICIT_LITTLE "1.2.840.10008.1.2.1"
#define IMPLICIT_LITTLE "1.2.840.10008.1.2"
#define EXPLICIT_BIG "1.2.840.10008.1.2.2"
#define DEFLATED "1.2.840.10008.1.2.1.99"
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Every transfer syntax that a file may be stored in, the likeliest first [PS3.6 A]. Not those of
 * JPIP and SMPTE ST 2110, whose pixels are elsewhere. */
static const char *const all_syntaxes[] = {
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    DEFLATED,
    EXPLICIT_BIG,
    "1.2.840.10008.1.2.4.50",    /* JPEG Baseline */
    "1.2.840.10008.1.2.4.51",    /* JPEG Extended */
    "1.2.840.10008.1.2.4.57",    /* JPEG Lossless */
    "1.2.840.10008.1.2.4.70",    /* JPEG Lossless SV1 */
    "1.2.840.10008.1.2.4.80",    /* JPEG-LS Lossless */
    "1.2.840.10008.1.2.4.81",    /* JPEG-LS */
    "1.2.840.10008.1.2.4.90",    /* JPEG 2000 Lossless */
    "1.2.840.10008.1.2.4.91",    /* JPEG 2000 */
    "1.2.840.10008.1.2.5",       /* RLE */
    "1.2.840.10008.1.2.4.100",   /* MPEG2 Main Profile, Main Level */
    "1.2.840.10008.1.2.4.101",   /* MPEG2 Main Profile, High Level */
    "1.2.840.10008.1.2.4.102",   /* MPEG-4 AVC High Profile */
    "1.2.840.10008.1.2.4.103",   /* MPEG-4 AVC BD-compatible */
    "1.2.840.10008.1.2.4.201",   /* HTJ2K Lossless */
    "1.2.840.10008.1.2.4.202",   /* HTJ2K Lossless RPCL */
    "1.2.840.10008.1.2.4.203",   /* HTJ2K */
    "1.2.840.10008.1.2.4.104",   /* MPEG-4 AVC High Profile 4.2, 2D */
    "1.2.840.10008.1.2.4.105",   /* MPEG-4 AVC High Profile 4.2, 3D */
    "1.2.840.10008.1.2.4.106",   /* MPEG-4 AVC Stereo High Profile */
    "1.2.840.10008.1.2.4.107",   /* HEVC Main Profile */
    "1.2.840.10008.1.2.4.108",   /* HEVC Main 10 Profile */
    "1.2.840.10008.1.2.1.98",    /* Encapsulated Uncompressed */
    "1.2.840.10008.1.2.8.1",     /* Deflated Image Frame Compression */
    "1.2.840.10008.1.2.4.110",   /* JPEG XL Lossless */
    "1.2.840.10008.1.2.4.111",   /* JPEG XL JPEG Recompression */
    "1.2.840.10008.1.2.4.112",   /* JPEG XL */
    "1.2.840.10008.1.2.4.92",    /* JPEG 2000 Part 2 Lossless */
    "1.2.840.10008.1.2.4.93",    /* JPEG 2000 Part 2 */
    "1.2.840.10008.1.2.4.100.1", /* as .100 to .106, fragmentable */
    "1.2.840.10008.1.2.4.101.1",
    "1.2.840.10008.1.2.4.102.1",
    "1.2.840.10008.1.2.4.103.1",
    "1.2.840.10008.1.2.4.104.1",
    "1.2.840.10008.1.2.4.105.1",
    "1.2.840.10008.1.2.4.106.1",
    "1.2.840.10008.1.2.4.53", /* JPEG Spectral Selection, retired */
    "1.2.840.10008.1.2.4.55", /* JPEG Full Progression, retired */
};

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
static const char *const new_image_syntaxes[] = {
    "1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202", "1.2.840.10008.1.2.4.203"};

/* What holds video, and how [PS3.5 8.2.5 to 8.2.13]. */
static const char *const video_classes[] = {
    "1.2.840.10008.5.1.4.1.1.77.1.1.1", /* Video Endoscopic */
    "1.2.840.10008.5.1.4.1.1.77.1.4.1", /* Video Photographic */
    "1.2.840.10008.5.1.4.1.1.77.1.2.1", /* Video Microscopic */
    "1.2.840.10008.5.1.4.1.1.3.1",      /* Ultrasound Multi-frame */
    "1.2.840.10008.5.1.4.1.1.7.4",      /* Multi-frame True Color Secondary Capture */
};
static const char *const video_syntaxes[] = {
    "1.2.840.10008.1.2.4.102", "1.2.840.10008.1.2.4.103", "1.2.840.10008.1.2.4.100",
    "1.2.840.10008.1.2.4.101", "1.2.840.10008.1.2.4.104", "1.2.840.10008.1.2.4.107",
    "1.2.840.10008.1.2.4.108", "1.2.840.10008.1.2.4.106", "1.2.840.10008.1.2.4.105",
};

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

/* The part of all syntaxes that a round offers: as many as there is room for, for each class, when
 * the one that is known to be stored goes first. */
static size_t syntaxes_a_round(size_t count)
{
    return (DIMSE_CONTEXTS_MAX - 1 - count) / count;
}

bool contexts_exact(struct contexts *contexts, const char *const *classes, size_t count,
                    const char *syntax, unsigned round)
{
    const size_t most = syntaxes_a_round(count), from = round * most;
    size_t i, j;

    if (from >= COUNT(all_syntaxes)) return false;
    start(contexts);
    contexts->round = round;
    (void)snprintf(contexts->first_syntax, sizeof contexts->first_syntax, "%s",
                   syntax ? syntax : "");
    for (i = 0; i < count && i < CONTEXTS_CLASSES; i++) {
        char *own = contexts->classes[contexts->class_count++];

        (void)snprintf(own, sizeof contexts->classes[0], "%s", classes[i]);
        if (syntax) offer(contexts, own, contexts->first_syntax);
        for (j = from; j < from + most && j < COUNT(all_syntaxes); j++)
            offer(contexts, own, all_syntaxes[j]);
    }
    for (i = 0; contexts_common_class(i); i++)
        offer(contexts, contexts_common_class(i), EXPLICIT_LITTLE);
    for (i = 0; contexts_common_class(i); i++)
        offer(contexts, contexts_common_class(i), IMPLICIT_LITTLE);
    return true;
}

static const char *image_class(size_t i)
{
    return i < COUNT(image_classes) ? image_classes[i] : NULL;
}

static const char *video_class(size_t i)
{
    return i < COUNT(video_classes) ? video_classes[i] : NULL;
}

static bool is_common(const char *sop_class)
{
    size_t i;

    for (i = 0; contexts_common_class(i); i++)
        if (strcmp(contexts_common_class(i), sop_class) == 0) return true;
    return false;
}

static const char *const explicit_little[] = {EXPLICIT_LITTLE};
static const char *const implicit_little[] = {IMPLICIT_LITTLE};
static const char *const rare_syntaxes[] = {DEFLATED, EXPLICIT_BIG};

/* All pairs of a class and a syntax that are offered where nobody knows the classes, the likeliest
 * first. */
static const struct pairs {
    const char *(*class_at)(size_t i); /* NULL past the end */
    bool not_common;                   /* of these the others */
    const char *const *syntaxes;
    size_t count;
} broad[] = {
    {contexts_common_class, false, explicit_little, COUNT(explicit_little)},
    {contexts_common_class, false, implicit_little, COUNT(implicit_little)},
    {image_class, false, image_syntaxes, COUNT(image_syntaxes)},
    {contexts_any_class, true, explicit_little, COUNT(explicit_little)},
    {video_class, false, video_syntaxes, COUNT(video_syntaxes)},
    {contexts_any_class, true, implicit_little, COUNT(implicit_little)},
    {image_class, false, new_image_syntaxes, COUNT(new_image_syntaxes)},
    {contexts_common_class, false, rare_syntaxes, COUNT(rare_syntaxes)},
};

/* All but the first *skip, of which what it skips is taken off. */
static void offer_pairs(struct contexts *contexts, const struct pairs *pairs, size_t *skip)
{
    const char *sop_class;
    size_t i, j;

    for (i = 0; (sop_class = pairs->class_at(i)); i++) {
        if (pairs->not_common && is_common(sop_class)) continue;
        for (j = 0; j < pairs->count; j++)
            if (*skip)
                --*skip;
            else
                offer(contexts, sop_class, pairs->syntaxes[j]);
    }
}

bool contexts_broad(struct contexts *contexts, unsigned round)
{
    size_t skip = round * (DIMSE_CONTEXTS_MAX - (size_t)1), i;

    start(contexts);
    contexts->round = round;
    for (i = 0; i < COUNT(broad); i++)
        offer_pairs(contexts, &broad[i], &skip);
    return contexts->count > 1;
}
