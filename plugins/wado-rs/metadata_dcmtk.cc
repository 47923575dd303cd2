/* SPDX-License-Identifier: MIT */
#include "metadata_dcmtk.h"

#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcostrma.h>
#include <dcmtk/dcmdata/dctk.h>

#include <cjson/cJSON.h>

#include "metadata_values_dcmtk.h"
#include "trolley/types.h"

namespace
{

using namespace metadata;

/* ---- the way out ---- */

/* Gathers DCMTK's many small writes. */
class SinkConsumer : public DcmConsumer
{
  public:
    explicit SinkConsumer(const struct metadata_sink *to) : sink(to), refusal(0)
    {
    }
    OFBool good() const override
    {
        return refusal == 0;
    }
    OFCondition status() const override
    {
        return refusal == 0 ? EC_Normal : EC_InvalidStream;
    }
    OFBool isFlushed() const override
    {
        return OFTrue;
    }
    offile_off_t avail() const override
    {
        return std::numeric_limits<Sint32>::max();
    }
    offile_off_t write(const void *data, offile_off_t length) override
    {
        const char *bytes = static_cast<const char *>(data);

        if (refusal) return 0;
        buffer.insert(buffer.end(), bytes, bytes + length);
        if (buffer.size() >= 65536) flush();
        return refusal ? 0 : length;
    }
    void flush() override
    {
        if (!refusal && !buffer.empty())
            refusal = sink->write(sink->ctx, buffer.data(), buffer.size());
        buffer.clear();
    }
    int32_t refused() const
    {
        return refusal;
    }

  private:
    const struct metadata_sink *sink;
    std::vector<char> buffer;
    int32_t refusal;
};

class SinkStream : public DcmOutputStream
{
  public:
    explicit SinkStream(SinkConsumer *consumer) : DcmOutputStream(consumer)
    {
    }
};

/* The operations on 64 bits are the classes' own. */
template <typename Long> Long &as(DcmElement &element)
{
    Long *same = dynamic_cast<Long *>(&element);

    if (!same) throw Malformed{"numbers do not fit their VR"};
    return *same;
}

/* ---- the data set ---- */

class Reader
{
  public:
    Reader() : left_out(0), unicode(false)
    {
    }
    void read_object(const cJSON *object, DcmItem &item);
    void finish(DcmItem &item);
    uint32_t left_out;

  private:
    void read_element(const cJSON *member, const DcmTagKey &key, DcmItem &item);
    void read_sequence(const Values &values, DcmElement &element);
    void read_binary(const cJSON *member, DcmElement &element);
    void read_values(const Values &values, DcmElement &element);
    void read_text(const Values &values, DcmElement &element);
    bool unicode;
    std::string charset; /* as the data set names it */
};

/* The VR that is said, or the dictionary's; what the values are has the last word. */
DcmEVR vr_of(const cJSON *member, const DcmTagKey &key, const Values &values)
{
    const char *said = cJSON_GetStringValue(member_of(member, "vr"));
    DcmVR vr(said && strlen(said) == 2 ? said : "??");
    DcmEVR evr = vr.isStandard() ? vr.getEVR() : DcmTag(key).getEVR();

    for (const cJSON *value : values)
        if (cJSON_IsObject(value) && evr != EVR_PN) return is_name(value) ? EVR_PN : EVR_SQ;
    switch (evr) {
    case EVR_xs:
    case EVR_lt:
        return EVR_US;
    case EVR_ox:
    case EVR_px:
        return EVR_OW;
    case EVR_up:
        return EVR_UL;
    default:
        return DcmVR(evr).isStandard() ? evr : EVR_UN;
    }
}

void Reader::read_text(const Values &values, DcmElement &element)
{
    const DcmEVR evr = element.getVR();
    std::string all;

    for (const cJSON *value : values) {
        if (value != values.front()) all += '\\';
        if (evr == EVR_PN)
            all += name_text(value);
        else if (evr == EVR_DS)
            all += decimal_text(text_of(value));
        else
            all += text_of(value);
    }
    for (char c : all)
        if (static_cast<unsigned char>(c) > 0x7f) unicode = true;
    check(element.putString(all.data(), static_cast<Uint32>(all.size())),
          "a text does not fit its VR");
}

void Reader::read_values(const Values &values, DcmElement &element)
{
    static const char refused[] = "numbers do not fit their VR";

    switch (element.getVR()) {
    case EVR_US:
        return check(element.putUint16Array(integers<Uint16>(values).data(), values.size()),
                     refused);
    case EVR_SS:
        return check(element.putSint16Array(integers<Sint16>(values).data(), values.size()),
                     refused);
    case EVR_UL:
        return check(element.putUint32Array(integers<Uint32>(values).data(), values.size()),
                     refused);
    case EVR_SL:
        return check(element.putSint32Array(integers<Sint32>(values).data(), values.size()),
                     refused);
    case EVR_UV:
        return check(as<DcmUnsigned64bitVeryLong>(element).putUint64Array(
                         integers<Uint64>(values).data(), values.size()),
                     refused);
    case EVR_SV:
        return check(as<DcmSigned64bitVeryLong>(element).putSint64Array(
                         integers<Sint64>(values).data(), values.size()),
                     refused);
    case EVR_FL:
    case EVR_OF:
        return check(element.putFloat32Array(reals<Float32>(values).data(), values.size()),
                     refused);
    case EVR_FD:
    case EVR_OD:
        return check(element.putFloat64Array(reals<Float64>(values).data(), values.size()),
                     refused);
    case EVR_AT:
        return check(element.putUint16Array(tags(values).data(), values.size()), refused);
    case EVR_OB:
    case EVR_OW:
    case EVR_OL:
    case EVR_OV:
    case EVR_UN:
        throw Malformed{"binary data has no InlineBinary"};
    default:
        return read_text(values, element);
    }
}

/* InlineBinary: base64 of the bytes in little endian [PS3.18 F.2.7]. */
void Reader::read_binary(const cJSON *member, DcmElement &element)
{
    static const char refused[] = "InlineBinary does not fit its VR";
    const OFString coded(text_of(member));
    unsigned char *raw = nullptr;
    const size_t length = OFStandard::decodeBase64(coded, raw);
    /* Of nothing, DCMTK has freed the buffer already and leaves its address. */
    std::unique_ptr<unsigned char[]> owner(length ? raw : nullptr);
    std::vector<Uint64> bytes((length + 7) / 8); /* aligned for every width, padded with zeros */
    const DcmEVR evr = element.getVR();
    const size_t width = evr == EVR_OW                    ? 2
                         : evr == EVR_OL || evr == EVR_OF ? 4
                         : evr == EVR_OD || evr == EVR_OV ? 8
                                                          : 1;
    const unsigned long count = static_cast<unsigned long>((length + width - 1) / width);
    void *data = bytes.data();

    if (length) memcpy(data, raw, length);
    if (width > 1)
        check(swapIfNecessary(gLocalByteOrder, EBO_LittleEndian, data,
                              static_cast<Uint32>(count * width), width),
              refused);
    switch (evr) {
    case EVR_OB:
    case EVR_UN:
        return check(element.putUint8Array(static_cast<Uint8 *>(data), count), refused);
    case EVR_OW:
        return check(element.putUint16Array(static_cast<Uint16 *>(data), count), refused);
    case EVR_OL:
        return check(element.putUint32Array(static_cast<Uint32 *>(data), count), refused);
    case EVR_OF:
        return check(element.putFloat32Array(static_cast<Float32 *>(data), count), refused);
    case EVR_OD:
        return check(element.putFloat64Array(static_cast<Float64 *>(data), count), refused);
    case EVR_OV:
        return check(as<DcmUnsigned64bitVeryLong>(element).putUint64Array(
                         static_cast<Uint64 *>(data), count),
                     refused);
    default:
        throw Malformed{refused};
    }
}

void Reader::read_sequence(const Values &values, DcmElement &element)
{
    DcmSequenceOfItems *sequence = dynamic_cast<DcmSequenceOfItems *>(&element);

    if (!sequence) throw Malformed{"an attribute that is no sequence has items"};
    for (const cJSON *value : values) {
        std::unique_ptr<DcmItem> item(new DcmItem);

        if (cJSON_IsObject(value))
            read_object(value, *item);
        else if (!cJSON_IsNull(value))
            throw Malformed{"an item of a sequence is no object"};
        check(sequence->append(item.get()), "an item of a sequence cannot be kept");
        (void)item.release();
    }
}

void Reader::read_element(const cJSON *member, const DcmTagKey &key, DcmItem &item)
{
    const Values values = values_of(member);
    const DcmEVR evr = vr_of(member, key, values);
    const cJSON *binary = member_of(member, "InlineBinary");
    DcmElement *made = nullptr;
    std::unique_ptr<DcmElement> element;

    if (values.empty() && !binary && member_of(member, "BulkDataURI")) {
        left_out++;
        return;
    }
    check(DcmItem::newDicomElementWithVR(made, DcmTag(key, DcmVR(evr))),
          "an attribute of an unknown VR");
    element.reset(made);
    if (evr == EVR_SQ)
        read_sequence(values, *element);
    else if (!values.empty())
        read_values(values, *element);
    else if (binary)
        read_binary(binary, *element);
    check(item.insert(element.get(), OFTrue), "an attribute cannot be kept");
    (void)element.release();
}

/* Depth is bounded by the stream that handed the text on. */
void Reader::read_object(const cJSON *object, DcmItem &item)
{
    for (const cJSON *member = object->child; member; member = member->next) {
        DcmTagKey key;

        if (!member->string || strlen(member->string) != 8) continue;
        key = tag_of(member->string);
        /* Made anew, or meant for another encoding. */
        if (key.getGroup() <= 2 || key.getElement() == 0) continue;
        if (key == DCM_SpecificCharacterSet) {
            const Values values = values_of(member);

            if (charset.empty() && values.size() == 1) charset = text_of(values[0]);
            continue;
        }
        read_element(member, key, item);
    }
}

/* JSON is UTF-8 whatever the attribute says [PS3.18 F.2.2]; ASCII text is right in every set. */
void Reader::finish(DcmItem &item)
{
    if (unicode) charset = "ISO_IR 192";
    if (!charset.empty())
        check(item.putAndInsertString(DCM_SpecificCharacterSet, charset.c_str()),
              "the character set cannot be kept");
    if (!item.tagExistsWithValue(DCM_SOPClassUID) || !item.tagExistsWithValue(DCM_SOPInstanceUID))
        throw Malformed{"SOPClassUID or SOPInstanceUID is missing"};
}

int write_file(const cJSON *root, const struct metadata_sink *sink,
               struct metadata_result *ret_result)
{
    DcmFileFormat file;
    SinkConsumer consumer(sink);
    SinkStream stream(&consumer);
    Reader reader;
    OFCondition written;

    reader.read_object(root, *file.getDataset());
    reader.finish(*file.getDataset());
    file.transferInit();
    written = file.write(stream, EXS_LittleEndianExplicit, EET_ExplicitLength, nullptr,
                         EGL_withoutGL, EPD_noChange);
    file.transferEnd();
    consumer.flush();
    if (consumer.refused()) return consumer.refused();
    check(written, "the data set cannot be written");
    ret_result->left_out = reader.left_out;
    return 0;
}

} // namespace

void metadata_dcmtk_init(void)
{
    try {
        OFLog::configure(OFLogger::OFF_LOG_LEVEL);
    } catch (...) {
        return; /* then it stays as loud as it is */
    }
}

int metadata_dcmtk_write(const char *text, size_t length, const struct metadata_sink *sink,
                         struct metadata_result *ret_result)
{
    cJSON *root = cJSON_ParseWithLength(text, length);
    int r = TROLLEY_ERR_PROTOCOL;

    ret_result->problem = "malformed JSON";
    try {
        if (cJSON_IsObject(root)) r = write_file(root, sink, ret_result);
    } catch (const Malformed &malformed) {
        ret_result->problem = malformed.problem;
    } catch (...) {
        r = TROLLEY_ERR_NOMEM;
    }
    cJSON_Delete(root);
    return r;
}
