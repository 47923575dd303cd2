/* SPDX-License-Identifier: MIT */
#include "core/cli/progress.h"

#include <inttypes.h>
#include <string.h>

#include "core/cli/verdict.h"

#define PROGRESS_PLAIN 5.0  /* seconds between plain lines */
#define PROGRESS_SMOOTH 0.3 /* weight of a second's worth of the newest rate */
#define PROGRESS_BAR_MAX 40

void progress_sample(struct progress *progress, const struct trolley_counts *counts)
{
    double passed = counts->seconds - progress->seconds, weight;
    uint64_t done = counts_done(counts);

    if (passed < 0.2) return;
    weight = progress->seconds > 0 ? PROGRESS_SMOOTH * (passed < 1 ? passed : 1) : 1;
    progress->byte_rate +=
        weight * ((double)(counts->bytes - progress->bytes) / passed - progress->byte_rate);
    progress->instance_rate +=
        weight * ((double)(done - progress->done) / passed - progress->instance_rate);
    progress->seconds = counts->seconds;
    progress->bytes = counts->bytes;
    progress->done = done;
}

static int progress_numbers(struct kit_buffer *out, const struct progress *progress,
                            const struct trolley_counts *counts)
{
    uint64_t done = counts_done(counts), lost = counts->missing + counts->failed;
    int r = kit_buffer_printf(out, "%" PRIu64, done);

    if (r == 0 && counts->expected) r = kit_buffer_printf(out, " of %" PRIu64, counts->expected);
    if (r == 0) r = kit_buffer_text(out, " instances, ");
    if (r == 0 && lost) r = kit_buffer_printf(out, "%" PRIu64 " missing or failed, ", lost);
    if (r == 0) r = bytes_text(out, counts->bytes);
    if (r == 0) r = kit_buffer_text(out, ", ");
    if (r == 0) r = bytes_text(out, progress->byte_rate > 0 ? (uint64_t)progress->byte_rate : 0);
    if (r == 0) r = kit_buffer_text(out, "/s");
    if (r == 0 && counts->expected > done && progress->instance_rate > 1e-6) {
        r = kit_buffer_text(out, ", ");
        if (r == 0)
            r = seconds_text(out, (double)(counts->expected - done) / progress->instance_rate);
        if (r == 0) r = kit_buffer_text(out, " left");
    }
    return r;
}

int progress_text(struct kit_buffer *out, const struct progress *progress,
                  const struct trolley_counts *counts, unsigned width)
{
    struct kit_buffer numbers = {0};
    uint64_t done = counts_done(counts);
    size_t room, i, full;
    int r = progress_numbers(&numbers, progress, counts);

    if (r < 0) goto out;
    room = width > numbers.length + 4 ? width - numbers.length - 4 : 0;
    if (room > PROGRESS_BAR_MAX) room = PROGRESS_BAR_MAX;
    if (counts->expected && room >= 5) {
        full = done < counts->expected
                   ? (size_t)((double)done / (double)counts->expected * (double)room)
                   : room;
        r = kit_buffer_text(out, "[");
        for (i = 0; r == 0 && i < room; i++)
            r = kit_buffer_text(out, i < full ? "#" : "-");
        if (r == 0) r = kit_buffer_text(out, "] ");
    }
    if (width && numbers.length >= width) numbers.length = width - 1;
    if (r == 0) r = kit_buffer_append(out, numbers.data, numbers.length);
out:
    kit_buffer_free(&numbers);
    return r;
}

void progress_show(struct progress *progress, const struct trolley_counts *counts)
{
    struct console *console = progress->console;
    bool bar = console->terminal && !console->json;

    if (console->quiet) return;
    progress_sample(progress, counts);
    if (!bar && counts->seconds - progress->shown < PROGRESS_PLAIN) return;
    progress->shown = counts->seconds;
    kit_buffer_reset(&progress->text);
    if (progress_text(&progress->text, progress, counts, bar ? console_width(console->fd, 80) : 0) <
        0)
        return;
    if (bar)
        console_bar(console, progress->text.data);
    else
        console_note(console, "%s", progress->text.data);
}

void progress_end(struct progress *progress)
{
    console_bar(progress->console, "");
    kit_buffer_free(&progress->text);
}
