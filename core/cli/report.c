/* SPDX-License-Identifier: MIT */
#include "core/cli/report.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <kit/json.h>

#include "core/cli/message.h"

const char *outcome_name(uint32_t kind)
{
    static const char *const names[] = {"unknown", "stored",  "skipped",    "replaced", "missing",
                                        "failed",  "ignored", "unexpected", "duplicate"};

    return names[kind < sizeof names / sizeof names[0] ? kind : 0];
}

int report_open(struct report *report, const char *path, struct trolley_error *error)
{
    int fd = strcmp(path, "-") == 0 ? STDOUT_FILENO
                                    : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

    /* A write of nothing tells of devices that take nothing. */
    if (fd < 0 || write(fd, "", 0) < 0) {
        int reason = errno;

        if (fd > STDERR_FILENO) close(fd);
        return cli_fail(error, TROLLEY_ERR_IO, "--report %s: %s", path, strerror(reason));
    }
    *report =
        (struct report){.file = {.fd = fd, .name = fd == STDOUT_FILENO ? "standard output" : path}};
    return 0;
}

/* Ends a line and writes it. */
static void report_send(struct report *report, struct kit_json *json)
{
    int r;

    kit_json_close(json);
    r = json->status;
    if (r == 0) r = kit_buffer_text(&report->line, "\n");
    if (r == 0) r = output_buffer(&report->file, &report->line);
    if (r == 0) r = output_flush(&report->file);
    kit_buffer_reset(&report->line);
    if (r < 0 && report->status == 0) report->status = r;
}

void report_outcome(struct report *report, const struct trolley_outcome *outcome)
{
    struct kit_json json = {.out = &report->line};

    kit_json_open(&json, NULL, '{');
    kit_json_text(&json, "study", outcome->study);
    kit_json_text(&json, "series", outcome->series);
    kit_json_text(&json, "instance", outcome->instance);
    if (outcome->frame)
        kit_json_uint(&json, "frame", outcome->frame);
    else
        kit_json_raw(&json, "frame", "null");
    if (outcome->instances > 1) kit_json_uint(&json, "instances", outcome->instances);
    kit_json_text(&json, "variant", outcome->variant);
    kit_json_text(&json, "outcome", outcome_name(outcome->kind));
    kit_json_text(&json, "downloader", outcome->downloader);
    kit_json_uint(&json, "bytes", outcome->bytes);
    kit_json_text(&json, "sha256", outcome->sha256);
    if (outcome->previous_sha256) kit_json_text(&json, "previous_sha256", outcome->previous_sha256);
    kit_json_text(&json, "path", outcome->path);
    kit_json_text(&json, "transfer_syntax", outcome->transfer_syntax);
    kit_json_text(&json, "message", outcome->message);
    report_send(report, &json);
}

void report_remark(struct report *report, const struct trolley_remark *remark)
{
    static const char *const names[] = {"error", "error", "warning", "info", "debug"};
    const struct trolley_ref *ref = remark->ref;
    struct kit_buffer code = {0};
    struct kit_json json = {.out = &report->line};

    kit_json_open(&json, NULL, '{');
    kit_json_text(&json, "note", names[remark->severity < 5 ? remark->severity : 4]);
    kit_json_text(&json, "component", remark->component);
    if (kit_buffer_printf(&code, "%d", (int)remark->code) == 0)
        kit_json_raw(&json, "code", code.data);
    kit_json_text(&json, "study", ref ? ref->study : NULL);
    kit_json_text(&json, "series", ref ? ref->series : NULL);
    kit_json_text(&json, "instance", ref ? ref->instance : NULL);
    kit_json_text(&json, "message", remark->message);
    kit_buffer_free(&code);
    report_send(report, &json);
}

int report_close(struct report *report, struct trolley_error *error)
{
    int r = report->status, reason = report->file.failed;

    /* Some file systems tell of a full disk only here. */
    if (report->file.fd > STDERR_FILENO && close(report->file.fd) < 0 && r == 0) {
        r = TROLLEY_ERR_IO;
        reason = errno;
    }
    if (r < 0)
        r = cli_fail(error, r, "report %s is not complete: %s", report->file.name,
                     reason ? strerror(reason) : trolley_status_name(r));
    output_free(&report->file);
    kit_buffer_free(&report->line);
    return r;
}
