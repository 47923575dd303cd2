/* SPDX-License-Identifier: MIT */
#include "folder_dcmtk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sstream>
#include <string>

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcistrmf.h>
#include <dcmtk/dcmdata/dcjson.h>
#include <dcmtk/dcmdata/dctk.h>

#include "charset_dcmtk.h"
#include "kit/text.h"
#include "trolley/types.h"

/* Larger values stay on disk until they are asked for. */
static const Uint32 load_bytes = 4096;
/* Binary data within sequences beyond this is left out of their JSON. */
static const Uint32 json_binary_bytes = 1024;

/* DCMTK reads nested sequences by recursion without a bound, and a file of a few hundred kilobytes
 * can nest deep enough to break any stack. Real files need some ten levels. */
static const size_t stack_bytes = (size_t)256 << 10;

/* A file's stream that ends where reading it would take too much of the stack. */
class BoundedStream : public DcmInputFileStream
{
  public:
    explicit BoundedStream(const char *path)
        : DcmInputFileStream(path), base((uintptr_t)__builtin_frame_address(0)), nested(false)
    {
    }
    OFBool good() const override
    {
        return !nested && DcmInputFileStream::good();
    }
    OFCondition status() const override
    {
        return nested ? EC_CorruptedData : DcmInputFileStream::status();
    }
    offile_off_t read(void *buffer, offile_off_t length) override
    {
        uintptr_t here = (uintptr_t)__builtin_frame_address(0);

        if ((base > here ? base - here : here - base) > stack_bytes) nested = true;
        return nested ? 0 : DcmInputFileStream::read(buffer, length);
    }
    bool too_deep() const
    {
        return nested;
    }

  private:
    uintptr_t base;
    bool nested;
};

static struct charset *charset_of(DcmItem &item, const char *fallback)
{
    OFString terms;

    if (item.findAndGetOFStringArray(DCM_SpecificCharacterSet, terms).bad() || terms.empty())
        terms = fallback;
    return charset_new(terms.c_str());
}

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

/* The element's values as UTF-8 in `out`. False when they are too long or no text. */
static bool element_text(DcmElement &element, struct charset *charset, struct kit_buffer *out)
{
    DcmEVR vr = element.ident();
    OFString raw;

    if (binary(vr) || element.getLength() > FOLDER_VALUE_MAX) return false;
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
                                             : element->getLength() > FOLDER_VALUE_MAX)) {
            delete item.remove(i);
        } else if (affected_by_charset(element->ident())) {
            struct kit_buffer text = {};

            if (element_text(*element, charset, &text) && text.data)
                (void)element->putString(text.data);
            else
                delete item.remove(i);
            kit_buffer_free(&text);
        }
    }
    charset_free(charset);
}

/* The JSON array of a sequence's items [PS3.18 F.2]. */
static bool sequence_json(DcmSequenceOfItems &sequence, const char *charset, struct kit_buffer *out)
{
    std::ostringstream stream;
    DcmJsonFormatCompact format(OFFalse);

    sequence_to_utf8(sequence, charset);
    if (sequence.writeJson(stream, format).bad()) return false;
    const std::string text = stream.str();
    size_t first = text.find('['), last = text.rfind(']');
    if (first == std::string::npos) return kit_buffer_text(out, "[]") == 0;
    return last - first < FOLDER_VALUE_MAX &&
           kit_text_utf8_valid(text.data() + first, last - first + 1) &&
           kit_buffer_append(out, text.data() + first, last - first + 1) == 0;
}

/* Collects the values at a path of tags below `item`: all items of all sequences on the way.
 * Returns whether the attribute was found. */
static bool collect_path(DcmItem &item, const char *path, const char *inherited,
                         struct kit_buffer *out, char vr[4])
{
    unsigned long number = strtoul(path, NULL, 16);
    DcmTagKey key((Uint16)(number >> 16), (Uint16)number);
    const char *rest = strchr(path, '.');
    bool found = false;
    OFString own;

    if (item.findAndGetOFStringArray(DCM_SpecificCharacterSet, own).good() && !own.empty())
        inherited = own.c_str();
    if (rest) {
        DcmSequenceOfItems *sequence = NULL;

        if (item.findAndGetSequence(key, sequence).bad()) return false;
        for (unsigned long i = 0; i < sequence->card(); i++)
            found |= collect_path(*sequence->getItem(i), rest + 1, inherited, out, vr);
        return found;
    }
    DcmElement *element = NULL;
    if (item.findAndGetElement(key, element).bad() || element->ident() == EVR_SQ) return false;
    size_t before = out->length;
    struct charset *charset = charset_new(inherited);
    if (before) (void)kit_buffer_text(out, "\\");
    found = charset && element_text(*element, charset, out);
    charset_free(charset);
    if (!found && out->data) out->data[out->length = before] = '\0';
    (void)snprintf(vr, 4, "%s", element->getTag().getVRName());
    return found;
}

/* One wanted attribute into *value, its text in `out`. False when the file does not have it. */
static bool read_wanted(DcmFileFormat &file, const struct folder_wanted &wanted, const char *terms,
                        struct charset *charset, struct kit_buffer *out, struct folder_value *value)
{
    DcmItem *item = file.getDataset();
    DcmElement *element = NULL;

    if (wanted.path && strchr(wanted.path, '.')) {
        value->text = "";
        return collect_path(*item, wanted.path, terms, out, value->vr);
    }
    if (wanted.tag >> 16 == 2) item = file.getMetaInfo();
    DcmTagKey key((Uint16)(wanted.tag >> 16), (Uint16)wanted.tag);
    if (item->findAndGetElement(key, element).bad()) return false;
    (void)snprintf(value->vr, sizeof value->vr, "%s", element->getTag().getVRName());
    value->private_creator = element->getTag().getPrivateCreator();
    value->json = element->ident() == EVR_SQ;
    if (value->json) return sequence_json(*static_cast<DcmSequenceOfItems *>(element), terms, out);
    return element_text(*element, charset, out);
}

static int read_all(DcmFileFormat &file, const struct folder_reader *reader)
{
    OFString terms;
    struct charset *charset = charset_of(*file.getDataset(), reader->charset);
    struct kit_buffer text = {};
    int r = charset ? 0 : TROLLEY_ERR_NOMEM;

    text.cap = 4 * FOLDER_VALUE_MAX;
    (void)file.getDataset()->findAndGetOFStringArray(DCM_SpecificCharacterSet, terms);
    if (terms.empty()) terms = reader->charset;
    try {
        for (size_t i = 0; i < reader->count && r == 0; i++) {
            struct folder_value value = {};

            kit_buffer_reset(&text);
            if (!read_wanted(file, reader->wanted[i], terms.c_str(), charset, &text, &value))
                continue;
            value.text = text.data ? text.data : "";
            r = reader->value(reader->ctx, i, &value);
        }
    } catch (...) {
        r = TROLLEY_ERR_NOMEM;
    }
    kit_buffer_free(&text);
    charset_free(charset);
    return r;
}

bool folder_dcmtk_ready(void)
{
    try {
        OFLog::configure(OFLogger::OFF_LOG_LEVEL);
        return dcmDataDict.isDictionaryLoaded();
    } catch (...) {
        return false;
    }
}

/* The first tag behind all that are wanted, at most that of the pixel data. */
static DcmTagKey stop_tag(const struct folder_reader *reader)
{
    unsigned long last = 0;

    for (size_t i = 0; i < reader->count; i++) {
        const struct folder_wanted &wanted = reader->wanted[i];
        unsigned long tag = wanted.path ? strtoul(wanted.path, NULL, 16) : wanted.tag;

        if (tag > last) last = tag;
    }
    if (last >= 0x7FE00010) return DCM_PixelData;
    last++;
    return DcmTagKey((Uint16)(last >> 16), (Uint16)last);
}

/* Reads as far as needed. */
static int load_head(int fd, const DcmTagKey &stop, DcmFileFormat &file, char *problem, size_t size)
{
    char path[40];

    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    BoundedStream stream(path);
    OFCondition condition = stream.status();
    if (condition.good()) {
        file.transferInit();
        condition = file.readUntilTag(stream, EXS_Unknown, EGL_noChange, load_bytes, stop);
        file.transferEnd();
    }
    if (condition.good() && !stream.too_deep()) return 0;
    (void)snprintf(problem, size, "%s",
                   stream.too_deep() ? "sequences are nested too deeply" : condition.text());
    return TROLLEY_ERR_PROTOCOL;
}

int folder_dcmtk_read(int fd, const struct folder_reader *reader, char *problem, size_t size)
{
    try {
        DcmFileFormat file;
        int r = load_head(fd, stop_tag(reader), file, problem, size);

        return r < 0 ? r : read_all(file, reader);
    } catch (...) {
        (void)snprintf(problem, size, "out of memory");
        return TROLLEY_ERR_NOMEM;
    }
}
