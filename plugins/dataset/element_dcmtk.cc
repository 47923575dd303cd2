/* SPDX-License-Identifier: MIT */
#include "element_dcmtk.h"

#include <stdio.h>
#include <string.h>

#include <memory>
#include <new>
#include <sstream>
#include <string>

#include <dcmtk/dcmdata/dcistrmb.h>
#include <dcmtk/dcmdata/dcjson.h>

#include "kit/text.h"
#include "record.h"
#include "trolley/types.h"

/* Binary data within sequences beyond this is left out of their JSON. */
static const Uint32 json_binary_bytes = 1024;

static bool affected_by_charset(DcmEVR vr)
{
    switch (vr) {
    case EVR_LO:
    case EVR_LT:
    case EVR_PN:
    case EVR_SH:
    case EVR_ST:
    case EVR_UC:
    case EVR_UT:
        return true;
    default:
        return false;
    }
}

static bool one_text(DcmEVR vr)
{
    return vr == EVR_LT || vr == EVR_ST || vr == EVR_UT || vr == EVR_UR;
}

static bool binary(DcmEVR vr)
{
    switch (vr) {
    case EVR_OB:
    case EVR_OW:
    case EVR_OF:
    case EVR_OD:
    case EVR_OL:
    case EVR_OV:
    case EVR_UN:
    case EVR_ox:
    case EVR_px:
    case EVR_PixelData:
    case EVR_OverlayData:
    case EVR_lt:
    case EVR_UNKNOWN:
    case EVR_UNKNOWN2B:
        return true;
    default:
        return false;
    }
}

/* Appends `text` value by value, each without its padding. */
static int append_trimmed(const char *text, size_t length, bool single, struct kit_buffer *out)
{
    const char *end = text + length;

    for (;;) {
        const char *stop = single ? NULL : (const char *)memchr(text, '\\', (size_t)(end - text));
        const char *last = stop ? stop : end;

        while (last > text && (last[-1] == ' ' || last[-1] == '\0'))
            last--;
        while (!single && text < last && *text == ' ')
            text++;
        int r = kit_buffer_append(out, text, (size_t)(last - text));
        if (r < 0 || !stop) return r;
        r = kit_buffer_text(out, "\\");
        if (r < 0) return r;
        text = stop + 1;
    }
}

/* "(0010,0020)" as DCMTK prints tags, to "00100020" for each value. */
static void plain_tags(OFString &text)
{
    OFString plain;

    for (size_t i = 0; i < text.length(); i++)
        if (!strchr("(),", text[i])) plain += text[i];
    text = plain;
}

bool dataset_element_text(DcmElement &element, struct charset *charset, struct kit_buffer *out)
{
    DcmEVR vr = element.ident();
    OFString raw;

    if (binary(vr) || element.getLength() > DATASET_VALUE_MAX) return false;
    if (element.getLength() == 0) return kit_buffer_text(out, "") == 0;
    if (element.getOFStringArray(raw, OFFalse).bad()) return false;
    if (vr == EVR_AT) plain_tags(raw);
    struct kit_buffer text = {};
    const char *delimiters = vr == EVR_PN ? "\\^=" : one_text(vr) ? "" : "\\";
    struct charset *ascii = affected_by_charset(vr) ? NULL : charset_new("ISO_IR 6");
    int r = charset_append(ascii ? ascii : charset, raw.data(), raw.length(), delimiters, &text);
    charset_free(ascii);
    if (r == 0) r = append_trimmed(text.data, text.length, one_text(vr), out);
    kit_buffer_free(&text);
    return r == 0 && !memchr(out->data, '\0', out->length);
}

static void item_to_utf8(DcmItem &item, const char *inherited);

/* Makes a sequence fit for JSON: texts to UTF-8, long binary values away. */
static void sequence_to_utf8(DcmSequenceOfItems &sequence, const char *inherited)
{
    for (unsigned long i = 0; i < sequence.card(); i++)
        item_to_utf8(*sequence.getItem(i), inherited);
}

static void item_to_utf8(DcmItem &item, const char *inherited)
{
    OFString own;

    if (item.findAndGetOFStringArray(DCM_SpecificCharacterSet, own).good() && !own.empty())
        inherited = own.c_str();
    struct charset *charset = charset_new(inherited);
    for (unsigned long i = item.card(); i-- > 0 && charset;) {
        DcmElement *element = item.getElement(i);

        if (element->ident() == EVR_SQ) {
            sequence_to_utf8(*static_cast<DcmSequenceOfItems *>(element), inherited);
        } else if (element->getTag() == DCM_SpecificCharacterSet ||
                   (binary(element->ident()) ? element->getLength() > json_binary_bytes
                                             : element->getLength() > DATASET_VALUE_MAX)) {
            delete item.remove(i);
        } else if (affected_by_charset(element->ident())) {
            struct kit_buffer text = {};

            if (dataset_element_text(*element, charset, &text) && text.data)
                (void)element->putString(text.data);
            else
                delete item.remove(i);
            kit_buffer_free(&text);
        }
    }
    charset_free(charset);
}

bool dataset_sequence_json(DcmSequenceOfItems &sequence, const char *charset,
                           struct kit_buffer *out)
{
    std::ostringstream stream;
    DcmJsonFormatCompact format(OFFalse);

    sequence_to_utf8(sequence, charset);
    if (sequence.writeJson(stream, format).bad()) return false;
    const std::string text = stream.str();
    size_t first = text.find('['), last = text.rfind(']');
    if (first == std::string::npos) return kit_buffer_text(out, "[]") == 0;
    return last - first < DATASET_VALUE_MAX &&
           kit_text_utf8_valid(text.data() + first, last - first + 1) &&
           kit_buffer_append(out, text.data() + first, last - first + 1) == 0;
}

int dataset_add_to_record(DcmItem &item, const char *charset, struct record *record)
{
    struct kit_buffer text = {};
    OFString terms;
    int r = 0;

    (void)item.findAndGetOFStringArray(DCM_SpecificCharacterSet, terms);
    if (terms.empty()) terms = charset;
    struct charset *converter = charset_new(terms.c_str());
    if (!converter) return TROLLEY_ERR_NOMEM;
    text.cap = 4 * DATASET_VALUE_MAX;
    for (unsigned long i = 0; i < item.card() && r == 0; i++) {
        DcmElement *element = item.getElement(i);
        const DcmTag &tag = element->getTag();
        bool json = element->ident() == EVR_SQ;

        kit_buffer_reset(&text);
        if (tag.getElement() == 0 || tag == DCM_SpecificCharacterSet) continue;
        if (json ? dataset_sequence_json(*static_cast<DcmSequenceOfItems *>(element), terms.c_str(),
                                         &text)
                 : dataset_element_text(*element, converter, &text))
            r = record_add(record, (uint32_t)tag.getGroup() << 16 | tag.getElement(),
                           DcmVR(element->getVR()).getValidVRName(), text.data ? text.data : "",
                           json, element->getTag().getPrivateCreator());
    }
    charset_free(converter);
    kit_buffer_free(&text);
    return r;
}

DcmDataset *dataset_parse(const void *bytes, size_t length, const char *syntax)
{
    std::unique_ptr<DcmDataset> data_set(new DcmDataset);
    BoundedStream<DcmInputBufferStream> stream;

    if (length) stream.setBuffer(bytes, (offile_off_t)length);
    stream.setEos();
    data_set->transferInit();
    OFCondition condition = data_set->read(stream, DcmXfer(syntax).getXfer());
    data_set->transferEnd();
    if (stream.too_deep() || (condition.bad() && condition != EC_EndOfStream)) return NULL;
    return data_set.release();
}
