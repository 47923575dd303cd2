/* SPDX-License-Identifier: MIT */
#include "core/cli/verdict.h"

#include <inttypes.h>

uint64_t counts_delivered(const struct trolley_counts *counts)
{
    return counts->stored + counts->skipped + counts->replaced;
}

uint64_t counts_done(const struct trolley_counts *counts)
{
    return counts_delivered(counts) + counts->missing + counts->failed + counts->ignored;
}

bool counts_verified(const struct trolley_counts *counts)
{
    return counts->verified && counts->unverified_studies == 0;
}

int bytes_text(struct kit_buffer *out, uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double size = (double)bytes;
    unsigned unit = 0;

    /* 1023.6 KiB would be printed as 1024 KiB. */
    while (unit < 6 && size >= (unit ? 1023.5 : 1024)) {
        size /= 1024;
        unit++;
    }
    return kit_buffer_printf(out, unit && size < 9.95 ? "%.1f %s" : "%.0f %s", size, units[unit]);
}

int seconds_text(struct kit_buffer *out, double seconds)
{
    uint64_t whole = seconds > 0 && seconds < 1e15 ? (uint64_t)(seconds + 0.5) : 0;

    if (seconds < 59.95) return kit_buffer_printf(out, "%.1f s", seconds > 0 ? seconds : 0);
    if (whole < 3600)
        return kit_buffer_printf(out, "%" PRIu64 " min %02" PRIu64 " s", whole / 60, whole % 60);
    return kit_buffer_printf(out, "%" PRIu64 " h %02" PRIu64 " min", whole / 3600,
                             whole % 3600 / 60);
}

static const char *verdict_word(int status, const struct trolley_counts *counts)
{
    switch (status) {
    case TROLLEY_OK:
        return counts_verified(counts) ? "complete" : "unverified";
    case TROLLEY_ERR_CANCELLED:
        return "cancelled";
    default:
        return counts_delivered(counts) ? "partial" : "failed";
    }
}

/* ", 3 replaced": only where there are any. */
static int verdict_extra(struct kit_buffer *out, uint64_t count, const char *word)
{
    return count ? kit_buffer_printf(out, ", %" PRIu64 " %s", count, word) : 0;
}

int verdict_text(struct kit_buffer *out, int status, const struct trolley_counts *counts)
{
    int r = kit_buffer_printf(out, "%s: %" PRIu64, verdict_word(status, counts),
                              counts_delivered(counts));

    /* Without a searcher nobody knows of how many. */
    if (r == 0 && (counts->expected || counts_verified(counts)))
        r = kit_buffer_printf(out, " of %" PRIu64, counts->expected);
    if (r == 0)
        r = kit_buffer_printf(out,
                              " instances (%" PRIu64 " stored, %" PRIu64 " skipped, %" PRIu64
                              " missing, %" PRIu64 " failed",
                              counts->stored, counts->skipped, counts->missing, counts->failed);
    if (r == 0) r = verdict_extra(out, counts->replaced, "replaced");
    if (r == 0) r = verdict_extra(out, counts->ignored, "ignored");
    if (r == 0) r = verdict_extra(out, counts->unexpected, "unexpected");
    if (r == 0) r = verdict_extra(out, counts->duplicate, "duplicate");
    if (r == 0) r = kit_buffer_text(out, "), ");
    if (r == 0) r = bytes_text(out, counts->bytes);
    if (r == 0) r = kit_buffer_text(out, " in ");
    return r < 0 ? r : seconds_text(out, counts->seconds);
}
