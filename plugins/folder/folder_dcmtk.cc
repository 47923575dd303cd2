/* SPDX-License-Identifier: MIT */
#include "folder_dcmtk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <string>

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcistrmf.h>
#include <dcmtk/dcmdata/dctk.h>

#include "plugins/dataset/element_dcmtk.h"
#include "trolley/types.h"

/* Larger values stay on disk until they are asked for. */
static const Uint32 load_bytes = 4096;
static struct charset *charset_of(DcmItem &item, const char *fallback)
{
    OFString terms;

    if (item.findAndGetOFStringArray(DCM_SpecificCharacterSet, terms).bad() || terms.empty())
        terms = fallback;
    return charset_new(terms.c_str());
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
    found = charset && dataset_element_text(*element, charset, out);
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
    if (value->json)
        return dataset_sequence_json(*static_cast<DcmSequenceOfItems *>(element), terms, out);
    return dataset_element_text(*element, charset, out);
}

static int read_all(DcmFileFormat &file, const struct folder_reader *reader)
{
    OFString terms;
    struct charset *charset = charset_of(*file.getDataset(), reader->charset);
    struct kit_buffer text = {};
    int r = charset ? 0 : TROLLEY_ERR_NOMEM;

    text.cap = 4 * DATASET_VALUE_MAX;
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
    BoundedStream<DcmInputFileStream> stream(path);
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
