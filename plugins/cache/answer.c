/* SPDX-License-Identifier: MIT */
#include "answer.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <trolley/helpers.h>

#include "key.h"

struct head {
    uint32_t level, elements;
};

struct element_head {
    uint32_t tag, flags, values;
    char vr[4];
};

static int add_text(struct kit_buffer *answer, const char *text)
{
    return kit_buffer_append(answer, text ? text : "", text ? strlen(text) + 1 : 1);
}

static int add_element(struct kit_buffer *answer, const struct trolley_element *element)
{
    struct element_head head = {element->tag, element->flags, element->values.count, {0}};
    int r;

    memcpy(head.vr, element->vr, sizeof head.vr);
    r = kit_buffer_append(answer, &head, sizeof head);
    if (r == 0) r = add_text(answer, element->private_creator);
    for (uint32_t i = 0; r == 0 && i < element->values.count; i++)
        r = add_text(answer, trolley_span_text(&element->values, i));
    return r;
}

int answer_add(struct kit_buffer *answer, const struct trolley_record *record)
{
    const struct head head = {record->level, record->elements.count};
    size_t before = answer->length;
    int r = kit_buffer_append(answer, &head, sizeof head);

    for (uint32_t i = 0; r == 0 && i < record->elements.count; i++)
        r = add_element(answer, trolley_span_at(&record->elements, i));
    if (r < 0 && answer->data) {
        answer->length = before;
        answer->data[before] = '\0';
    }
    return r;
}

/* What is left to read, and room for one record, reused for the next. */
struct reader {
    const char *at, *end;
    struct trolley_element *elements;
    size_t elements_room;
    const char **values;
    size_t values_room;
};

static bool take_bytes(struct reader *reader, void *out, size_t length)
{
    if ((size_t)(reader->end - reader->at) < length) return false;
    memcpy(out, reader->at, length);
    reader->at += length;
    return true;
}

static const char *take_text(struct reader *reader)
{
    const char *text = reader->at, *nul = memchr(text, '\0', (size_t)(reader->end - text));

    if (nul) reader->at = nul + 1;
    return nul ? text : NULL;
}

/* Room for `count` items of `size` bytes in *items. Callers bound the count by bytes that are
 * there.
 */
static int reserve(void **items, size_t *room, size_t count, size_t size)
{
    void *larger;

    if (count <= *room) return 0;
    larger = reallocarray(*items, count, size);
    if (!larger) return TROLLEY_ERR_NOMEM;
    *items = larger;
    *room = count;
    return 0;
}

/* An element whose values go to reader->values from `first` on. */
static int take_element(struct reader *reader, struct trolley_element *element, size_t first)
{
    struct element_head head;
    const char *creator;
    void *values = reader->values;
    int r;

    if (!take_bytes(reader, &head, sizeof head) || !(creator = take_text(reader)) ||
        head.values > (size_t)(reader->end - reader->at))
        return TROLLEY_ERR_PROTOCOL;
    r = reserve(&values, &reader->values_room, first + head.values, sizeof *reader->values);
    reader->values = values;
    if (r < 0) return r;
    memset(element, 0, sizeof *element);
    element->size = sizeof *element;
    element->tag = head.tag;
    element->flags = head.flags;
    element->private_creator = *creator ? creator : NULL;
    memcpy(element->vr, head.vr, sizeof head.vr);
    element->vr[sizeof element->vr - 1] = '\0';
    element->values.count = head.values;
    for (uint32_t i = 0; i < head.values; i++) {
        reader->values[first + i] = take_text(reader);
        if (!reader->values[first + i]) return TROLLEY_ERR_PROTOCOL;
    }
    return 0;
}

/* Values may have moved while they were collected, so that spans are set at last. */
static void set_spans(struct reader *reader, uint32_t count)
{
    size_t first = 0;

    for (uint32_t i = 0; i < count; i++) {
        struct trolley_span *values = &reader->elements[i].values;

        *values = (struct trolley_span){reader->values ? reader->values + first : NULL,
                                        values->count, sizeof *reader->values};
        first += values->count;
    }
}

static int take_record(struct reader *reader, struct trolley_record *ret_record)
{
    struct head head;
    size_t values = 0;
    void *elements = reader->elements;
    int r;

    if (!take_bytes(reader, &head, sizeof head) ||
        head.elements > (size_t)(reader->end - reader->at) / sizeof(struct element_head))
        return TROLLEY_ERR_PROTOCOL;
    r = reserve(&elements, &reader->elements_room, head.elements, sizeof *reader->elements);
    reader->elements = elements;
    for (uint32_t i = 0; r == 0 && i < head.elements; i++) {
        r = take_element(reader, &reader->elements[i], values);
        values += reader->elements[i].values.count;
    }
    if (r < 0) return r;
    set_spans(reader, head.elements);
    *ret_record =
        (struct trolley_record){sizeof *ret_record,
                                head.level,
                                {reader->elements, head.elements, sizeof *reader->elements}};
    return 0;
}

static const char *record_uid(const struct trolley_record *record, uint32_t level)
{
    for (uint32_t i = 0; i < record->elements.count; i++) {
        const struct trolley_element *element = trolley_span_at(&record->elements, i);

        if (element->tag == key_uid_tag(level) && element->values.count == 1)
            return trolley_span_text(&element->values, 0);
    }
    return "";
}

static bool belongs(const struct trolley_record *record, const struct answer_object *object)
{
    for (uint32_t level = TROLLEY_LEVEL_STUDY; object && level <= TROLLEY_LEVEL_INSTANCE; level++)
        if (object->uids[level] && strcmp(object->uids[level], record_uid(record, level)) != 0)
            return false;
    return true;
}

int answer_deliver(const char *bytes, size_t length, const struct answer_object *object,
                   const struct trolley_record_sink *sink)
{
    struct reader reader = {.at = bytes, .end = bytes + length};
    struct trolley_record record;
    int r = 0;

    while (r == 0 && reader.at < reader.end) {
        r = take_record(&reader, &record);
        if (r == 0 && sink && belongs(&record, object)) r = sink->record(sink->ctx, &record);
    }
    free(reader.elements);
    free(reader.values);
    return r;
}
