/* SPDX-License-Identifier: MIT */
#include "core/prefetch/fields.h"

#include <kit/buffer.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <trolley/helpers.h>

#include "core/config/config.h"

static void fields_add(struct fields *fields, const char *name, const char *value)
{
    if (!value || fields->count == FIELDS_MAX) return;
    fields->items[fields->count++] = (struct trolley_http_header){name, value};
}

/* Splits the copies of `count` lines "Name: value" in place. */
static void fields_split(struct fields *fields, uint32_t count)
{
    char *at = fields->copies;

    for (; count > 0 && at; count--) {
        char *colon = strchr(at, ':'), *next = at + strlen(at) + 1;

        *colon = '\0'; /* the section was checked: it is there */
        fields_add(fields, at, colon + 1 + strspn(colon + 1, " \t"));
        at = next;
    }
}

int fields_fill(struct fields *fields, const struct prefetch_exporter *exporter,
                const struct prefetch_url *url, bool as_viewer)
{
    const struct trolley_config *config = section_config(exporter->section);
    const struct trolley_span lines = config->list(config, "header");
    struct kit_buffer copies = {0};
    uint32_t i;
    int r = 0;

    fields_add(fields, "Accept", url->accept ? url->accept : "*/*");
    fields_add(fields, "Accept-Encoding", url->accept_encoding);
    if (!as_viewer) fields_add(fields, "Cache-Control", url->cache_control);
    for (i = 0; r == 0 && i < lines.count; i++) {
        const char *line = trolley_span_text(&lines, i);

        r = kit_buffer_append(&copies, line, strlen(line) + 1);
    }
    if (r < 0) {
        kit_buffer_free(&copies);
        return r;
    }
    fields->copies = kit_buffer_take(&copies);
    if (!fields->copies) return TROLLEY_ERR_NOMEM;
    fields_split(fields, lines.count);
    return 0;
}

void fields_clear(struct fields *fields)
{
    free(fields->copies);
    fields->copies = NULL;
    fields->count = 0;
}

struct trolley_span fields_span(const struct fields *fields)
{
    return (struct trolley_span){fields->items, fields->count, sizeof fields->items[0]};
}

const char *fields_of(const struct trolley_http_response *response, const char *name)
{
    uint32_t i;

    for (i = 0; i < response->headers.count; i++) {
        const struct trolley_http_header *header = trolley_span_at(&response->headers, i);

        if (strcasecmp(header->name, name) == 0) return header->value;
    }
    return NULL;
}
