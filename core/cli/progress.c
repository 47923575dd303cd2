/* SPDX-License-Identifier: MIT */
#include "core/cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <kit/text.h>

#include "core/cli/table.h"
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

int progress_worker_text(struct kit_buffer *out, const struct trolley_worker *worker)
{
    const struct trolley_ref *ref = worker->ref;
    const char *level = ref && ref->instance ? "instance" : ref && ref->series ? "series" : "study";
    const char *uid = !ref            ? NULL
                      : ref->instance ? ref->instance
                      : ref->series   ? ref->series
                                      : ref->study;
    int r;

    if (!worker->downloader) return kit_buffer_text(out, "waits");
    r = kit_text_escape(out, worker->downloader, strlen(worker->downloader));
    if (r == 0 && uid) r = kit_buffer_printf(out, ": %s %s", level, uid);
    if (r == 0 && worker->count > 1) r = kit_buffer_printf(out, " and %u more", worker->count - 1);
    return r;
}

void progress_worker(struct progress *progress, const struct trolley_worker *worker)
{
    struct console *console = progress->console;
    struct kit_buffer text = {0};

    if (!progress->per_worker || progress_worker_text(&text, worker) < 0 || !text.data) {
        kit_buffer_free(&text);
        return;
    }
    if (!console->terminal || console->json) {
        /* The line's component says who. */
        const char *what = strstr(text.data, ": ");

        if (worker->downloader && what)
            console_log(console, TROLLEY_LOG_INFO, worker->downloader, what + 2);
    } else if (worker->number < PROGRESS_WORKERS) {
        (void)snprintf(progress->workers[worker->number], PROGRESS_WORKER_MAX, "%s", text.data);
    }
    kit_buffer_free(&text);
}

/* The lines of the workers under the bar, as many as the terminal has room for. */
static int progress_workers(struct progress *progress, unsigned width, unsigned lines)
{
    unsigned i;
    int r = 0;

    for (i = 0; r == 0 && i < PROGRESS_WORKERS && i + 2 < lines; i++) {
        struct kit_buffer line = {0};

        if (!progress->workers[i][0]) break;
        r = kit_buffer_printf(&line, "%3u %s", i + 1, progress->workers[i]);
        if (r == 0) r = kit_buffer_text(&progress->text, "\n");
        if (r == 0) r = text_fit(&progress->text, line.data, width > 1 ? width - 1 : 1, false);
        kit_buffer_free(&line);
    }
    return r;
}

void progress_show(struct progress *progress, const struct trolley_counts *counts)
{
    struct console *console = progress->console;
    bool bar = console->terminal && !console->json;
    unsigned width = console_width(console->fd, 80);

    if (console->quiet) return;
    progress_sample(progress, counts);
    if (!bar && counts->seconds - progress->shown < PROGRESS_PLAIN) return;
    progress->shown = counts->seconds;
    kit_buffer_reset(&progress->text);
    if (progress_text(&progress->text, progress, counts, bar ? width : 0) < 0) return;
    if (bar && progress->per_worker &&
        progress_workers(progress, width, console_height(console->fd, 24)) < 0)
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
